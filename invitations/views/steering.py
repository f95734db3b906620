"""What an organiser decides about a log: pause, resume, cancel, and what is tried again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from invitations import tasks
from invitations.forms.logs import CancelForm, PersonForm
from invitations.views import doors
from logs.models import EntryStatus, InvitationLog, InvitationLogEntry
from logs.queries import progress, written_to_since
from logs.services import steering
from members.models import Member

NAMED_AT_MOST = 5
WITHOUT_A_REASON = "An organiser cancelled it."
NOT_HERE = "This person is not in this log. Choose again."

Decision = Callable[[HttpRequest, InvitationLog, Member], None]
View = Callable[[HttpRequest, int, int], HttpResponse]


def _decides(decide: Decision) -> View:
    """
    A click on the page of a log: one decision, then the page again, with what came of it.

    Opened as a page, for instance after signing in again, it leads to the log.
    """

    @wraps(decide)
    def view(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
        log = doors.log_of_organiser(request, workshop_id, log_id)
        if request.method == "POST":
            try:
                decide(request, log, cast("Member", request.user))  # by login_required
            except steering.Refused as refusal:
                messages.warning(request, refusal.message)
            else:
                tasks.ring_for_all()
        return _back(request, log)

    return login_required(require_http_methods(["GET", "HEAD", "POST"])(view))


@_decides
def pause(request: HttpRequest, log: InvitationLog, by: Member) -> None:
    """No further letter leaves until somebody resumes the log."""
    steering.pause(log, by=by)
    messages.success(request, "Paused. The letters that wait leave when somebody resumes this.")


@_decides
def resume(request: HttpRequest, log: InvitationLog, by: Member) -> None:
    """The letters that wait leave."""
    steering.resume(log, by=by)
    messages.success(request, "The letters leave again.")


@_decides
def retry(request: HttpRequest, log: InvitationLog, by: Member) -> None:
    """Everybody whose letter failed, or the one person who was chosen, gets another try."""
    entry = _chosen(request, log)
    failed = log.entries.filter(status=EntryStatus.FAILED)
    if entry is not None:
        failed = failed.filter(pk=entry.pk)
    wanted = failed.count()
    left_out = steering.retry_failed(log, entries=None if entry is None else [entry], by=by)
    tried = max(wanted - len(left_out), 0)
    if not wanted:
        messages.info(request, "Nothing is left to try again.")
    elif tried:
        messages.success(request, f"{_letters(tried)} tried again.")
    for sentence in _why_left_out(left_out):
        messages.warning(request, sentence)


@_decides
def send_again(request: HttpRequest, log: InvitationLog, by: Member) -> None:
    """A letter in doubt leaves once more."""
    entry = _chosen_one(request, log)
    if steering.send_again(entry, by=by):
        messages.success(request, f"The letter to {entry.member.full_name} is sent again.")
    else:
        messages.info(request, f"The letter to {entry.member.full_name} is not in doubt any more.")


@_decides
def arrived(request: HttpRequest, log: InvitationLog, by: Member) -> None:
    """A letter in doubt arrived: somebody knows it."""
    entry = _chosen_one(request, log)
    if steering.take_as_arrived(entry, by=by):
        messages.success(request, f"Noted: the letter to {entry.member.full_name} arrived.")
    else:
        messages.info(request, f"The letter to {entry.member.full_name} is not in doubt any more.")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retry_letter(request: HttpRequest, workshop_id: int, entry_id: int) -> HttpResponse:
    """The letter to one person, of no log, gets another try; then the page of the workshop."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    letters = workshop.log_entries.filter(log=None).select_related("member", "workshop")
    entry = get_object_or_404(letters, pk=entry_id)
    if request.method == "POST":
        if steering.retry_single(entry, by=cast("Member", request.user)):
            tasks.ring_for_all()
            messages.success(request, f"The letter to {entry.member.full_name} is tried again.")
        else:
            messages.info(request, "Nothing is left to try again.")
    return redirect("organiser_workshop", workshop.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """How many letters would never leave; and the decision."""
    log = doors.log_of_organiser(request, workshop_id, log_id)
    if request.method != "POST":
        return _cancel_page(request, log, CancelForm()) if log.is_live else _back(request, log)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return _cancel_page(request, log, form, status=400)
    reason = form.cleaned_data["reason"] or WITHOUT_A_REASON
    try:
        cancelled = steering.cancel(log, reason=reason, by=cast("Member", request.user))
    except steering.Refused as refusal:
        messages.warning(request, refusal.message)
    else:
        messages.success(request, f"Cancelled. {_letters(cancelled)} not sent.")
    return _back(request, log)


def _cancel_page(
    request: HttpRequest, log: InvitationLog, form: CancelForm, *, status: int = 200
) -> HttpResponse:
    context = {"log": log, "workshop": log.workshop, "progress": progress(log), "form": form}
    return render(request, "invitations/log_cancel.html", context, status=status)


def _back(request: HttpRequest, log: InvitationLog) -> HttpResponse:
    """To the page of the log, narrowed as it was."""
    address = reverse("invitation_log", args=[log.workshop_id, log.pk])
    narrowed = request.GET.urlencode()
    return redirect(f"{address}?{narrowed}" if narrowed else address)


def _chosen(request: HttpRequest, log: InvitationLog) -> InvitationLogEntry | None:
    """
    Whom the click was about; nobody where it was about all.

    :raises steering.Refused: when it names nobody of this log
    """
    form = PersonForm(request.POST)
    if not form.is_valid():
        raise steering.Refused(NOT_HERE)
    wanted = form.cleaned_data["entry"]
    if wanted is None:
        return None
    entry = log.entries.select_related("member", "log").filter(pk=wanted).first()
    if entry is None:
        raise steering.Refused(NOT_HERE)
    return entry


def _chosen_one(request: HttpRequest, log: InvitationLog) -> InvitationLogEntry:
    entry = _chosen(request, log)
    if entry is None:
        raise steering.Refused(NOT_HERE)
    return entry


def _why_left_out(entries: list[InvitationLogEntry]) -> list[str]:
    """Who was not tried again, by name as long as they are few; the list names everybody."""
    since = written_to_since(entries)
    sentences = [
        f"{entry.member.full_name} was written to since by log {since[entry.pk]}."
        for entry in entries[:NAMED_AT_MOST]
        if entry.pk in since
    ]
    if len(entries) > NAMED_AT_MOST:
        more = len(entries) - NAMED_AT_MOST
        sentences.append(f"So {'was' if more == 1 else 'were'} {more} more; the list names them.")
    return sentences


def _letters(count: int) -> str:
    return "1 letter is" if count == 1 else f"{count:,} letters are"
