"""
The instruments, written down once a minute: what pictures are drawn from, and what counts on for
ever although the rows that were counted are forgotten one day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum

from logs import clock, instruments
from logs.models import EntryStatus, InvitationLogEntry, Reading, Tally

KEPT = timedelta(days=30)


def newest() -> Reading | None:
    return Reading.objects.order_by("-minute").first()


@transaction.atomic
def take() -> Reading | None:
    """
    This minute's reading, or nothing where there is one already. Forgets those of 30 days ago.

    `totals` are the counts since the first reading: `letters`, `smtp_ms`, `expired`, `failed`,
    `unknown`, and `tallies` by name; `at` is when they were read. The first reading has nothing to
    count from. One after a pause holds all of the pause.
    """
    at = clock.now()
    minute = at.replace(second=0, microsecond=0)
    if Reading.objects.filter(minute=minute).exists():
        return None
    before = Reading.objects.exclude(totals={}).order_by("-minute").first()
    lines = instruments.lines().values()
    totals = _totals(before, at=at)
    reading = Reading.objects.create(
        minute=minute,
        release=settings.RELEASE,
        pending=sum(line.pending for line in lines),
        sending=sum(line.sending for line in lines),
        oldest_due_seconds=max(line.overdue_seconds for line in lines),
        sent=_since(before, totals, "letters"),
        failed=_since(before, totals, "failed"),
        unknown=_since(before, totals, "unknown"),
        expired=_since(before, totals, "expired"),
        smtp_ms=_since(before, totals, "smtp_ms"),
        totals=totals,
    )
    Reading.objects.filter(minute__lt=at - KEPT).delete()
    return reading


def _totals(before: Reading | None, *, at: datetime) -> dict[str, Any]:
    passage = instruments.passage()
    totals: dict[str, Any] = {
        "at": at.isoformat(),
        "letters": passage.letters,
        "smtp_ms": passage.smtp_ms,
        "expired": passage.expired,
        "failed": 0,
        "unknown": 0,
        "tallies": {},
    }
    if before is None:
        return totals
    since = datetime.fromisoformat(before.totals["at"])
    for status, count in _not_delivered(after=since, until=at).items():
        totals[status] = before.totals[status] + count
    totals["tallies"] = _added(before.totals["tallies"], _tallies(since=before.minute, until=at))
    return totals


def _since(before: Reading | None, totals: dict[str, Any], name: str) -> int:
    return max(totals[name] - before.totals[name], 0) if before else 0


def _not_delivered(*, after: datetime, until: datetime) -> dict[str, int]:
    counts = dict(
        InvitationLogEntry.objects.filter(
            status__in=[EntryStatus.FAILED, EntryStatus.UNKNOWN],
            changed_at__gt=after,
            changed_at__lte=until,
        )
        .order_by()
        .values_list("status")
        .annotate(letters=Count("*"))
    )
    return {
        status.value: counts.get(status, 0) for status in (EntryStatus.FAILED, EntryStatus.UNKNOWN)
    }


def _tallies(*, since: datetime, until: datetime) -> dict[str, int]:
    """Of the whole minutes from one reading to the next."""
    this_minute = until.replace(second=0, microsecond=0)
    minutes = Tally.objects.filter(minute__gte=since, minute__lt=this_minute).order_by()
    return dict(minutes.values_list("name").annotate(all=Sum("count")))


def _added(totals: dict[str, int], counts: dict[str, int]) -> dict[str, int]:
    return totals | {name: totals.get(name, 0) + count for name, count in counts.items()}
