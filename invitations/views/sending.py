"""The page on which organisers invite: who would be written to, what they get, and the click."""

from __future__ import annotations

from dataclasses import dataclass
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
from django.views.decorators.http import require_safe

from chapters.models import Role, Workshop
from invitations import mails, queries
from invitations.forms.sending import SeenCount
from invitations.queries import Reach
from invitations.services import inviting
from invitations.views import doors
from logs.models import CHAPTER_AUDIENCES, LIVE_LOG_STATUSES, Action, Audience, InvitationLog
from members.models import Member

PEOPLE_A_PAGE = 50
LETTER_POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'self'"],
}


@dataclass(frozen=True)
class Card:
    """One button: whom it writes to, or the log that is writing to them already."""

    reach: Reach
    live_log: InvitationLog | None
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
    seen = SeenCount(request.POST)
    if not seen.is_valid():
        return _send_page(request, workshop, problem=str(seen.errors["seen_count"][0]), status=400)
    try:
        log = inviting.invite(
            workshop,
            audience=request.POST.get("for") or request.GET.get("for", ""),
            initiator=cast("Member", request.user),  # by login_required
            at=timezone.now(),
            seen_count=seen.cleaned_data["seen_count"],
        )
    except inviting.AlreadyRunning as refusal:
        messages.warning(request, refusal.message)
        log = refusal.log
    except inviting.UnknownAudience as refusal:
        return _send_page(request, workshop, problem=refusal.message, status=400)
    except inviting.Refused as refusal:
        return _send_page(request, workshop, problem=refusal.message, status=409)
    return redirect("invitation_log", workshop_id, log.pk)


@login_required
@require_safe
@xframe_options_sameorigin
@csp(LETTER_POLICY)  # type: ignore[arg-type]  # its types know no view with arguments
def letter(request: HttpRequest, workshop_id: int, role: str) -> HttpResponse:
    """The letter as it will be sent, with the styles that letters carry; nothing else may load."""
    if role not in Role.values:
        raise Http404
    preview = mails.preview(doors.workshop_of_organiser(request, workshop_id), role=Role(role))
    return HttpResponse(preview.html)


@login_required
@require_safe
def left_out(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The names of those whom a button would not write to, each with the reason."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    audience = request.GET.get("for", "")
    if audience not in CHAPTER_AUDIENCES:
        raise Http404
    reach = queries.reach(workshop, Audience(audience))
    chosen = request.GET.get("why", "")
    people = queries.left_out(workshop, Audience(audience))
    if chosen:
        people = people.filter(reason=chosen)
    return render(
        request,
        "invitations/left_out.html",
        {
            "workshop": workshop,
            "reach": reach,
            "people": reach.subscribers - reach.to_invite,
            "chosen": chosen,
            "page": Paginator(people, PEOPLE_A_PAGE).get_page(request.GET.get("page")),
        },
    )


def _send_page(
    request: HttpRequest, workshop: Workshop, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, object] = {"workshop": workshop, "problem": problem}
    try:
        inviting.check(workshop, at=timezone.now())
    except inviting.Refused as refusal:
        context["problem"] = refusal.message
    else:
        context |= _offer(workshop) | _letter(workshop, request.GET.get("as", ""))
    return render(request, "invitations/send.html", context, status=status)


def _offer(workshop: Workshop) -> dict[str, object]:
    live = {log.audience: log for log in _live_logs(workshop)}
    reaches = {audience: queries.reach(workshop, audience) for audience in CHAPTER_AUDIENCES}
    cards = [Card(reach, live.get(audience)) for audience, reach in reaches.items()]
    offered = [card for card in cards if card.is_offered]
    if offered:
        cards[cards.index(offered[-1])] = Card(offered[-1].reach, None, is_primary=True)
    students, coaches, everybody = (reaches[audience].to_invite for audience in CHAPTER_AUDIENCES)
    rate = settings.MAIL_RATE_PER_SECOND
    return {
        "cards": cards,
        "is_offered": bool(offered),
        "live_logs": list(live.values()),
        "everybody": everybody,
        "in_both": students + coaches - everybody,
        "rate": rate,
        "seconds": everybody / rate if rate else None,
    }


def _live_logs(workshop: Workshop) -> list[InvitationLog]:
    logs = workshop.invitation_logs.filter(action=Action.INVITE, status__in=LIVE_LOG_STATUSES)
    return list(logs.select_related("initiator").order_by("pk"))


def _letter(workshop: Workshop, role: str) -> dict[str, object]:
    shown = Role(role) if role in Role.values else Role.STUDENT
    return {"role": shown, "roles": Role, "letter": mails.preview(workshop, role=shown)}
