"""Saying sorry to the people of a log, or putting something right: what, to whom, how many, go."""

from __future__ import annotations

from typing import cast

from csp.decorators import csp
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods

from chapters.models import Workshop
from invitations import mails
from invitations.forms.counts import TypedCount, count_to_type
from invitations.forms.repairing import RepairForm
from invitations.forms.sending import SeenCount
from invitations.queries import sizes
from invitations.services import inviting, repairing
from invitations.views import doors
from invitations.views.sending import LETTER_POLICY
from logs.models import Action, InvitationLog
from members.models import Member


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def repair(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """
    What it says and whom it is for; then how many that are, to be confirmed; then it leaves.

    Nothing is kept between the pages: the second one carries what was typed on the first.
    """
    log = doors.log_of_organiser(request, workshop_id, log_id)
    if request.method != "POST":
        return _write(request, log, _form(request, log))
    form = _form(request, log, request.POST)
    if not form.is_valid():
        return _write(request, log, form, status=400)
    if "change" in request.POST:
        return _write(request, log, form)
    seen = SeenCount(request.POST)
    if "send" in request.POST and seen.is_valid() and seen.cleaned_data["seen_count"] is not None:
        return _send(request, log, form, seen_count=seen.cleaned_data["seen_count"])
    return _confirm(request, log, form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@xframe_options_sameorigin
@csp(LETTER_POLICY)  # type: ignore[arg-type]  # its types know no view with arguments
def repair_letter(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """The letter as people will get it, however far it is written."""
    log = doors.log_of_organiser(request, workshop_id, log_id)
    form = _form(request, log, request.POST)
    form.is_valid()
    typed = form.cleaned_data
    preview = _preview(
        log,
        action=Action(typed.get("action", Action.APOLOGY)),
        subject=typed.get("subject", ""),
        text=typed.get("text", "What you write is here."),
    )
    return HttpResponse(preview.html)


def _preview(log: InvitationLog, *, action: Action, subject: str, text: str) -> mails.Preview:
    workshop = cast("Workshop", log.workshop)  # by the door
    return mails.preview_repair(workshop, action=action, subject=subject, text=text)


def _form(request: HttpRequest, log: InvitationLog, typed: QueryDict | None = None) -> RepairForm:
    """Admins may name people one by one."""
    return RepairForm(log, typed, may_name=_user(request).is_superuser)


def _send(
    request: HttpRequest, log: InvitationLog, form: RepairForm, *, seen_count: int
) -> HttpResponse:
    try:
        made = repairing.repair(
            log,
            action=form.purpose,
            whom=form.whom,
            subject=form.cleaned_data["subject"],
            text=form.cleaned_data["text"],
            initiator=_user(request),
            request_key=form.key_of("send"),
            seen_count=seen_count,
            confirmed=TypedCount(request.POST).count,
        )
    except repairing.NeedsCount:
        return _confirm(request, log, form, typed=TypedCount(request.POST), status=409)
    except repairing.MoreThanSeen as refusal:
        return _confirm(request, log, form, problem=refusal.message, status=409)
    except inviting.Refused as refusal:
        form.add_error(None, refusal.message)
        return _write(request, log, form, status=409)
    return redirect("invitation_log", made.workshop_id, made.pk)


def _write(
    request: HttpRequest, log: InvitationLog, form: RepairForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "workshop": log.workshop,
        "log": log,
        "form": form,
        "refusal": _refusal(log),
    }
    return render(request, "invitations/repairing/write.html", context, status=status)


def _confirm(
    request: HttpRequest,
    log: InvitationLog,
    form: RepairForm,
    *,
    typed: TypedCount | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    try:
        reach = repairing.reach(log, action=form.purpose, whom=form.whom)
    except inviting.Refused as refusal:
        form.add_error(None, refusal.message)
        return _write(request, log, form, status=409)
    words = {name: form.cleaned_data[name] for name in ("subject", "text")}
    context = {
        "workshop": log.workshop,
        "log": log,
        "form": form,
        "reach": reach,
        "left_out": reach.subscribers - reach.to_invite,
        "subject": _preview(log, action=form.purpose, **words).subject,
        "text": words["text"],
        "is_apology": form.purpose == Action.APOLOGY,
        "typed": count_to_type(
            reach.to_invite, why=sizes.why_type_many(reach.to_invite), typed=typed
        ),
        "problem": problem,
    }
    return render(request, "invitations/repairing/confirm.html", context, status=status)


def _refusal(log: InvitationLog) -> str:
    try:
        repairing.check(log)
    except inviting.Refused as refusal:
        return refusal.message
    return ""


def _user(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required
