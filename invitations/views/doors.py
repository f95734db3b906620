"""The one door by which organisers enter: what is not theirs is not there."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from chapters.models import Chapter, Workshop
from invitations import policies
from logs.models import InvitationLog
from members.models import Member


def workshop_of_organiser(request: HttpRequest, workshop_id: int) -> Workshop:
    """The workshop, with its chapter; 404 for everybody who does not organise it."""
    workshops = Workshop.objects.organised_by(request.user).select_related("chapter")
    return get_object_or_404(workshops, pk=workshop_id)


def chapters_of_organiser(request: HttpRequest) -> QuerySet[Chapter]:
    """Every chapter this person organises; 404 for who organises none."""
    chapters = Chapter.objects.organised_by(request.user)
    if not chapters.exists():
        raise Http404
    return chapters


def organiser_of_anything(request: HttpRequest) -> None:
    """What all organisers share, like the list of companies; 404 for everybody else."""
    only_if(policies.organises_anything(request.user))


def only_if(is_theirs: bool) -> None:
    """404 where it is not."""
    if not is_theirs:
        raise Http404


def chapter_of_organiser(request: HttpRequest, chapter_id: int) -> Chapter:
    """The chapter; 404 for everybody who does not organise it, whatever workshop they organise."""
    return get_object_or_404(Chapter.objects.organised_by(request.user), pk=chapter_id)


def member_of_organiser(request: HttpRequest, member_id: int) -> Member:
    """A member whom this organiser may see; 404 for everybody else's."""
    member: Member = get_object_or_404(policies.members_visible_to(request.user), pk=member_id)
    return member


def member_looked_after(request: HttpRequest, member_id: int) -> Member:
    """A member of the chapters that this person organises; 404 where only a workshop is theirs."""
    member: Member = get_object_or_404(policies.members_looked_after_by(request.user), pk=member_id)
    return member


def log_of_organiser(request: HttpRequest, workshop_id: int, log_id: int) -> InvitationLog:
    """A log of this workshop, with both; 404 for everybody who does not organise it."""
    logs = InvitationLog.objects.filter(
        workshop__in=Workshop.objects.organised_by(request.user), workshop=workshop_id
    )
    return get_object_or_404(logs.select_related("workshop__chapter", "initiator"), pk=log_id)
