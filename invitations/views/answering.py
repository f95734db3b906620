"""The page a member answers on, opened from a letter: no sign-in, the token is the key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Role, Workshop
from chapters.queries import host_of
from invitations import calendars
from invitations.forms.answering import AnswerForm
from invitations.models import Answer, Invitation
from invitations.queries import line, overviews
from invitations.queries.audiences import roles_of
from invitations.services import rsvps
from members import languages

View = Callable[[HttpRequest, str], HttpResponse]


class Stage(StrEnum):
    """Which of its pages an invitation shows."""

    CANCELLED = "cancelled"
    OVER = "over"
    BEGUN = "begun"
    COMING = "coming"
    WAITING = "waiting"
    DECLINED = "declined"
    INVITED = "invited"


STAGES = {
    Answer.ATTENDING: Stage.COMING,
    Answer.WAITING: Stage.WAITING,
    Answer.DECLINED: Stage.DECLINED,
    Answer.NONE: Stage.INVITED,
}


@dataclass(frozen=True)
class Obstacle:
    """Why this member cannot have a place, though others can, and the page that helps."""

    sentence: str
    page: str = ""
    way_out: str = ""


WAYS_OUT = {
    rsvps.Banned: ("attendance_policy", gettext_lazy("Read when accounts are suspended")),
    rsvps.TermsNotAccepted: ("terms", gettext_lazy("Read and accept the terms")),
    rsvps.NotSubscribed: ("subscriptions", gettext_lazy("Choose your groups")),
}


def by_token(view: View) -> View:
    """
    What every page with a token in its address needs: never stored, never passed on.

    `same-origin` and not `no-referrer`: under that one browsers send `Origin: null` with a form,
    which Django's protection against forged requests refuses.
    """

    @never_cache
    @wraps(view)
    def with_headers(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return with_headers


@by_token
@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The invitation and the answer so far. Looking changes nothing."""
    return _page(request, _invitation(request, token))


@by_token
@require_safe
def old_link(request: HttpRequest, token: str) -> HttpResponse:
    """Planner's newer name for the same page."""
    return redirect("invitation", token)


@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """ "I am coming", by POST. Mail scanners open links, so a GET only leads to the page."""
    return _answer(request, token, rsvps.accept)


@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def wait(request: HttpRequest, token: str) -> HttpResponse:
    """ "I wait for a place", by POST."""
    return _answer(request, token, rsvps.wait)


@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """ "I am not coming", by POST."""
    return _say_no(request, token, rsvps.decline)


@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def leave_line(request: HttpRequest, token: str) -> HttpResponse:
    """ "I do not wait any more", by POST."""
    return _say_no(request, token, rsvps.leave_line)


@by_token
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar entry of whoever has a place, as a file; others are told how it stands."""
    invitation = _invitation(request, token)
    workshop = invitation.workshop
    if not invitation.is_attending or workshop.is_cancelled:
        return redirect(invitation)
    content = calendars.file_of(
        invitation,
        host=None if workshop.is_virtual else host_of(workshop),
        link=settings.SITE_URL + invitation.get_absolute_url(),
    )
    name = f"codebar-{workshop.local_start:%Y-%m-%d}.ics"
    return HttpResponse(
        content,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _answer(request: HttpRequest, token: str, give: Callable[..., None]) -> HttpResponse:
    if request.method != "POST":
        return redirect("invitation", token)
    invitation = _invitation(request, token)
    answers_before = invitation.answer_number
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, invitation, form=form, status=400)
    try:
        give(
            invitation,
            role=form.wanted_role,
            note=form.cleaned_data["note"],
            tutorial=form.wanted_tutorial,
            at=timezone.now(),
        )
    except rsvps.Refused as refusal:
        form.add_error(None, refusal.message)
        return _page(request, _invitation(request, token), form=form, status=409)
    messages.success(request, _told(_invitation(request, token), answers_before=answers_before))
    return redirect(invitation)


def _say_no(request: HttpRequest, token: str, give: Callable[..., None]) -> HttpResponse:
    if request.method != "POST":
        return redirect("invitation", token)
    invitation = _invitation(request, token)
    try:
        give(invitation, at=timezone.now())
    except rsvps.Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Thank you for telling us."))
    return redirect(invitation)


def _told(invitation: Invitation, *, answers_before: int) -> str:
    """What became of the answer, which may be another one than was asked for."""
    if invitation.answer_number == answers_before:
        return _("Saved.")
    if invitation.is_waiting:
        return _("You are in line.")
    return _("See you there!")


def _invitation(request: HttpRequest, token: str) -> Invitation:
    if "\x00" in token:  # PostgreSQL cannot even look for it
        raise Http404
    invitations = Invitation.objects.select_related("workshop__chapter", "member")
    invitation = invitations.filter(token=token).first() or get_object_or_404(
        invitations, former_tokens__token=token
    )
    languages.speak_as_letters_do(request, invitation.member)
    return invitation


def _page(
    request: HttpRequest,
    invitation: Invitation,
    *,
    form: AnswerForm | None = None,
    status: int = 200,
) -> HttpResponse:
    workshop = invitation.workshop
    (room,) = overviews.rooms([workshop])
    roles = roles_of(invitation.member, workshop.chapter)
    now = timezone.now()
    stage = _stage(invitation, at=now)
    refusal = _refusal(rsvps.check_open, workshop, at=now)
    places = [places for places in room.places if places.role in roles]
    return render(
        request,
        "invitations/invitation.html",
        {
            "invitation": invitation,
            "name": invitation.member.name.strip(),
            "workshop": workshop,
            "host": room.host,
            "stage": stage,
            "form": form or AnswerForm(initial=_said(invitation)),
            "places": places,
            "has_full": any(each.is_full for each in places),
            "asks_for_tutorial": _asks_for_tutorial(invitation, roles),
            "own": next(each for each in room.places if each.role == invitation.role),
            "other": next(
                (each for each in places if each.role != invitation.role and each.left), None
            ),
            "position": line.position_of(invitation) if stage == Stage.WAITING else 0,
            "refusal": refusal,
            "obstacle": None if refusal else _obstacle(invitation, roles, at=now),
            "can_decline": not _refusal(rsvps.check_not_closed, workshop, at=now),
            "answers_until": rsvps.answers_until(workshop),
        },
        status=status,
    )


def _stage(invitation: Invitation, *, at: datetime) -> Stage:
    workshop = invitation.workshop
    if workshop.is_cancelled:
        return Stage.CANCELLED
    if at >= workshop.ends_at:
        return Stage.OVER
    if workshop.has_begun(at):
        return Stage.BEGUN
    return STAGES[Answer(invitation.answer)]


def _said(invitation: Invitation) -> dict[str, str]:
    return {
        "role": invitation.role,
        "note": invitation.note,
        "tutorial": invitation.tutorial,
    }


def _asks_for_tutorial(invitation: Invitation, roles: list[Role]) -> bool:
    """Students are asked what they want to work on; in the line for coaches nobody is."""
    return Role.STUDENT in roles and not (invitation.is_waiting and invitation.role == Role.COACH)


def _refusal(check: Callable[..., None], workshop: Workshop, *, at: datetime) -> str:
    """Why no such answer is taken now; empty while they are."""
    try:
        check(workshop, at=at)
    except rsvps.Refused as refusal:
        return refusal.message
    return ""


def _obstacle(invitation: Invitation, roles: list[Role], *, at: datetime) -> Obstacle | None:
    """What keeps this member from a place, or from moving up to one."""
    try:
        if invitation.is_waiting:
            rsvps.check_turn(invitation, at=at)
        else:
            rsvps.check_member(invitation.member, at=at)
            rsvps.check_day(invitation.member, invitation.workshop)
    except rsvps.Refused as refusal:
        page, way_out = WAYS_OUT.get(type(refusal), ("", ""))
        return Obstacle(refusal.message, page, str(way_out))
    if roles:
        return None
    page, way_out = WAYS_OUT[rsvps.NotSubscribed]
    chapter = invitation.workshop.chapter
    told = _("You are not subscribed to a group of %(chapter)s any more.") % {"chapter": chapter}
    return Obstacle(told, page, str(way_out))
