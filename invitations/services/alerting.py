"""
Does somebody have to look? Asked at the end of each sweep, rule by rule.

What a rule finds is raised, what it finds no more is over. A rule that breaks is logged and leaves
its alerts as they are. `docs/runbook.md` has a section for each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from invitations import tasks
from invitations.queries import watching
from invitations.services import preparing, telling
from logs import broker, clock, instruments
from logs.services import alerts, heartbeats, holds, tallies
from logs.services.alerts import Found

logger = logging.getLogger(__name__)

STALLED = timedelta(minutes=10)
QUEUE_AGE = timedelta(minutes=5)
FAILURE_RATE = 0.05
FEWEST_TRIED = 20  # of two letters, one that fails is half
FEWEST_FAILED = 5  # of single letters, or of a small batch of which none arrived
ERRORS_WITHIN = timedelta(minutes=5)
MOST_ERRORS = 5
AUDITED_WITHIN = timedelta(hours=26)  # every night, and two hours of patience
AUDIT_TAKES = timedelta(minutes=30)  # at most, from when it is asked for
BROKER_PERCENT = 80

# What a rule found of each kind that it looks at; a kind that is not there is not known.
Findings = Mapping[str, Mapping[str, Found]]


def watch() -> None:
    """Raise what is wrong, end what is over, and ring where something is to be told."""
    begun_at = clock.now()
    findings: dict[str, Mapping[str, Found]] = {}
    for look in RULES:
        try:
            findings |= look()
        except Exception:
            logger.exception("a rule of alerts broke: %s", look.__name__)
    alerts.settle(findings, as_of=begun_at)
    if telling.is_due():
        tasks.ring_tell()


def touch_deadman() -> None:
    """Whoever watches DEADMAN_FILE from outside sees by its age that the sweep is alive."""
    if not settings.DEADMAN_FILE:
        return
    try:
        Path(settings.DEADMAN_FILE).touch()
    except OSError as error:
        logger.warning("DEADMAN_FILE cannot be touched: %s", error.strerror)


def _lines() -> Findings:
    """A batch is late only while it stands still: a large one takes its time."""
    late, stalled = {}, {}
    still = {
        priority: head
        for priority, head in watching.heads_of_the_lines().items()
        if head.still_seconds > QUEUE_AGE.total_seconds()
    }
    lines = instruments.lines() if still else {}
    for priority, head in still.items():
        numbers = {
            "minutes": _minutes(head.still_seconds),
            "waiting": lines[priority].pending,
        }
        late[priority.label.lower()] = Found(numbers)
        if head.log_id and head.still_seconds > STALLED.total_seconds():
            stalled[str(head.log_id)] = Found(numbers, log_id=head.log_id)
    for log_id, minutes in watching.minutes_in_preparation(longer_than=STALLED).items():
        stalled[str(log_id)] = Found({"minutes": minutes, "waiting": 0}, log_id=log_id)
    return {"queue_age": late, "stalled_log": stalled}


def _failure_rates() -> Findings:
    rates = watching.failure_rates(
        above=FAILURE_RATE, at_least=FEWEST_TRIED, or_all_of=FEWEST_FAILED
    )
    singles = watching.failure_rates_of_single_letters(above=FAILURE_RATE, at_least=FEWEST_FAILED)
    found = {
        str(rate.log_id or "single"): Found(
            {
                "failed": rate.failed,
                "letters": rate.tried,
                "percent": round(100 * rate.failed / rate.tried),
            },
            log_id=rate.log_id,
        )
        for rate in (*rates, *singles)
    }
    return {"failure_rate": found}


def _letters_in_doubt() -> Findings:
    return {"in_doubt": _by_log(watching.letters_in_doubt())}


def _letters_given_up() -> Findings:
    return {"retries_exhausted": _by_log(watching.letters_given_up())}


def _logs_given_up() -> Findings:
    given_up = watching.logs_given_up(tries=preparing.MOST_TRIES)
    found = {
        str(log_id): Found({"tries": tries}, log_id=log_id) for log_id, tries in given_up.items()
    }
    return {"prepare_failed": found}


def _guarded() -> Findings:
    """Raised by the guard itself; over when the batch has begun again, or after a day."""
    found = {
        str(log_id): Found(numbers, log_id=log_id)
        for log_id, numbers in watching.guarded_logs().items()
    }
    return {"guard": found}


def _audit() -> Findings:
    """By kind and place: what nobody can repair must not hide what came later."""
    found = {
        broken.name: Found({"audit": broken.audit, "breaches": broken.breaches})
        for broken in watching.what_must_not_be()
    }
    return {"audit": found | _late_audit()}


def _late_audit() -> dict[str, Found]:
    last = watching.last_audits()
    if last is None or (last.silent <= AUDITED_WITHIN and last.open_for <= AUDIT_TAKES):
        return {}
    numbers = {
        "hours": int(last.silent / timedelta(hours=1)),
        "minutes": _minutes(last.open_for.total_seconds()),
    }
    return {"late": Found(numbers)}


def _server_errors() -> Findings:
    errors = tallies.counted(tallies.SERVER_ERRORS, since=timezone.now() - ERRORS_WITHIN)
    numbers = {"errors": errors, "minutes": _minutes(ERRORS_WITHIN.total_seconds())}
    return {"server_errors": _one(numbers, is_wrong=errors >= MOST_ERRORS)}


def _switch() -> Findings:
    """One that somebody turned off is meant to be off."""
    try:
        with transaction.atomic():
            is_there = watching.is_switch_there()
    except DatabaseError as error:
        logger.error("the switch cannot be read (%s)", type(error).__name__)  # noqa: TRY400 -- known
        is_there = False
    return {"switch": _one({}, is_wrong=not is_there)}


def _held() -> Findings:
    hold = holds.current()
    since = hold.since if hold else None
    seconds = (timezone.now() - since).total_seconds() if since else 0
    return {"held": _one({"minutes": _minutes(seconds)}, is_wrong=since is not None)}


def _silence() -> Findings:
    """Found out afterwards; `/deadman` and DEADMAN_FILE say it at the time."""
    silent = heartbeats.ages().get(heartbeats.SWEEP, timedelta()).total_seconds()
    is_wrong = silent >= settings.DEADMAN_SECONDS
    return {"sweep_silent": _one({"minutes": _minutes(silent)}, is_wrong=is_wrong)}


def _broker_memory() -> Findings:
    """A broker without a limit of its own is never full; one that does not answer is not known."""
    try:
        with broker.client() as client:
            memory = client.info("memory")
    except redis.RedisError as error:
        logger.warning("the broker did not say what it uses (%s)", type(error).__name__)
        return {}
    most = memory["maxmemory"]
    percent = round(100 * memory["used_memory"] / most) if most else 0
    return {"broker_memory": _one({"percent": percent}, is_wrong=percent > BROKER_PERCENT)}


def _one(numbers: Mapping[str, alerts.Number], *, is_wrong: bool) -> dict[str, Found]:
    """Of a kind of which there is one at most."""
    return {"": Found(numbers)} if is_wrong else {}


def _by_log(letters: Mapping[int | None, int]) -> dict[str, Found]:
    return {
        str(log_id or "single"): Found({"letters": count}, log_id=log_id)
        for log_id, count in letters.items()
    }


def _minutes(seconds: float) -> int:
    return int(seconds // 60)


RULES: list[Callable[[], Findings]] = [
    _lines,
    _failure_rates,
    _letters_in_doubt,
    _letters_given_up,
    _logs_given_up,
    _guarded,
    _audit,
    _server_errors,
    _switch,
    _held,
    _silence,
    _broker_memory,
]
