"""The page on which organisers invite: who would be written to, what they get, and the click."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from csp.decorators import csp
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chapters.models import Role, Workshop
from invitations import mails
from invitations.forms.counts import TypedCount, count_to_type
from invitations.forms.sending import InviteForm, NoteForm, SeenCount
from invitations.queries import audiences, sizes
from invitations.queries.audiences import Reach
from invitations.services import inviting, messaging
from invitations.views import doors
from logs.models import (
    CHAPTER_AUDIENCES,
    LIVE_LOG_STATUSES,
    Action,
    Audience,
    InvitationLog,
    LogStatus,
)
from members.models import Member

PEOPLE_A_PAGE = 50
WAYS_ON = {
    inviting.AnswersClosed: ("workshop_edit", "Edit the workshop"),
    inviting.NotInvitable: ("workshop_edit", "Edit the workshop"),
    inviting.NoVenue: ("workshop_sponsors", "Choose the venue"),
}
LETTER_POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
}


@dataclass(frozen=True)
class Card:
    """
    One button: whom it writes to, or the log that is writing to them already.

    Where the number is not usual, it is `typed` beside the button.
    """

    reach: Reach
    live_log: InvitationLog | None
    typed: TypedCount | None = None
    is_primary: bool = False

    @property
    def is_offered(self) -> bool:
        return self.live_log is None and self.reach.to_invite > 0

    @property
    def people_left_out(self) -> int:
        return self.reach.subscribers - self.reach.to_invite


@login_required
@require_safe
def send_invites(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Who would be invited now by each button, who would not, and the letter."""
    return _send_page(request, doors.workshop_of_organiser(request, workshop_id))


@login_required
def invite(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The click. Opened as a page, for instance after signing in again, it leads to the buttons."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    if request.method != "POST":
        return redirect("send_invites", workshop_id)
    audience = _sent_along(request, "for")
    seen = SeenCount({name: _sent_along(request, name) for name in ("seen_count", "seal")})
    form = InviteForm(workshop, request.POST)
    if not seen.is_valid():
        problem = str(seen.errors["seen_count"][0])
        return _send_page(request, workshop, form, problem=problem, status=400)
    if not form.is_valid():
        return _send_page(request, workshop, form, status=400)
    typed = TypedCount(request.POST, prefix=audience)
    try:
        log = inviting.invite(
            workshop,
            audience=audience,
            initiator=_user(request),
            at=timezone.now(),
            note=form.cleaned_data["note"],
            send_at=form.cleaned_data["send_at"],
            seen_count=_seen(workshop, audience, seen),
            typed_count=typed.count,
            request_key=form.key_of(audience),
        )
    except inviting.MustBeTyped as refusal:
        return _send_page(request, workshop, form, typed=typed, problem=refusal.message, status=409)
    except inviting.AlreadyRunning as refusal:
        messages.warning(request, refusal.message)
        log = refusal.log
    except inviting.WrongMoment as refusal:
        form.add_error("send_at", refusal.message)
        return _send_page(request, workshop, form, status=409)
    except inviting.UnknownAudience as refusal:
        return _send_page(request, workshop, form, problem=refusal.message, status=400)
    except inviting.Refused as refusal:
        return _send_page(request, workshop, form, problem=refusal.message, status=409)
    return redirect("invitation_log", workshop_id, log.pk)


@login_required
@require_POST
def send_test(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The letter to whoever asks, and the page with what was typed."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _send_page(request, workshop, InviteForm(workshop, request.POST), status=400)
    log = inviting.send_test(
        workshop,
        role=_role(request),
        initiator=_user(request),
        note=form.cleaned_data["note"],
        request_key=form.key_of("test"),
    )
    messages.success(request, f"A test letter is on its way to {_user(request).email}.")
    typed = {"note": form.cleaned_data["note"], "send_at": request.POST.get("send_at", "")}
    return _send_page(request, workshop, InviteForm(workshop, initial=typed), shown=log)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@xframe_options_sameorigin
@csp(LETTER_POLICY)  # type: ignore[arg-type]  # its types know no view with arguments
def letter(request: HttpRequest, workshop_id: int, role: str) -> HttpResponse:
    """
    The letter as it will be sent, with the styles that letters carry; nothing else may load.

    With the note that is sent along, or that of a log.
    """
    if role not in Role.values:
        raise Http404
    workshop = doors.workshop_of_organiser(request, workshop_id)
    note = _note_of_log(request, workshop)
    if request.method == "POST":
        form = NoteForm(request.POST)
        if not form.is_valid():
            problem = form.errors.get("note", ["This note cannot be shown."])[0]
            return HttpResponse(str(problem), content_type="text/plain", status=400)
        note = form.cleaned_data["note"]
    role_chosen = _role(request, otherwise=Role(role))
    return HttpResponse(mails.preview(workshop, role=role_chosen, note=note).html)


@login_required
@require_safe
def left_out(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The names of those whom a button would not write to, each with the reason."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    audience = request.GET.get("for", "")
    if audience not in (*CHAPTER_AUDIENCES, *messaging.AUDIENCES):
        raise Http404
    reach = audiences.reach(workshop, Audience(audience))
    chosen = request.GET.get("why", "")
    people = audiences.left_out(workshop, Audience(audience))
    if chosen:
        people = people.filter(reason=chosen)
    return render(
        request,
        "invitations/left_out.html",
        {
            "workshop": workshop,
            "reach": reach,
            "is_about_inviting": audience in CHAPTER_AUDIENCES,
            "people": reach.subscribers - reach.to_invite,
            "chosen": chosen,
            "page": Paginator(people, PEOPLE_A_PAGE).get_page(request.GET.get("page")),
        },
    )


def _seen(workshop: Workshop, audience: str, seen: SeenCount) -> int | None:
    """
    What a page has told, or else what it would tell now: a click never reaches unseen numbers, and
    one that no page has told is believed as far as it is true.
    """
    if audience not in CHAPTER_AUDIENCES or seen.is_sealed(workshop, audience):
        return seen.count
    now = audiences.reach(workshop, Audience(audience)).to_invite
    return now if seen.count is None else min(seen.count, now)


def _sent_along(request: HttpRequest, name: str) -> str:
    """In the form, or in the address of its button."""
    return request.POST.get(name) or request.GET.get(name, "")


def _role(request: HttpRequest, *, otherwise: Role = Role.STUDENT) -> Role:
    """To whom the letter is shown, where that was chosen."""
    role = _sent_along(request, "as")
    return Role(role) if role in Role.values else otherwise


def _note_of_log(request: HttpRequest, workshop: Workshop) -> str:
    log_id = request.GET.get("log", "")
    if not (log_id.isdecimal() and len(log_id) < 19):
        return ""
    log = workshop.invitation_logs.filter(pk=log_id).first()
    return log.note if log else ""


def _user(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required


def _send_page(
    request: HttpRequest,
    workshop: Workshop,
    form: InviteForm | None = None,
    *,
    typed: TypedCount | None = None,
    shown: InvitationLog | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, object] = {"workshop": workshop, "problem": problem}
    try:
        inviting.check(workshop, at=timezone.now())
    except inviting.Refused as refusal:
        context["problem"] = refusal.message
        context["way_on"] = WAYS_ON.get(type(refusal))
    else:
        context |= _offer(workshop, typed) | _letter(workshop, _role(request))
        context |= {"form": form or InviteForm(workshop), "shown": shown}
    return render(request, "invitations/send.html", context, status=status)


def _offer(workshop: Workshop, typed: TypedCount | None) -> dict[str, object]:
    live = {log.audience: log for log in _live_logs(workshop)}
    reaches = {audience: audiences.reach(workshop, audience) for audience in CHAPTER_AUDIENCES}
    cards = [
        Card(reach, live.get(audience), _to_type(workshop, reach, typed))
        for audience, reach in reaches.items()
    ]
    offered = [card for card in cards if card.is_offered]
    if offered:
        cards[cards.index(offered[-1])] = replace(offered[-1], is_primary=True)
    students, coaches, everybody = (reaches[audience].to_invite for audience in CHAPTER_AUDIENCES)
    rate = settings.MAIL_RATE_PER_SECOND
    return {
        "cards": cards,
        "is_offered": bool(offered),
        "live_logs": list(live.values()),
        "is_planned": any(log.status == LogStatus.SCHEDULED for log in live.values()),
        "everybody": everybody,
        "in_both": students + coaches - everybody,
        "rate": rate,
        "seconds": everybody / rate if rate else None,
    }


def _to_type(workshop: Workshop, reach: Reach, typed: TypedCount | None) -> TypedCount | None:
    """A field for the number where it is not usual, with what was typed into it."""
    why = sizes.why_type(workshop.chapter, reach.audience, letters=reach.to_invite)
    return count_to_type(reach.to_invite, why=why, typed=typed, prefix=reach.audience)


def _live_logs(workshop: Workshop) -> list[InvitationLog]:
    logs = workshop.invitation_logs.filter(action=Action.INVITE, status__in=LIVE_LOG_STATUSES)
    return list(logs.select_related("initiator").order_by("pk"))


def _letter(workshop: Workshop, role: Role) -> dict[str, object]:
    letters = [(each, mails.preview(workshop, role=each)) for each in Role]
    return {"role": role, "letters": letters, "sender": letters[0][1].sender}
