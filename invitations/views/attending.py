"""Who comes to a workshop: the list, answering for somebody, and what happened so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Chapter, Role, Workshop
from invitations.forms.attendance import (
    AnswerForm,
    Back,
    CandidateSearchForm,
    PeopleFilter,
    What,
)
from invitations.models import Invitation
from invitations.queries import attendance as who
from invitations.queries import overviews
from invitations.queries.attendance import Candidate, Flags
from invitations.services import attending, rsvps
from invitations.views import doors
from logs.models import Audience
from members.models import Member

PEOPLE_A_PAGE = 50
MOST_FOUND = 20


@dataclass(frozen=True)
class Row:
    """One person of the list, with everything that is said about them."""

    invitation: Invitation
    flags: Flags
    dietary_needs: str
    position: int | None
    has_moved_up: bool


@login_required
@require_safe
def attendance(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Who comes, who waits and who does not, each with what an organiser should know."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    chosen = PeopleFilter(request.GET)
    chosen.is_valid()
    (overview,) = overviews.overviews([workshop])
    counts = who.counts(overview)
    people = who.people(workshop, chosen.shown, name=chosen.wanted_name)
    page = Paginator(people, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    return render(
        request,
        "invitations/attendance/attendance.html",
        {
            "workshop": workshop,
            "overview": overview,
            "counts": [(show.value, show.label, counts[show]) for show in who.Show],
            "filter": chosen,
            "write_to": Audience.WAITING
            if chosen.shown == who.Show.WAITING
            else Audience.ATTENDING,
            "page": page,
            "rows": _rows(workshop, page),
            "food": who.food(workshop),
            "organises_chapter": _organises_chapter(request, workshop),
            "has_begun": workshop.has_begun(now),
            "is_over": now >= workshop.ends_at,
        },
    )


@login_required
@require_safe
def rsvp(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Find somebody to add among those invited and the subscribers of the chapter."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    with_addresses = _organises_chapter(request, workshop)
    form = CandidateSearchForm(
        request.GET if "q" in request.GET else None, with_addresses=with_addresses
    )
    people: list[Candidate] = []
    has_more = False
    is_searched = form.is_bound and form.is_valid()
    if is_searched:
        people, has_more = who.find(
            workshop, text=form.text, with_addresses=with_addresses, most=MOST_FOUND
        )
    return render(
        request,
        "invitations/attendance/rsvp.html",
        _about(workshop)
        | {
            "form": form,
            "people": people,
            "has_more": has_more,
            "is_searched": is_searched,
            "with_addresses": with_addresses,
            "most": MOST_FOUND,
            "back": _back(request),
            "trail": Back.DOOR if _back(request) == Back.DOOR else Back.ATTENDANCE,
        },
        status=400 if form.is_bound and not is_searched else 200,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rsvp_member(request: HttpRequest, workshop_id: int, member_id: int) -> HttpResponse:
    """How one person stands with the workshop, and an answer for them by the members' rules."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    member = get_object_or_404(who.candidates(workshop), pk=member_id)
    if request.method != "POST":
        return _member_page(request, workshop, member, form=AnswerForm())
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _member_page(request, workshop, member, form=form, status=400)
    try:
        told = _answer(workshop, member, form, by=cast("Member", request.user))
    except rsvps.Refused as refusal:
        form.add_error(None, refusal.for_organiser)
        return _member_page(request, workshop, member, form=form, refusal=refusal, status=409)
    messages.success(request, told)
    shown = form.cleaned_data["show"]
    query = f"?{urlencode({'show': shown})}" if shown else ""
    return redirect(reverse(form.back_to.value, args=[workshop.pk]) + query)


@login_required
@require_safe
def changes(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Everything that was done for this workshop, the newest first."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    activities = workshop.activities.select_related("by", "member").order_by("-at", "-pk")
    page = Paginator(activities, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "invitations/attendance/changes.html", {"workshop": workshop, "page": page}
    )


def _rows(workshop: Workshop, page: Page[Invitation]) -> list[Row]:
    """The people of one page, with the same statements whatever their number."""
    invitations = list(page)
    flags = who.flags(
        [invitation.member_id for invitation in invitations],
        workshop=workshop,
        at=timezone.now(),
    )
    line = who.line(workshop)
    moved_up = who.moved_up(workshop, invitations)
    return [
        Row(
            invitation=invitation,
            flags=flags[invitation.member_id],
            dietary_needs=who.dietary_needs(invitation.member),
            position=line.get(invitation.pk),
            has_moved_up=invitation.pk in moved_up,
        )
        for invitation in invitations
    ]


def _organises_chapter(request: HttpRequest, workshop: Workshop) -> bool:
    """Addresses, notes and warnings are for those who look after the chapter's people."""
    return Chapter.objects.organised_by(request.user).filter(pk=workshop.chapter_id).exists()


def _about(workshop: Workshop) -> dict[str, object]:
    """What has to be known before somebody is added."""
    now = timezone.now()
    places = overviews.places(workshop)
    return {
        "workshop": workshop,
        "places": list(places.values()),
        "full_roles": [role for role in Role if places[role].is_full],
        "closed": _why_closed(workshop),
        "is_over": now >= workshop.ends_at,
    }


def _why_closed(workshop: Workshop) -> str:
    """Why members cannot answer any more; empty while they can."""
    try:
        rsvps.check_open(workshop, at=timezone.now())
    except rsvps.Refused as refusal:
        return refusal.for_organiser
    return ""


def _back(request: HttpRequest) -> str:
    back = request.GET.get("back", "")
    return back if back in Back.values else Back.RSVP.value


def _member_page(
    request: HttpRequest,
    workshop: Workshop,
    member: Member,
    *,
    form: AnswerForm,
    refusal: rsvps.Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    (candidate,) = who.as_candidates(workshop, [member])
    about = _about(workshop)
    invitation = candidate.invitation
    is_overridable = isinstance(refusal, rsvps.Overridable)
    back = form.back_to if form.is_bound else _back_of_page(request)
    return render(
        request,
        "invitations/attendance/rsvp_member.html",
        about
        | {
            "candidate": candidate,
            "member": member,
            "invitation": invitation,
            "form": form,
            "role": _role(candidate, form),
            "back": back,
            "opens_profile": bool(invitation) or _organises_chapter(request, workshop),
            "can_override": is_overridable
            or bool(about["closed"] or about["full_roles"] or form["override_reason"].errors),
            "needs_reason": is_overridable,
            "why_not": _why_not(member),
            "gets_a_letter": who.gets_a_letter(member, workshop, at=timezone.now()),
        },
        status=status,
    )


def _back_of_page(request: HttpRequest) -> Back:
    back = request.GET.get("back", "")
    return Back(back) if back in Back.values else Back.ATTENDANCE


def _role(candidate: Candidate, form: AnswerForm) -> str:
    """The role that is chosen when the page opens."""
    if form.is_bound and form.cleaned_data.get("role"):
        return str(form.cleaned_data["role"])
    if candidate.invitation and candidate.invitation.role in candidate.roles:
        return candidate.invitation.role
    return candidate.roles[0] if candidate.roles else ""


def _why_not(member: Member) -> str:
    """Why this member can have no place, whatever the reason; empty when they can."""
    try:
        rsvps.check_member(member, at=timezone.now())
    except rsvps.Refused as refusal:
        return refusal.for_organiser
    return ""


def _answer(workshop: Workshop, member: Member, form: AnswerForm, *, by: Member) -> str:
    """Do what was asked, and say in words what the member is told."""
    now = timezone.now()
    what = form.what_to_do
    if what == What.TAKE_BACK:
        invitation = get_object_or_404(workshop.invitations.all(), member=member)
        attending.take_back(invitation, by=by, at=now)
        told = (
            "A letter tells them."
            if who.gets_a_letter(member, workshop, at=now)
            else "No letter leaves, so please tell them."
        )
        return f"{member.full_name} is off the list. {told}"
    role = form.as_role
    if what == What.WAIT:
        attending.put_in_line(workshop, member=member, role=role, by=by, at=now)
        return f"{member.full_name} is on the waiting list as a {role.label.lower()}."
    attending.give_a_place(
        workshop,
        member=member,
        role=role,
        by=by,
        at=now,
        override_reason=form.cleaned_data["override_reason"],
    )
    return f"{member.full_name} has a place as a {role.label.lower()}. A letter confirms it."
