"""The page on which organisers ask those who have not answered: how many, the letter, the click."""

from __future__ import annotations

from typing import cast

from csp.decorators import csp
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Role, Workshop
from invitations import mails
from invitations.forms.counts import TypedCount, count_to_type
from invitations.forms.once import OnceForm
from invitations.forms.sending import SeenCount
from invitations.queries import nudges, sizes
from invitations.services import inviting, nudging
from invitations.views import doors
from invitations.views.sending import LETTER_POLICY
from members.models import Member


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def nudge(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Whom the button asks, whom it does not, and the letter; by POST, the click."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    if request.method != "POST":
        return _page(request, workshop)
    form, seen = OnceForm(request.POST), SeenCount(request.POST)
    if not (form.is_valid() and seen.is_valid()):
        problem = str(next(iter((form.errors or seen.errors).values()))[0])
        return _page(request, workshop, problem=problem, status=400)
    typed = TypedCount(request.POST)
    try:
        log = nudging.nudge(
            workshop,
            initiator=cast("Member", request.user),  # by login_required
            at=timezone.now(),
            seen_count=_seen(workshop, told=seen.cleaned_data["seen_count"]),
            typed_count=typed.count,
            request_key=form.key,
        )
    except inviting.MustBeTyped as refusal:
        return _page(request, workshop, typed=typed, problem=refusal.message, status=409)
    except nudging.AlreadyAsking as refusal:
        messages.warning(request, refusal.message)
        log = refusal.log
    except inviting.Refused as refusal:
        return _page(request, workshop, problem=refusal.message, status=409)
    return redirect("invitation_log", workshop_id, log.pk)


@login_required
@require_safe
@xframe_options_sameorigin
@csp(LETTER_POLICY)  # type: ignore[arg-type]  # its types know no view with arguments
def nudge_letter(request: HttpRequest, workshop_id: int, role: str) -> HttpResponse:
    """The letter as it will be sent."""
    if role not in Role.values:
        raise Http404
    workshop = doors.workshop_of_organiser(request, workshop_id)
    return HttpResponse(mails.preview_nudge(workshop, role=Role(role)).html)


def _seen(workshop: Workshop, *, told: int | None) -> int:
    """What the page told, or else what it would tell now: a click never reaches unseen numbers."""
    return nudges.reach(workshop).to_invite if told is None else told


def _page(
    request: HttpRequest,
    workshop: Workshop,
    *,
    typed: TypedCount | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    refusal, reach = _refusal(workshop), nudges.reach(workshop)
    why = sizes.why_type(workshop.chapter, reach.audience, letters=reach.to_invite)
    return render(
        request,
        "invitations/sending/nudge.html",
        {
            "workshop": workshop,
            "reach": reach,
            "typed": count_to_type(reach.to_invite, why=why, typed=typed),
            "live_log": nudges.live_log(workshop),
            "form": OnceForm(),
            "problem": "" if problem == refusal else problem,
            "refusal": refusal,
            "roles": Role,
        },
        status=status,
    )


def _refusal(workshop: Workshop) -> str:
    """Why nobody can be asked now; empty when they can."""
    try:
        nudging.check(workshop, at=timezone.now())
    except inviting.Refused as refusal:
        return refusal.message
    return ""
