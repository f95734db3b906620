"""What became of a click: the logs of a workshop, and what happened to each person."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from zlib import crc32

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from chapters.models import Chapter, Role, Workshop
from invitations.forms.logs import PeopleFilter
from invitations.models import Invitation
from invitations.views import doors
from logs.models import (
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from logs.queries import Progress, letters_per_second, obstacles, progress

PEOPLE_A_PAGE = 50
LOGS_A_PAGE = 20
POLL_SECONDS = 2
POLL_SECONDS_LATER = 10
OUTCOMES = (
    EntryStatus.SUCCESS,
    EntryStatus.SENDING,
    EntryStatus.PENDING,
    EntryStatus.FAILED,
    EntryStatus.UNKNOWN,
    EntryStatus.SKIPPED,
    EntryStatus.CANCELLED,
)
USUAL_ROLE: dict[str, str] = {Audience.STUDENTS: Role.STUDENT, Audience.COACHES: Role.COACH}
STOP_POLLING = 286  # htmx's own status: swap this, and ask no more


@login_required
@require_safe
def invitation_logs(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Every log of the workshop, the newest first, with its numbers."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    logs = workshop.invitation_logs.select_related("initiator").annotate(
        people=Count("entries"), **{status: _entries_with(status) for status in EntryStatus.values}
    )
    page = Paginator(logs.order_by("-pk"), LOGS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "invitations/logs.html", {"workshop": workshop, "page": page})


@login_required
@require_safe
def invitation_log(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """How far a log is, and each of its people with what happened."""
    log = _log(request, workshop_id, log_id)
    chosen = PeopleFilter(request.GET)
    chosen.is_valid()
    page = Paginator(chosen.people(log.entries.all()), PEOPLE_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = _state(request, log, chosen) | {"page": page, "people": _with_roles(log, page)}
    return render(request, "invitations/log.html", context)


@login_required
@require_safe
def log_progress(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """The numbers alone, for the page that asks again while letters leave."""
    log = _log(request, workshop_id, log_id)
    chosen = PeopleFilter(request.GET)
    chosen.is_valid()
    state = _state(request, log, chosen) | {"is_update": True}
    response = render(
        request,
        "invitations/_log_progress.html",
        state,
        status=200 if log.is_live else STOP_POLLING,
    )
    if "empty" in request.GET and log.status != LogStatus.PREPARING:
        response["HX-Refresh"] = "true"  # the page was opened before there were people to list
    return response


def _log(request: HttpRequest, workshop_id: int, log_id: int) -> InvitationLog:
    logs = InvitationLog.objects.filter(
        workshop__in=Workshop.objects.organised_by(request.user), workshop=workshop_id
    )
    return get_object_or_404(logs.select_related("workshop__chapter", "initiator"), pk=log_id)


def _entries_with(status: str) -> Count:
    return Count("entries", filter=Q(entries__status=status))


def _state(request: HttpRequest, log: InvitationLog, chosen: PeopleFilter) -> dict[str, object]:
    """Everything the moving part of the page says."""
    counts = progress(log)
    outcomes = _outcomes(log, counts, chosen)
    context: dict[str, object] = {
        "workshop": log.workshop,
        "log": log,
        "progress": counts,
        "sending": obstacles(Chapter.objects.filter(pk=log.chapter_id)) if log.is_live else None,
        "seconds_left": _seconds_left(log, counts),
        "filter": chosen,
        "outcomes": outcomes,
        "found": sum(people for _, _, people in outcomes),
    }
    words = render_to_string("invitations/_log_words.html", context)
    mark = str(crc32(words.encode()))
    opened_at = _opened_at(request)
    empty = {} if counts.audience else {"empty": "yes"}
    return context | {
        "words": words,
        "has_new_words": request.GET.get("words") != mark,
        "poll_seconds": _poll_seconds(opened_at),
        "poll": urlencode({"words": mark, "opened": opened_at} | empty | _narrowed(chosen)),
    }


def _seconds_left(log: InvitationLog, counts: Progress) -> float | None:
    if log.status != LogStatus.RUNNING or not counts.still_to_go:
        return None
    pace = letters_per_second(log)
    return counts.still_to_go / pace if pace else None


def _outcomes(
    log: InvitationLog, counts: Progress, chosen: PeopleFilter
) -> list[tuple[str, str, int]]:
    """Each outcome with its word and how many people, of those whose name is wanted."""
    if chosen.wanted_name:
        found = chosen.with_name(log.entries.all()).order_by().values_list("status")
        numbers = dict(found.annotate(people=Count("pk")))
    else:
        numbers = {status: getattr(counts, status) for status in EntryStatus.values}
    return [(status.value, status.label, numbers.get(status.value, 0)) for status in OUTCOMES]


def _narrowed(chosen: PeopleFilter) -> dict[str, str]:
    narrowed = {"show": chosen.shown, "name": chosen.wanted_name}
    return {field: value for field, value in narrowed.items() if value}


def _opened_at(request: HttpRequest) -> int:
    """When the page was opened that asks, in seconds since 1970; now, where it does not say."""
    opened = request.GET.get("opened", "")
    if opened.isdecimal() and len(opened) < 12:
        return int(opened)
    return int(timezone.now().timestamp())


def _poll_seconds(opened_at: int) -> int:
    is_patient = timezone.now().timestamp() - opened_at > timedelta(minutes=1).total_seconds()
    return POLL_SECONDS_LATER if is_patient else POLL_SECONDS


def _with_roles(
    log: InvitationLog, page: Page[InvitationLogEntry]
) -> list[tuple[InvitationLogEntry, str]]:
    """The entries of the page, each with the role they were invited as, in one query."""
    members = [entry.member_id for entry in page]
    invitations = Invitation.objects.filter(workshop=log.workshop_id, member__in=members)
    roles = dict(invitations.values_list("member", "role"))
    usual = USUAL_ROLE.get(log.audience, "")
    return [(entry, roles.get(entry.member_id, usual)) for entry in page]
