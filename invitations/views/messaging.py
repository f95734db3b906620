"""The page on which organisers write to the people of one workshop; no address is shown."""

from __future__ import annotations

from typing import cast

from csp.decorators import csp
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST

from chapters.models import Workshop
from invitations import mails
from invitations.forms.counts import TypedCount, count_to_type
from invitations.forms.sending import MessageForm
from invitations.queries import audiences
from invitations.queries.audiences import Reach
from invitations.services import inviting, messaging
from invitations.views import doors
from invitations.views.sending import LETTER_POLICY
from logs.models import Audience, InvitationLog
from members.models import Member


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Whom to write to, with the numbers, and what."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    reaches = _reaches(workshop)
    if request.method != "POST":
        form = MessageForm(reaches, initial={"audience": request.GET.get("to", "")})
        return _page(request, workshop, reaches, form)
    form = MessageForm(reaches, request.POST)
    if not form.is_valid():
        return _page(request, workshop, reaches, form, status=400)
    try:
        log = _send(request, workshop, form, seen_count=_seen(reaches, form))
    except inviting.MustBeTyped as refusal:
        form.add_error(None, refusal.message)
        typed = count_to_type(
            _letters(reaches, form), why=refusal.why, typed=TypedCount(request.POST)
        )
        return _page(request, workshop, reaches, form, typed=typed, status=409)
    except inviting.Refused as refusal:
        form.add_error(None, refusal.message)
        return _page(request, workshop, reaches, form, status=409)
    return redirect("invitation_log", workshop_id, log.pk)


@login_required
@require_POST
def write_test(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The message to whoever asks, and the page with what was typed."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    reaches = _reaches(workshop)
    form = MessageForm(reaches, request.POST)
    if not form.is_valid():
        return _page(request, workshop, reaches, form, status=400)
    messaging.send_test(
        workshop,
        subject=form.cleaned_data["subject"],
        text=form.cleaned_data["text"],
        initiator=_user(request),
        request_key=form.key_of("test"),
    )
    messages.success(request, f"A test letter is on its way to {_user(request).email}.")
    again = MessageForm(reaches, initial=_typed(form))
    return _page(request, workshop, reaches, again)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@xframe_options_sameorigin
@csp(LETTER_POLICY)  # type: ignore[arg-type]  # its types know no view with arguments
def write_letter(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """The message as people will get it, however far it is written."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    form = MessageForm(_reaches(workshop), request.POST)
    form.is_valid()
    typed = form.cleaned_data
    preview = mails.preview_message(
        workshop,
        audience=Audience(typed.get("audience", Audience.ATTENDING)),
        subject=typed.get("subject", "Your subject"),
        text=typed.get("text", "What you write is here."),
    )
    return HttpResponse(preview.html)


def _send(
    request: HttpRequest, workshop: Workshop, form: MessageForm, *, seen_count: int
) -> InvitationLog:
    audience = form.cleaned_data["audience"]
    return messaging.write_to(
        workshop,
        audience=audience,
        subject=form.cleaned_data["subject"],
        text=form.cleaned_data["text"],
        initiator=_user(request),
        at=timezone.now(),
        request_key=form.key_of("send"),
        seen_count=seen_count,
        typed_count=TypedCount(request.POST).count,
    )


def _seen(reaches: list[Reach], form: MessageForm) -> int:
    """What the page told, or else what it would tell now: a click never reaches unseen numbers."""
    return _letters(reaches, form) if form.seen_count is None else form.seen_count


def _letters(reaches: list[Reach], form: MessageForm) -> int:
    chosen = form.cleaned_data["audience"]
    return next(reach.to_invite for reach in reaches if reach.audience == chosen)


def _reaches(workshop: Workshop) -> list[Reach]:
    return [audiences.reach(workshop, audience) for audience in messaging.AUDIENCES]


def _typed(form: MessageForm) -> dict[str, object]:
    return {name: form.cleaned_data[name] for name in ("audience", "subject", "text")}


def _user(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required


def _page(
    request: HttpRequest,
    workshop: Workshop,
    reaches: list[Reach],
    form: MessageForm,
    *,
    typed: TypedCount | None = None,
    status: int = 200,
) -> HttpResponse:
    return render(
        request,
        "invitations/sending/write.html",
        {
            "workshop": workshop,
            "form": form,
            "typed": typed,
            "reaches": reaches,
            "is_offered": not workshop.is_cancelled and any(r.to_invite for r in reaches),
            "left_out": [reach for reach in reaches if reach.left_out],
        },
        status=status,
    )
