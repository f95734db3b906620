"""
The sweep: every SWEEP_SECONDS it finds whatever was lost, and nudges the workers.

It is why nothing depends on Redis: a bell that nobody heard is rung again from the ledger.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from invitations import tasks
from invitations.services import delivering
from logs import locks
from logs.models import EntryStatus, InvitationLog, InvitationLogEntry, LogStatus
from logs.services import holds, slots, steering

logger = logging.getLogger(__name__)


def sweep() -> None:
    """Settle, start, finish and ring. Only one process does so at a time; a second one leaves."""
    if not locks.try_sweep():
        return
    try:
        slots.provide(settings.MAIL_CONNECTIONS)
        settled = slots.settle_expired()
        if settled:
            logger.warning("settled %s expired leases", settled)
        for entry_id in slots.doubt_what_nobody_holds():
            logger.error("entry %s was being sent by nobody", entry_id)
        if steering.fail_what_cannot_be_read(InvitationLogEntry.objects.filter(log=None)):
            logger.error("single letters in an unknown state have failed")
        _ring_for_logs_that_wait()
        steering.finish_done()
        for log_id in steering.reopen_finished_with_letters_to_go():
            logger.error("log %s was finished with letters to go and runs again", log_id)
        delivering.probe_hold()
        _ring_for_letters_that_are_due()
    finally:
        locks.end_sweep()


def _ring_for_logs_that_wait() -> None:
    InvitationLog.objects.filter(status=LogStatus.SCHEDULED, send_at__lte=Now()).update(
        status=LogStatus.PREPARING
    )
    late = Now() - timedelta(seconds=settings.PREPARE_GRACE_SECONDS)
    for log_id in InvitationLog.objects.filter(
        status=LogStatus.PREPARING, created_at__lt=late
    ).values_list("pk", flat=True):
        tasks.ring_prepare(log_id)


def _ring_for_letters_that_are_due() -> None:
    if holds.current():
        return
    due = InvitationLogEntry.objects.filter(status=EntryStatus.PENDING, due_at__lte=Now())
    free = slots.free_count()
    for _ in range(min(free, due[:free].count())):
        tasks.ring()
