"""What the operations page shows: the readings of the last hours or days, releases and alerts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db.models import Count, DateTimeField, F, Func, Max, Q, QuerySet, Sum, Value, Window
from django.db.models.functions import Lag

from logs.models import (
    Alert,
    AuditRun,
    Heartbeat,
    Reading,
    Release,
    Tally,
)
from logs.services.tallies import SERVER_ERRORS

STEPS = 60
LATELY = timedelta(days=7)
LATELY_SHOWN = 10
SPANS = {
    "hours": ("3 hours", timedelta(minutes=3)),
    "day": ("24 hours", timedelta(minutes=24)),
    "week": ("week", timedelta(hours=3)),
}


@dataclass(frozen=True)
class Span:
    """The time that is looked at, in `STEPS` equal steps; the last one is not over yet."""

    begins_at: datetime
    step: timedelta

    @property
    def ends_at(self) -> datetime:
        return self.begins_at + STEPS * self.step

    def nr(self, at: datetime) -> int:
        """In which step this moment lies, from 0."""
        return (at - self.begins_at) // self.step


@dataclass(frozen=True)
class Step:
    """
    What the readings of a step say. Counts are of the whole step, the others the worst of it.

    Of a step without a `reading` nothing is known: nobody looked.
    """

    begins_at: datetime
    readings: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    smtp_ms: int = 0
    pending: int = 0
    oldest_due_seconds: float = 0
    server_errors: int = 0

    @property
    def letters_a_minute(self) -> float:
        return self.sent / self.readings if self.readings else 0

    @property
    def ms_a_letter(self) -> float:
        return self.smtp_ms / self.sent if self.sent else 0

    @property
    def minutes_overdue(self) -> float:
        return self.oldest_due_seconds / 60


@dataclass(frozen=True)
class WentLive:
    """From when on this release was at work, be it for the first time or again."""

    name: str
    at: datetime


def span(word: str, *, at: datetime) -> Span:
    """
    The span that ends with this moment's step; steps begin where they did a minute ago.

    :raises KeyError: when there is none of this name
    """
    _, step = SPANS[word]
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=at.weekday())
    begun = midnight + (at - midnight) // step * step
    return Span(begun - (STEPS - 1) * step, step)


def steps(span: Span) -> list[Step]:
    """Every step of the span, by two statements."""
    begins = [span.begins_at + nr * span.step for nr in range(STEPS)]
    read = _by_step(
        span,
        Reading.objects.filter(minute__gte=span.begins_at, minute__lt=span.ends_at),
        readings=Count("pk"),
        sent=Sum("sent"),
        failed=Sum("failed"),
        unknown=Sum("unknown"),
        smtp_ms=Sum("smtp_ms"),
        pending=Max("pending"),
        oldest_due_seconds=Max("oldest_due_seconds"),
    )
    errors = _by_step(
        span,
        Tally.objects.filter(
            name=SERVER_ERRORS, minute__gte=span.begins_at, minute__lt=span.ends_at
        ),
        server_errors=Sum("count"),
    )
    return [Step(begin, **read.get(begin, {}), **errors.get(begin, {})) for begin in begins]


def went_live(span: Span) -> list[WentLive]:
    """
    When releases began to be at work in this span: when one was first seen, and when the readings
    go back to an earlier one.
    """
    seen = [
        WentLive(release.name, release.seen_at)
        for release in Release.objects.filter(seen_at__gte=span.begins_at, seen_at__lt=span.ends_at)
    ]
    marks: list[WentLive] = []
    for mark in sorted([*seen, *_changes(span)], key=attrgetter("at")):
        if not marks or marks[-1].name != mark.name:
            marks.append(mark)
    return marks


@dataclass(frozen=True)
class Pulse:
    """When something that must go on by itself was last seen at work; never is `at` None."""

    at: datetime | None
    release: str
    is_silent: bool


def pulse(name: str, *, at: datetime) -> Pulse:
    beat = Heartbeat.objects.filter(name=name).first()
    if beat is None:
        return Pulse(None, "", is_silent=True)
    return Pulse(beat.at, beat.release, is_silent=at - beat.at > _silent_after())


def _silent_after() -> timedelta:
    return timedelta(seconds=settings.DEADMAN_SECONDS)


def current_alerts() -> QuerySet[Alert]:
    """What is wrong now: what cannot wait ("page") first, then in the order in which it began."""
    now = Alert.objects.filter(ended_at=None).select_related("log")
    return now.order_by("-severity", "began_at", "pk")


def past_alerts(*, at: datetime) -> QuerySet[Alert]:
    """What was wrong in the last days and is over, the latest first."""
    over = Alert.objects.filter(ended_at__gt=at - LATELY).select_related("log")
    return over.order_by("-ended_at", "-pk")[:LATELY_SHOWN]


def last_audit() -> AuditRun | None:
    return AuditRun.objects.exclude(finished_at=None).order_by("-pk").first()


def _changes(span: Span) -> Iterable[WentLive]:
    """Readings that another release wrote than the one before."""
    before = Reading.objects.filter(minute__lt=span.begins_at).order_by("-minute")
    first = before.values_list("minute", flat=True).first() or span.begins_at
    readings = Reading.objects.filter(minute__gte=first, minute__lt=span.ends_at)
    by_turns = readings.annotate(before=Window(Lag("release"), order_by="minute"))
    changed = by_turns.filter(~Q(release=F("before")), before__isnull=False)
    return [WentLive(name, at) for name, at in changed.values_list("release", "minute")]


def _by_step(span: Span, rows: QuerySet[Any], **sums: Any) -> dict[datetime, dict[str, Any]]:
    """These sums of each step that has rows, by its begin."""
    begin = Func(
        Value(span.step),
        F("minute"),
        Value(span.begins_at),
        function="date_bin",
        output_field=DateTimeField(),
    )
    found = rows.order_by().annotate(begins_at=begin).values("begins_at").annotate(**sums)
    return {row.pop("begins_at"): row for row in found}
