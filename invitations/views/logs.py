"""What became of a click: the logs of a workshop, and what happened to each person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zlib import crc32

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from chapters.models import Chapter, Role
from invitations import policies
from invitations.exports import csv_response
from invitations.forms.logs import CAME_BACK, POSSIBLE_DUPLICATES, PeopleFilter
from invitations.forms.once import OnceForm
from invitations.models import Invitation
from invitations.queries import audiences, overviews
from invitations.queries.doubts import why_not_again
from invitations.queries.operations import current_alerts
from invitations.services import inviting, repairing
from invitations.views import doors
from logs.models import (
    CHAPTER_AUDIENCES,
    LIVE_LOG_STATUSES,
    Action,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from logs.queries import (
    Progress,
    came_back,
    can_be_retried,
    did_come_back,
    letters_per_second,
    obstacles,
    progress,
    written_to_since,
)
from logs.services.steering import RETRIED_IN

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from members.models import Member

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
NOT_BEGUN = (LogStatus.SCHEDULED, LogStatus.PREPARING)
OTHER_LOGS = 5
ROWS_AT_A_TIME = 2000
USUAL_ROLE: dict[str, str] = {Audience.STUDENTS: Role.STUDENT, Audience.COACHES: Role.COACH}
STOP_POLLING = 286  # htmx's own status: swap this, and ask no more


@dataclass(frozen=True)
class Row:
    """One person of a log: what they come as, who wrote to them since, whether one may look."""

    entry: InvitationLogEntry
    role: str
    written_to_by: int | None
    has_page: bool


@login_required
@require_safe
def invitation_logs(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Every log of the workshop, the newest first, with its numbers."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    logs = workshop.invitation_logs.select_related("initiator").order_by("-pk")
    page = Paginator(logs, LOGS_A_PAGE).get_page(request.GET.get("page"))
    letters = overviews.letters_of_logs(list(page))
    is_ahead = not workshop.is_cancelled and not workshop.has_begun(timezone.now())
    return render(
        request,
        "invitations/logs.html",
        {
            "workshop": workshop,
            "page": page,
            "sent": [overviews.Sent(log, letters.get(log.pk, Counter())) for log in page],
            "is_ahead": is_ahead,
        },
    )


@login_required
@require_safe
def invitation_log(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """How far a log is, and each of its people with what happened."""
    log = doors.log_of_organiser(request, workshop_id, log_id)
    chosen = PeopleFilter(request.GET)
    chosen.is_valid()
    state = _state(request, log, chosen)
    people = Paginator(chosen.people(log.entries.prefetch_related("bounces")), PEOPLE_A_PAGE)
    if chosen.shown not in (POSSIBLE_DUPLICATES, CAME_BACK):
        people.count = state["shown"]  # the outcomes have counted them already
    page = people.get_page(request.GET.get("page"))
    context = state | {
        "page": page,
        "alerts": current_alerts().filter(log=log),
        "came_back": came_back(log.entries.all()).count(),
        "people": _rows(log, page, reader=request.user),
        "may_be_topped_up": _may_be_topped_up(log),
        "repairs": overviews.sent(log.repairs.all(), most=OTHER_LOGS),
        "may_be_repaired": log.action != Action.TEST and repairing.can_be_repaired(log),
        "others": _others(log),
    }
    return render(request, "invitations/log.html", context)


@login_required
@require_safe
def log_top_up(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """
    Whom the same button would invite now, and the button; empty where there is nobody.

    Asked for by the log's page, which need not wait for it: it goes through the whole audience.
    """
    log = doors.log_of_organiser(request, workshop_id, log_id)
    if not (log.workshop and _may_be_topped_up(log)):
        return HttpResponse()
    reach = audiences.reach(log.workshop, Audience(log.audience))
    retryable = can_be_retried(log) if log.status in RETRIED_IN else 0
    context = {"workshop": log.workshop, "reach": reach, "retryable": retryable, "once": OnceForm()}
    return render(request, "invitations/_log_top_up.html", context)


@require_safe
def log_progress(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """The numbers alone, for the page that asks again while letters leave."""
    if not request.user.is_authenticated:
        return _sign_in_again(request, workshop_id, log_id)
    log = doors.log_of_organiser(request, workshop_id, log_id)
    chosen = PeopleFilter(request.GET)
    chosen.is_valid()
    state = _state(request, log, chosen) | {"is_update": True}
    response = render(
        request,
        "invitations/_log_progress.html",
        state,
        status=200 if log.is_live else STOP_POLLING,
    )
    if "empty" in request.GET and log.status not in NOT_BEGUN:
        response["HX-Refresh"] = "true"  # the page was opened before there were people to list
    return response


@login_required
@require_safe
def log_csv(request: HttpRequest, workshop_id: int, log_id: int) -> StreamingHttpResponse:
    """What happened to each person of the page, however many: no address, and no formula."""
    log = doors.log_of_organiser(request, workshop_id, log_id)
    chosen = PeopleFilter(request.GET)
    chosen.is_valid()
    return csv_response(
        _outcome_rows(log, chosen.people(log.entries.all())), filename=f"log-{log.pk}.csv"
    )


def _sign_in_again(request: HttpRequest, workshop_id: int, log_id: int) -> HttpResponse:
    """The session ended while the page was open: the whole page goes to sign in, and comes back."""
    page = reverse("invitation_log", args=[workshop_id, log_id])
    answer = redirect_to_login(page)
    return HttpResponseClientRedirect(answer.url) if request.headers.get("HX-Request") else answer


def _state(request: HttpRequest, log: InvitationLog, chosen: PeopleFilter) -> dict[str, Any]:
    """Everything the moving part of the page says."""
    counts = progress(log)
    outcomes = _outcomes(log, counts, chosen)
    is_retried = log.status in RETRIED_IN and not log.forgotten_at
    context: dict[str, Any] = {
        "workshop": log.workshop,
        "is_retried": is_retried,
        "why_not_again": why_not_again(log, at=timezone.now()) if counts.unknown else "",
        "retryable": can_be_retried(log) if is_retried and counts.failed else 0,
        "log": log,
        "progress": counts,
        "needs_a_look": not log.forgotten_at and bool(counts.failed or counts.unknown),
        "sending": obstacles(Chapter.objects.filter(pk=log.chapter_id)) if log.is_live else None,
        "seconds_left": _seconds_left(log, counts),
        "filter": chosen,
        "outcomes": outcomes,
        "found": sum(people for _, _, people in outcomes),
        "shown": sum(people for status, _, people in outcomes if chosen.shown in ("", status)),
    }
    words = render_to_string("invitations/_log_words.html", context)
    mark = str(crc32(words.encode()))
    opened_at = _opened_at(request)
    empty = {} if counts.audience else {"empty": "yes"}
    marks = {"words": mark, "was": log.status, "opened": opened_at}
    return context | {
        "words": words,
        "has_new_words": request.GET.get("words") != mark,
        "has_new_status": request.GET.get("was") != log.status,
        "poll_seconds": _poll_seconds(opened_at),
        "poll": urlencode(marks | empty | _narrowed(chosen)),
        "narrowed": urlencode(_narrowed(chosen)),
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


def _rows(
    log: InvitationLog, page: Page[InvitationLogEntry], *, reader: Member | AnonymousUser
) -> list[Row]:
    """The people of the page, with three queries whatever their number."""
    members = [entry.member_id for entry in page]
    invitations = Invitation.objects.filter(workshop=log.workshop_id, member__in=members)
    roles = dict(invitations.values_list("member", "role"))
    usual = USUAL_ROLE.get(log.audience, "")
    since = written_to_since(list(page))
    visible = policies.members_visible_to(reader).filter(pk__in=members)
    with_page = set(visible.values_list("pk", flat=True))
    return [
        Row(e, roles.get(e.member_id, usual), since.get(e.pk), e.member_id in with_page)
        for e in page
    ]


def _outcome_rows(
    log: InvitationLog, entries: QuerySet[InvitationLogEntry]
) -> Iterator[tuple[object, ...]]:
    zone = log.chapter.time_zone
    invitation = Invitation.objects.filter(workshop=log.workshop_id, member=OuterRef("member"))
    found = entries.annotate(
        role=Subquery(invitation.values("role")[:1]), returned=did_come_back()
    ).values_list(
        *("member__name", "member__surname", "role", "status", "doubts", "returned"),
        *("reason", "changed_at"),
    )
    yield ("Name", "Role", "Outcome", "Reason", f"Moment ({zone})")
    for name, surname, role, status, doubts, returned, reason, at in found.iterator(ROWS_AT_A_TIME):
        yield (
            f"{name} {surname}".strip(),
            role or USUAL_ROLE.get(log.audience, ""),
            _outcome(EntryStatus(status), doubts=doubts, has_returned=returned),
            reason,
            f"{at.astimezone(zone):%Y-%m-%d %H:%M}",
        )


def _outcome(status: EntryStatus, *, doubts: int, has_returned: bool) -> str:
    if status == EntryStatus.SUCCESS and has_returned:
        return f"{status.label}, came back"
    if status == EntryStatus.SUCCESS and doubts:
        return f"{status.label}, possible duplicate"
    return str(status.label)


def _may_be_topped_up(log: InvitationLog) -> bool:
    """Whether the same button may be pressed again; not while a log of theirs has not ended."""
    workshop = log.workshop
    if workshop is None or log.action != Action.INVITE or log.audience not in CHAPTER_AUDIENCES:
        return False
    try:
        inviting.check(workshop, at=timezone.now())
    except inviting.Refused:
        return False
    return not workshop.invitation_logs.filter(
        action=Action.INVITE, audience=log.audience, status__in=LIVE_LOG_STATUSES
    ).exists()


def _others(log: InvitationLog) -> list[overviews.Sent]:
    """The newest other logs of the workshop."""
    logs = InvitationLog.objects.filter(workshop=log.workshop_id).exclude(pk=log.pk)
    return overviews.sent(logs, most=OTHER_LOGS)
