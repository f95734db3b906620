"""
The sweep: every SWEEP_SECONDS it finds whatever was lost, nudges the workers, and begins what
leaves by itself.

It is why nothing depends on Redis: a bell that nobody heard is rung again from the ledger.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from invitations import tasks
from invitations.services import alerting, auditing, delivering, feedback, reminding
from logs import locks
from logs.models import EntryStatus, InvitationLog, InvitationLogEntry, LogStatus
from logs.services import heartbeats, holds, readings, slots, steering

logger = logging.getLogger(__name__)


def sweep() -> None:
    """
    Settle, start, finish and ring. Only one process does so at a time; a second one leaves.

    A step that breaks is logged and the others go on, but then the sweep has not come to its end:
    whoever watches it hears of that. Without its connection it has lost its lock, and stops.
    """
    if not locks.try_sweep():
        return
    try:
        broken = [step for step in STEPS if not _goes_well(step)]
        if not broken:
            heartbeats.beat(heartbeats.SWEEP)
            alerting.touch_deadman()
    finally:
        locks.end_sweep()


def _goes_well(step: Callable[[], object]) -> bool:
    try:
        step()
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("a step of the sweep broke: %s", step.__name__)
        return False
    return True


def _provide_slots() -> None:
    slots.provide(settings.MAIL_CONNECTIONS)


def _settle_what_expired() -> None:
    settled = slots.settle_expired()
    if settled:
        logger.warning("settled %s expired leases", settled)


def _doubt_what_nobody_holds() -> None:
    for entry_id in slots.doubt_what_nobody_holds():
        logger.error("entry %s was being sent by nobody", entry_id)


def _fail_what_cannot_be_read() -> None:
    if steering.fail_what_cannot_be_read(InvitationLogEntry.objects.filter(log=None)):
        logger.error("single letters in an unknown state have failed")


def _ring_for_logs_that_wait() -> None:
    InvitationLog.objects.filter(status=LogStatus.SCHEDULED, send_at__lte=Now()).update(
        status=LogStatus.PREPARING
    )
    late = Now() - timedelta(seconds=settings.PREPARE_GRACE_SECONDS)
    for log_id in InvitationLog.objects.filter(
        status=LogStatus.PREPARING, created_at__lt=late
    ).values_list("pk", flat=True):
        tasks.ring_prepare(log_id)


def _reopen_finished_with_letters_to_go() -> None:
    for log_id in steering.reopen_finished_with_letters_to_go():
        logger.error("log %s was finished with letters to go and runs again", log_id)


def _ring_for_letters_that_are_due() -> None:
    if holds.current():
        return
    due = InvitationLogEntry.objects.filter(status=EntryStatus.PENDING, due_at__lte=Now())
    free = slots.free_count()
    for _ in range(min(free, due[:free].count())):
        tasks.ring()


def _remind() -> None:
    reminding.remind_where_due(timezone.now())


def _ask_for_feedback() -> None:
    feedback.ask_where_due(timezone.now())


def _look_whether_all_is_well() -> None:
    if not heartbeats.is_turn(heartbeats.WATCH, every=settings.WATCH_SECONDS):
        return
    try:
        readings.take()
    finally:
        alerting.watch()


STEPS: list[Callable[[], object]] = [
    _provide_slots,
    _settle_what_expired,
    _doubt_what_nobody_holds,
    _fail_what_cannot_be_read,
    _ring_for_logs_that_wait,
    steering.finish_done,
    _reopen_finished_with_letters_to_go,
    delivering.probe_hold,
    _ring_for_letters_that_are_due,
    _remind,
    _ask_for_feedback,
    auditing.ring_for_what_was_asked,
    _look_whether_all_is_well,
]
