"""
What a person should look at: it begins once, is told once, and ends by itself.

Here it is written down; `invitations.services.telling` tells it. Each kind has its section in
`docs/runbook.md`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from logs.models import Alert, InvitationLog, Severity

logger = logging.getLogger(__name__)

# An alert that comes back within this time has never been over: its end is not told before.
QUIET = timedelta(minutes=10)

Number = int | float


@dataclass(frozen=True)
class Kind:
    """
    How urgent an alert is, and its words. The sentence is filled in with the numbers.

    What is over within its `grace` is told to nobody: sending that has just been resumed finds
    letters that waited for an hour, and in the next moment they are gone.
    """

    severity: Severity
    title: str
    sentence: str
    grace: timedelta = timedelta()


@dataclass(frozen=True)
class Found:
    """Something that is wrong now, with its numbers and the log that it is about."""

    numbers: Mapping[str, Number] = field(default_factory=dict)
    log_id: int | None = None


KINDS = {
    "stalled_log": Kind(
        Severity.PAGE,
        "A batch stands still",
        "Log {log} has stood still for {minutes} minutes; letters that wait: {waiting}.",
        grace=timedelta(minutes=1),
    ),
    "failure_rate": Kind(
        Severity.PAGE,
        "Many letters of a batch fail",
        "Of {letters} letters of log {log} that were tried, {failed} failed: {percent} %.",
    ),
    "in_doubt": Kind(
        Severity.MAIL,
        "Letters are in doubt",
        "Letters of which nobody knows whether they arrived: {letters}.",
    ),
    "queue_age": Kind(
        Severity.PAGE,
        "Letters wait too long",
        "The first letter in line could have left {minutes} minutes ago; letters that wait:"
        " {waiting}.",
        grace=timedelta(minutes=1),
    ),
    "sweep_silent": Kind(
        Severity.PAGE,
        "The sweep was silent",
        "For {minutes} minutes no sweep had come to its end.",
    ),
    "guard": Kind(
        Severity.PAGE,
        "The guard stopped a batch",
        "Log {log} would have written to {letters} people: to more than it may, or to others."
        " Nobody was written to.",
    ),
    "audit": Kind(
        Severity.MAIL,
        "The audit found what must not be",
        "Audit {audit} found broken promises: {breaches} ({key}).",
    ),
    "server_errors": Kind(
        Severity.PAGE,
        "Pages fail",
        "Pages that ended with a server error within {minutes} minutes: {errors}.",
    ),
    "switch": Kind(
        Severity.PAGE,
        "The switch cannot be read",
        "The switch for all letters is missing or cannot be read; until then none leaves.",
    ),
    "held": Kind(
        Severity.PAGE,
        "The mail server refuses us",
        "All sending has waited for the mail server for {minutes} minutes.",
        grace=timedelta(minutes=2),
    ),
    "broker_memory": Kind(
        Severity.MAIL,
        "The broker is nearly full",
        "The broker uses {percent} % of the memory that it may use.",
    ),
    "retries_exhausted": Kind(
        Severity.MAIL,
        "Letters were given up",
        "Letters that failed however often they were tried: {letters}.",
    ),
    "prepare_failed": Kind(
        Severity.PAGE,
        "A batch could not be prepared",
        "Log {log} was given up after {tries} tries. Nobody was written to.",
    ),
}


# Where a key of a kind is about something else, its own words; the section is that of the kind.
OTHER_WORDS = {
    ("audit", "late"): Kind(
        Severity.MAIL,
        "No audit came to its end",
        "No audit has come to its end for {hours} hours; the one that was asked for is {minutes}"
        " minutes old.",
    ),
    ("failure_rate", "single"): Kind(
        Severity.PAGE,
        "Many single letters fail",
        "Of {letters} single letters that were tried within the hour, {failed} failed:"
        " {percent} %.",
    ),
}


def raise_alert(
    kind: str,
    *,
    key: str = "",
    log: InvitationLog | None = None,
    numbers: Mapping[str, Number] | None = None,
) -> None:
    """
    Something is wrong now. Said again, it is the same alert, seen again.

    Call it outside a transaction that will be undone.

    :param kind: one of `KINDS`
    :param key: what tells several of one kind apart; by itself the log's id
    :param numbers: what the sentence of its kind names, and never who
    :raises KeyError: when there is no such kind
    """
    log_id = log.pk if log else None
    _raise(kind, _key(key, log), Found(numbers or {}, log_id=log_id))


def end_alert(kind: str, *, key: str = "", log: InvitationLog | None = None) -> None:
    """It is over. What never began, or is over already, stays as it is."""
    _end(Alert.objects.filter(kind=kind, key=_key(key, log)))


def settle(findings: Mapping[str, Mapping[str, Found]], *, as_of: datetime) -> None:
    """
    These, by their keys, are all that was wrong of these kinds: every other of them is over.

    :param as_of: when somebody began to look, by `logs.clock`; what was raised since is not over
    """
    over = Q(pk__in=[])
    for kind, found in findings.items():
        over |= Q(kind=kind) & ~Q(key__in=found)
        for key, one in found.items():
            _raise(kind, key, one)
    _end(Alert.objects.filter(over, seen_at__lt=as_of))


def title(alert: Alert) -> str:
    """What is wrong, in a few words; an alert may be of a kind that only another release knows."""
    words = _words(alert.kind, alert.key)
    return words.title if words else alert.kind


def sentence(alert: Alert) -> str:
    """What is wrong, with its numbers: "The broker uses 91 % of the memory that it may use."."""
    words = _words(alert.kind, alert.key)
    numbers = alert.numbers | {"log": alert.log_id, "key": alert.key or "…"}
    return words.sentence.format_map(_Known(numbers)) if words else ""


def _words(kind: str, key: str) -> Kind | None:
    return OTHER_WORDS.get((kind, key)) or KINDS.get(kind)


class _Known(dict[str, object]):
    """A number that is missing is a gap in a sentence, and no reason to stay silent."""

    def __missing__(self, name: str) -> str:
        return "…"


def _key(key: str, log: InvitationLog | None) -> str:
    return key or (str(log.pk) if log else "")


def _raise(kind: str, key: str, found: Found) -> None:
    words = KINDS[kind]
    these = Alert.objects.filter(kind=kind, key=key)
    seen = {"seen_at": Now(), "numbers": dict(found.numbers)}
    if these.filter(ended_at__isnull=True).update(**seen) or _go_on(these, seen):
        return
    begun = Alert(
        kind=kind,
        key=key,
        severity=words.severity,
        log_id=found.log_id,
        numbers=dict(found.numbers),
        release=settings.RELEASE,
        began_at=Now(),
        seen_at=Now(),
        tell_at=Now() + words.grace,
    )
    Alert.objects.bulk_create([begun], ignore_conflicts=True)
    logger.error("alert %s %s began: %s", kind, key, dict(found.numbers))


def _go_on(alerts: QuerySet[Alert], seen: Mapping[str, object]) -> bool:
    """Whether it ended a moment ago only, and now has not."""
    lately = alerts.filter(ended_at__gt=Now() - QUIET)
    try:
        with transaction.atomic():
            return bool(lately.update(ended_at=None, tell_at=Now(), **seen))
    except IntegrityError:
        return True  # somebody else was quicker


def _end(alerts: QuerySet[Alert]) -> None:
    alerts = alerts.filter(ended_at__isnull=True)
    if not alerts.exists():
        return
    alerts.filter(
        tell_at__gt=Now(),
        tries=0,
        mailed_at__isnull=True,
        posted_at__isnull=True,
        paged_at__isnull=True,
    ).delete()
    if ended := alerts.update(ended_at=Now(), tries=0, tell_at=Now() + QUIET):
        logger.info("alerts that ended: %s", ended)
