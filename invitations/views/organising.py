"""Where organisers begin: their chapters, what is coming up, and one workshop."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from operator import attrgetter

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chapters.models import Chapter, Workshop
from invitations import charts
from invitations.forms.once import OnceForm
from invitations.queries import attendance, audiences, overviews, statistics
from invitations.queries.operations import current_alerts
from invitations.queries.overviews import Outlook, Overview
from invitations.services import inviting
from invitations.views import doors
from logs.models import Action, Audience, InvitationLog, LogStatus
from logs.queries import failed_single_letters, obstacles

RECENT_LOGS = 5
SOON = 11
CHAPTERS_SHOWN = 6
NAMES_SHOWN = 10
MORNING, NOON, EVENING = 5, 12, 18


@login_required
@require_safe
def portal(request: HttpRequest) -> HttpResponse:
    """
    What is coming up, and what needs somebody; the same statements for any number of them.

    Everybody comes here from signing in, and who organises nothing goes on to their own page.
    """
    now = timezone.now()
    chapters = Chapter.objects.organised_by(request.user).order_by("name")
    workshops = Workshop.objects.organised_by(request.user)
    mine = list(chapters[: CHAPTERS_SHOWN + 1])
    if not mine and not workshops.exists():
        return redirect("chapters" if request.user.is_superuser else "dashboard")
    not_over = workshops.filter(ends_at__gt=now, cancelled_at=None)
    upcoming = not_over.select_related("chapter").order_by("starts_at", "pk")
    coming = overviews.outlooks(list(upcoming[:SOON]), at=now)
    nearest = [outlook.workshop.chapter for outlook in coming] + mine
    drawn = next((chapter for chapter in nearest if chapter in mine), None)
    return render(
        request,
        "invitations/portal.html",
        {
            "greeting": _greeting(nearest[0] if nearest else None, at=now),
            "coming": coming,
            "all_coming": upcoming.count(),
            "attention": sum(bool(outlook.needs) for outlook in coming),
            "sending": obstacles(_chapters(chapters, coming)),
            "sent": overviews.sent(
                InvitationLog.objects.filter(workshop__in=workshops), most=RECENT_LOGS
            ),
            "chapters": _with_people(mine[:CHAPTERS_SHOWN]),
            "has_more_chapters": len(mine) > CHAPTERS_SHOWN,
            "chapter": drawn,
            "attendance": _attendance(drawn, at=now),
            "now": now,
        },
    )


@login_required
@require_safe
def workshop(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Who is invited, who is coming, what was sent; and why nobody can be invited, if so."""
    found = doors.workshop_of_organiser(request, workshop_id)
    now = timezone.now()
    (overview,) = overviews.overviews([found])
    coming = list(overviews.coming(found)[:NAMES_SHOWN])
    failed_singles = failed_single_letters([found])
    chapters = Chapter.objects.organised_by(request.user).filter(pk=found.chapter_id)
    return render(
        request,
        "invitations/workshop.html",
        _state_of_inviting(found)
        | {
            "workshop": found,
            "overview": overview,
            "sending": obstacles(Chapter.objects.filter(pk=found.chapter_id)),
            "has_begun": found.has_begun(now),
            "alerts": current_alerts().filter(log__workshop=found),
            "coming": coming,
            "newcomers": attendance.newcomers(coming, workshop=found),
            "sent": overviews.sent(found.invitation_logs.all(), most=RECENT_LOGS),
            "is_to_be_told": _is_to_be_told(overview, at=now),
            "failed_singles": failed_singles.count(),
            "failed_letters": failed_singles.select_related("member").order_by("pk")[:NAMES_SHOWN],
            "sponsors": found.workshop_sponsors.filter(is_host=False).select_related("sponsor"),
            "organisers": found.organisers.order_by("name", "surname"),
            "is_of_my_chapter": chapters.exists(),
            "now": now,
        },
    )


def _state_of_inviting(workshop: Workshop) -> dict[str, object]:
    """Whether everyone eligible has been invited; who is missing, and why, if not."""
    reach = audiences.reach(workshop, Audience.EVERYONE)
    logs = list(workshop.invitation_logs.filter(action=Action.INVITE).order_by("-pk"))
    scheduled = [log for log in logs if log.status == LogStatus.SCHEDULED]
    live_log = next((log for log in logs if log.is_live and log not in scheduled), None)
    reached = {log.audience for log in logs if log.status == LogStatus.COMPLETED}
    return {
        "reach": reach,
        "people": reach.subscribers - reach.to_invite,
        "missing": _missing(workshop) if reach.to_invite else [],
        "more_missing": max(reach.to_invite - NAMES_SHOWN, 0),
        "once": OnceForm(),
        "is_top_up": live_log is None and _is_everybody(reached),
        "live_log": live_log,
        "scheduled": sorted(scheduled, key=attrgetter("send_at")),
        "refusal": _refusal(workshop),
    }


def _is_to_be_told(overview: Overview, *, at: datetime) -> bool:
    """Whether people reckon with a workshop that has moved since, and nobody has told them."""
    workshop = overview.workshop
    if workshop.is_cancelled or workshop.has_begun(at) or not workshop.sequence:
        return False
    if not overview.attending and not overview.waiting:
        return False
    told = workshop.invitation_logs.filter(action=Action.CHANGE, occasion=str(workshop.sequence))
    return not told.exists()


def _missing(workshop: Workshop) -> QuerySet[audiences.Invitee]:
    """The first of those who could be invited and are not, by name."""
    people = audiences.audience_of(workshop, Audience.EVERYONE).filter(reason="")
    return people.order_by("name", "surname", "pk")[:NAMES_SHOWN]


def _is_everybody(audiences: Collection[str]) -> bool:
    """Whether these buttons together write to the whole chapter."""
    return Audience.EVERYONE in audiences or {Audience.STUDENTS, Audience.COACHES} <= set(audiences)


def _refusal(workshop: Workshop) -> str:
    """Why nobody can be invited now; empty when they can."""
    try:
        inviting.check(workshop, at=timezone.now())
    except inviting.Refused as refusal:
        return refusal.message
    return ""


def _chapters(mine: QuerySet[Chapter], coming: list[Outlook]) -> QuerySet[Chapter]:
    """Mine, and those whose workshops I help with."""
    helped = [outlook.workshop.chapter_id for outlook in coming]
    return Chapter.objects.filter(Q(pk__in=mine.values("pk")) | Q(pk__in=helped))


def _with_people(chapters: list[Chapter]) -> list[tuple[Chapter, int]]:
    """Each of these chapters with how many people are subscribed, each person once."""
    counts = Chapter.objects.filter(pk__in=[chapter.pk for chapter in chapters]).annotate(
        people=Count("groups__members", distinct=True)
    )
    people = dict(counts.values_list("pk", "people"))
    return [(chapter, people[chapter.pk]) for chapter in chapters]


def _attendance(chapter: Chapter | None, *, at: datetime) -> charts.Attendance | None:
    return charts.attendance(statistics.last_year(chapter, at=at)) if chapter else None


def _greeting(chapter: Chapter | None, *, at: datetime) -> str:
    """As people greet each other now, by the clocks of the chapter."""
    if chapter is None:
        return "Hello"
    hour = at.astimezone(chapter.time_zone).hour
    if MORNING <= hour < NOON:
        return "Good morning"
    return "Good afternoon" if NOON <= hour < EVENING else "Good evening"
