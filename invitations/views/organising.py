"""Where organisers begin: their chapters, what is coming up, and one workshop."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chapters.models import Chapter, Workshop
from invitations import overviews, queries
from invitations.overviews import Overview
from invitations.services import inviting
from invitations.views import doors
from logs.models import LIVE_LOG_STATUSES, Audience, InvitationLog
from logs.queries import obstacles

RECENT_LOGS = 5
SOON = 10


@dataclass(frozen=True)
class Coming:
    """An upcoming workshop, and what was sent for it so far."""

    overview: Overview
    letters: Counter[str]

    @property
    def workshop(self) -> Workshop:
        return self.overview.workshop

    @property
    def misses_a_venue(self) -> bool:
        return not self.workshop.is_virtual and self.overview.host is None

    @property
    def is_being_sent(self) -> bool:
        return bool(self.letters["pending"] or self.letters["sending"])

    @property
    def needs_attention(self) -> bool:
        letters = self.letters
        return not letters or bool(letters["failed"] or letters["unknown"]) or self.misses_a_venue


@login_required
@require_safe
def portal(request: HttpRequest) -> HttpResponse:
    """What is coming up, the next one with its numbers; the same statements for any length."""
    chapters = Chapter.objects.organised_by(request.user).order_by("name")
    if not chapters.exists():
        return render(request, "invitations/no_chapter.html")
    coming = _coming(request)
    return render(
        request,
        "invitations/portal.html",
        {
            "chapters": chapters.annotate(people=Count("groups__members", distinct=True)),
            "next": coming[0] if coming else None,
            "next_reach": _reach(coming[0].workshop) if coming else None,
            "after_that": coming[1 : 1 + SOON],
            "later": coming[1 + SOON :],
            "attention": sum(workshop.needs_attention for workshop in coming),
            "coming": coming,
            "sending": obstacles(chapters),
            "sent": overviews.sent(
                InvitationLog.objects.filter(chapter__in=chapters, workshop__isnull=False),
                most=RECENT_LOGS,
            ),
            "now": timezone.now(),
        },
    )


@login_required
@require_safe
def workshop(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """Who is invited, who is coming, what was sent; and why nobody can be invited, if so."""
    found = doors.workshop_of_organiser(request, workshop_id)
    now = timezone.now()
    (overview,) = overviews.overviews([found])
    reach = _reach(found)
    return render(
        request,
        "invitations/workshop.html",
        {
            "workshop": found,
            "overview": overview,
            "reach": reach,
            "people": reach.subscribers - reach.to_invite,
            "live_log": _live_log(found),
            "refusal": _refusal(found),
            "sending": obstacles(Chapter.objects.filter(pk=found.chapter_id)),
            "has_begun": found.has_begun(now),
            "coming": overviews.coming(found),
            "sent": overviews.sent(found.invitation_logs.all(), most=RECENT_LOGS),
            "now": now,
        },
    )


def _coming(request: HttpRequest) -> list[Coming]:
    workshops = list(
        Workshop.objects.organised_by(request.user)
        .upcoming(timezone.now())
        .select_related("chapter")
        .order_by("starts_at", "pk")
    )
    letters = overviews.letters_of_workshops(workshops)
    return [
        Coming(overview, letters.get(overview.workshop.pk, Counter()))
        for overview in overviews.overviews(workshops)
    ]


def _live_log(workshop: Workshop) -> InvitationLog | None:
    """The newest log that still has something to do."""
    live = workshop.invitation_logs.filter(status__in=LIVE_LOG_STATUSES)
    return live.order_by("-pk").first()


def _reach(workshop: Workshop) -> queries.Reach:
    return queries.reach(workshop, Audience.EVERYONE)


def _refusal(workshop: Workshop) -> str:
    """Why nobody can be invited now; empty when they can."""
    try:
        inviting.check(workshop, at=timezone.now())
    except inviting.Refused as refusal:
        return refusal.message
    return ""
