"""
Answering an invitation, and the waiting list: the same rules for members and for organisers who
answer for them.

People compete for places, so every answer locks the workshop, then the member and everybody in
line, and only then reads what it decides about. The locks let a batch that is being prepared pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from chapters.models import Role, Workshop
from invitations import tasks
from invitations.models import Answer, Invitation
from invitations.queries import overviews
from invitations.services import rules
from invitations.services.rules import (
    AnotherWorkshopThatDay,
    Banned,
    HasAPlace,
    NotSubscribed,
    Overridable,
    PlacesLeft,
    Refused,
    RsvpClosed,
    RsvpNotOpen,
    TermsNotAccepted,
    WasHere,
    WorkshopBegun,
    WorkshopCancelled,
    WorkshopFull,
    WorkshopOver,
    answers_until,
    check_day,
    check_member,
    check_not_closed,
    check_open,
)
from logs.models import Action
from logs.services import activities
from logs.services.logger import InvitationLogger
from members.models import Member

__all__ = [
    "AnotherWorkshopThatDay",
    "Banned",
    "HasAPlace",
    "NotSubscribed",
    "Overridable",
    "PlacesLeft",
    "Refused",
    "RsvpClosed",
    "RsvpNotOpen",
    "TermsNotAccepted",
    "WasHere",
    "WorkshopBegun",
    "WorkshopCancelled",
    "WorkshopFull",
    "WorkshopOver",
    "accept",
    "answers_until",
    "check_day",
    "check_member",
    "check_not_closed",
    "check_open",
    "check_turn",
    "decline",
    "fill_free_places",
    "invitation_for",
    "leave_line",
    "release_places",
    "wait",
]


class _AnsweredMeanwhile(Exception):
    """The member got a place at one more workshop while the others were being locked."""


@transaction.atomic
def accept(
    invitation: Invitation,
    *,
    role: Role,
    note: str | None,
    at: datetime,
    tutorial: str | None = None,
    by: Member | None = None,
    override_reason: str = "",
) -> None:
    """
    Give the member a place in this role, and write them a confirmation.

    Whoever has the place keeps it: accepting twice changes nothing, except what is told anew.

    :param note: for the organisers; None leaves what was noted
    :param tutorial: what a student wants to work on; None leaves what was said
    :param by: the organiser who answers for the member
    :param override_reason: with it an organiser gives a place that is not free, or gives it after
        answers closed; everybody who organises sees it
    :raises Refused: one of the rules
    """
    workshop, member, invitation = _locked(invitation)
    is_overridden = by is not None and bool(override_reason)
    if is_overridden:
        rules.check_not_cancelled(workshop)
    else:
        check_open(workshop, at=at)
    check_member(member, at=at)
    rules.check_role(member, workshop, role=role)
    if invitation.is_attending and invitation.role == role:
        _tell(invitation, note=note, tutorial=tutorial)
        return
    check_day(member, workshop)
    if not is_overridden:
        rules.check_place(workshop, role=role)
    freed = _role_of_place(invitation)
    _answer(
        invitation,
        Answer.ATTENDING,
        role=role,
        at=at,
        by=by,
        override_reason=override_reason if is_overridden else "",
    )
    _tell(invitation, note=note, tutorial=tutorial)
    _write(invitation, Action.CONFIRMATION)
    _pass_on(workshop, freed, at=at)


@transaction.atomic
def wait(
    invitation: Invitation,
    *,
    role: Role,
    note: str | None,
    at: datetime,
    tutorial: str | None = None,
    by: Member | None = None,
) -> None:
    """
    Put the member at the end of the line for a place, and write them that they are in it.

    Waiting twice changes nothing, and whoever has such a place keeps it: they may have moved up
    since their page was shown. Where an organiser does it, nobody is written to.

    :param note: for the organisers; None leaves what was noted
    :param tutorial: what a student wants to work on; None leaves what was said
    :raises PlacesLeft: when there is a place to take instead
    :raises HasAPlace: for somebody with a place in the other role, which would be lost
    :raises Refused: one of the rules
    """
    workshop, member, invitation = _locked(invitation)
    check_open(workshop, at=at)
    check_member(member, at=at)
    rules.check_role(member, workshop, role=role)
    if (invitation.is_waiting or invitation.is_attending) and invitation.role == role:
        _tell(invitation, note=note, tutorial=tutorial)
        return
    if not overviews.places(workshop)[role].is_full:
        raise PlacesLeft(_("There is a free place. Nobody has to wait."))
    if invitation.is_attending:
        raise HasAPlace(_give_it_back_first(role))
    check_day(member, workshop)
    _answer(invitation, Answer.WAITING, role=role, at=at, by=by)
    _tell(invitation, note=note, tutorial=tutorial)
    if by is None:
        _write(invitation, Action.WAITING)


@transaction.atomic
def decline(invitation: Invitation, *, at: datetime, by: Member | None = None) -> None:
    """
    Note that the member is not coming, and write them so; a place they had goes to the first in
    line.

    Declining twice changes nothing. An organiser may do so until the workshop is over, and the
    letter says that it was them; after it the list says who had a place and did not come.

    :raises WorkshopCancelled, WorkshopBegun, RsvpClosed: when answers are no longer taken
    :raises WorkshopOver: when an organiser comes too late
    :raises WasHere: for somebody who is marked as here
    """
    workshop, _member, invitation = _locked(invitation)
    if by is None:
        check_not_closed(workshop, at=at)
    else:
        rules.check_not_cancelled(workshop)
        rules.check_not_over(workshop, at=at)
    if invitation.attended_at is not None:
        raise WasHere(_("Who is marked as here cannot be taken off the list. Undo that first."))
    if not invitation.has_declined:
        _leave(workshop, invitation, at=at, by=by)
        _write(invitation, Action.DECLINED)


@transaction.atomic
def leave_line(invitation: Invitation, *, at: datetime) -> None:
    """
    Take the member off the waiting list, as somebody who is not coming; they can come back, to
    the end of the line.

    Leaving twice changes nothing.

    :raises HasAPlace: for somebody who has moved up since their page was shown: a place is given
        back by name, not by the way
    :raises WorkshopCancelled, WorkshopBegun, RsvpClosed: when answers are no longer taken
    """
    workshop, _member, invitation = _locked(invitation)
    check_not_closed(workshop, at=at)
    if invitation.is_attending:
        raise HasAPlace(
            _("You have moved up: you have a place now. If you cannot come, give it back here.")
        )
    if invitation.is_waiting:
        _leave(workshop, invitation, at=at, by=None)
        _write(invitation, Action.DECLINED)


def check_turn(invitation: Invitation, *, at: datetime) -> None:
    """
    Whether a place that becomes free can be given to this member, who waits for one.

    :raises Refused: one of the rules; until it is otherwise, others move up past them
    """
    workshop, member = invitation.workshop, invitation.member
    check_not_closed(workshop, at=at)  # later nobody could say that they cannot come after all
    check_member(member, at=at)
    rules.check_role(member, workshop, role=Role(invitation.role))
    check_day(member, workshop)


@transaction.atomic
def fill_free_places(workshop: Workshop, *, at: datetime) -> int:
    """
    Give every free place to the first in line who may have it, for instance in a larger venue.

    :returns: how many places were given
    """
    return _pass_on(_lock([workshop.pk])[0], Role, at=at)


@transaction.atomic
def release_places(member: Member, *, at: datetime, by: Member | None) -> list[Workshop]:
    """
    Take the member's places, and their places in line, at every workshop to come.

    Each goes to the next in line, and the member stays locked. Whoever calls has not locked any
    workshop or member yet.

    Workshops are locked before members; so a workshop at which the member answers meanwhile is not
    among those that were locked, and must not be locked any more. With the member locked every
    earlier answer is seen and no other one follows: then the savepoint gives all locks back, and
    we begin again.

    :returns: the workshops at which a place or a place in line was given up
    """
    while True:
        try:
            with transaction.atomic():
                return _release(member, at=at, by=by)
        except _AnsweredMeanwhile:
            continue


def invitation_for(member: Member, workshop: Workshop, *, role: Role) -> Invitation:
    """The member's invitation, made where an organiser adds somebody who got none."""
    invitation, _ = Invitation.objects.get_or_create(
        workshop=workshop, member=member, defaults={"role": role}
    )
    return invitation


def _release(member: Member, *, at: datetime, by: Member | None) -> list[Workshop]:
    held = member.invitations.held(at)
    workshops = _lock(held.values_list("workshop", flat=True), member)
    for workshop in workshops:
        for invitation in held.filter(workshop=workshop):
            _leave(workshop, invitation, at=at, by=by)
    if held.exists():
        raise _AnsweredMeanwhile
    return workshops


def _locked(invitation: Invitation) -> tuple[Workshop, Member, Invitation]:
    """The workshop, the member and everybody in line, held until the end; and this row, fresh."""
    (workshop,) = _lock([invitation.workshop_id], invitation.member)
    fresh = Invitation.objects.select_related("member").get(pk=invitation.pk)
    return workshop, fresh.member, fresh


def _lock(workshop_ids: Iterable[int], *members: Member) -> list[Workshop]:
    """
    The workshops, then these members and everybody in line, each in the order of their ids.

    All members in one statement: a place may pass on to any of those who wait, and two answers
    that took them one after the other could wait for each other.
    """
    workshops = list(Workshop.objects.locked().filter(pk__in=list(workshop_ids)).order_by("pk"))
    waiting = Invitation.objects.filter(workshop__in=workshops, answer=Answer.WAITING)
    ids = {*waiting.values_list("member", flat=True), *(member.pk for member in members)}
    list(Member.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    return workshops


def _give_it_back_first(role: Role) -> str:
    """What is said to somebody with a place who wants to wait for one in this role."""
    if role == Role.COACH:
        return _("There is a place as a student already. Give it back to wait as a coach.")
    return _("There is a place as a coach already. Give it back to wait as a student.")


def _leave(workshop: Workshop, invitation: Invitation, *, at: datetime, by: Member | None) -> None:
    freed = _role_of_place(invitation)
    _answer(invitation, Answer.DECLINED, role=Role(invitation.role), at=at, by=by)
    _pass_on(workshop, freed, at=at)
    if freed:
        member = invitation.member
        transaction.on_commit(partial(_move_up_where_they_wait, member, at=at), robust=True)


def _move_up_where_they_wait(member: Member, *, at: datetime) -> None:
    """
    At another workshop of that day others moved up past them, and a place that nobody else wanted
    may be free. Only now, since its lock comes before those that are held until the commit.
    """
    theirs = member.invitations.filter(answer=Answer.WAITING).values("workshop")
    for workshop in Workshop.objects.upcoming(at).filter(pk__in=theirs).order_by("pk"):
        fill_free_places(workshop, at=at)


def _role_of_place(invitation: Invitation) -> list[Role]:
    """The role in which the member has a place, if any."""
    return [Role(invitation.role)] if invitation.is_attending else []


def _pass_on(workshop: Workshop, roles: Iterable[Role], *, at: datetime) -> int:
    """Free places in these roles go to those in line, first come, first served."""
    given = 0
    for role in roles:
        left = overviews.places(workshop)[role].left
        for invitation in workshop.invitations.for_role(role).waiting().select_related("member"):
            if not left:
                break
            invitation.workshop = workshop  # the locked one
            if not _may_have_a_place(invitation, at=at):
                continue
            _answer(invitation, Answer.ATTENDING, role=role, at=at)
            _write(invitation, Action.PLACE)
            left -= 1
            given += 1
    return given


def _may_have_a_place(invitation: Invitation, *, at: datetime) -> bool:
    try:
        check_turn(invitation, at=at)
    except Refused:
        return False
    return True


def _answer(
    invitation: Invitation,
    answer: Answer,
    *,
    role: Role,
    at: datetime,
    by: Member | None = None,
    override_reason: str = "",
) -> None:
    """Write the answer down, and who gave it; what an organiser did for an older one is over."""
    before = Answer(invitation.answer)
    invitation.answer = answer
    invitation.role = role
    invitation.answer_number += 1
    invitation.answered_at = at
    invitation.answered_by = by
    invitation.override_reason = override_reason
    invitation.save(
        update_fields=[
            "answer",
            "role",
            "answer_number",
            "answered_at",
            "answered_by",
            "override_reason",
        ]
    )
    activities.note(
        _in_words(answer, role=role, before=before, is_for_another=by is not None),
        by=by or invitation.member,
        workshop=invitation.workshop,
        member=invitation.member,
        remark=override_reason,
    )


def _in_words(answer: Answer, *, role: Role, before: Answer, is_for_another: bool) -> str:
    """What completes "Lena …", or "Asha …" where she did it for Lena."""
    as_what = f"as a {role.label.lower()}"
    if answer == Answer.ATTENDING:
        if is_for_another:
            return f"gave a place {as_what}"
        if before == Answer.WAITING:
            return f"got a place {as_what} from the waiting list"
        return f"is coming {as_what}"
    if answer == Answer.WAITING:
        return f"put on the waiting list {as_what}" if is_for_another else f"waits {as_what}"
    if not is_for_another:
        return "is not coming"
    return {
        Answer.ATTENDING: f"took back the place {as_what}",
        Answer.WAITING: f"took off the waiting list {as_what}",
    }.get(before, "noted a no")


def _tell(invitation: Invitation, *, note: str | None, tutorial: str | None) -> None:
    """What the organisers should know; None leaves what was told before."""
    told = {"note": note, "tutorial": tutorial}
    news = {
        name: text
        for name, text in told.items()
        if text is not None and text != getattr(invitation, name)
    }
    for name, text in news.items():
        setattr(invitation, name, text)
    if news:
        invitation.save(update_fields=list(news))


def _write(invitation: Invitation, action: Action) -> None:
    """The letter about this answer; it leaves before all bulk."""
    InvitationLogger().single(
        member=invitation.member,
        workshop=invitation.workshop,
        action=action,
        occasion=str(invitation.answer_number),
    )
    transaction.on_commit(tasks.ring, robust=True)
