"""The mail server refuses us: sending waits, probes, and carries on by itself."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from logs.models import Hold

LONGEST_PROBE_INTERVAL = timedelta(minutes=5)


def current() -> Hold | None:
    """The hold, or nothing while letters may leave."""
    return Hold.objects.filter(since__isnull=False).first()


def hold(*, reason: str) -> bool:
    """
    Stop every sender until the mail server answers again.

    :returns: whether this call began the hold; the first reason is the one that is kept
    """
    began = Hold.objects.filter(since__isnull=True).update(
        since=Now(),
        reason=reason,
        probes=0,
        next_probe_at=Now() + timedelta(seconds=settings.HOLD_PROBE_SECONDS),
    )
    return bool(began)


def take_probe() -> bool:
    """Whether this process may ask the mail server now. Only one is told so, each time."""
    due = Hold.objects.filter(since__isnull=False, next_probe_at__lte=Now())
    row = due.values("probes").first()
    if row is None:
        return False
    wait = min(
        timedelta(seconds=settings.HOLD_PROBE_SECONDS * 2 ** min(row["probes"] + 1, 20)),
        LONGEST_PROBE_INTERVAL,
    )
    taken = due.filter(probes=row["probes"]).update(
        probes=F("probes") + 1, next_probe_at=Now() + wait
    )
    return bool(taken)


def lift() -> None:
    """The mail server answers again."""
    Hold.objects.filter(since__isnull=False).update(since=None, reason="", next_probe_at=None)


def next_probe_in(hold: Hold) -> timedelta:
    """How long until the mail server is asked again; zero when that is due."""
    if hold.next_probe_at is None:
        return timedelta()
    return max(hold.next_probe_at - timezone.now(), timedelta())
