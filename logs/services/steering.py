"""
What a person, or the sweep, decides about a log as a whole.

Each decision locks the log row first and decides in the *next* statement: after a lock wait
PostgreSQL looks again at the locked row only, so one statement that also counts entries could
close a log that a retry has just filled.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Now

from logs.locks import lock_workshop
from logs.models import (
    LIVE_ENTRY_STATUSES,
    LIVE_LOG_STATUSES,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)

TO_GO = (EntryStatus.PENDING, EntryStatus.SENDING)
FINISHED_FROM = (LogStatus.RUNNING, LogStatus.CANCELLED)
RETRIED_IN = (LogStatus.RUNNING, LogStatus.PAUSED, LogStatus.COMPLETED)


class Refused(Exception):
    """This cannot be done to the log as it is now; `message` tells why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@transaction.atomic
def pause(log: InvitationLog) -> None:
    """Let no further letter of this log leave. Pausing twice changes nothing."""
    _move(log, LogStatus.PAUSED, allowed=(LogStatus.RUNNING,))


@transaction.atomic
def resume(log: InvitationLog) -> None:
    """Carry on with a paused log, from the ledger: nobody is written to twice."""
    _move(log, LogStatus.RUNNING, allowed=(LogStatus.PAUSED,))


@transaction.atomic
def cancel(log: InvitationLog, *, reason: str) -> int:
    """
    Let no further letter of this log leave, for good.

    :returns: how many waiting letters were cancelled; letters in hand follow by themselves
    """
    _move(log, LogStatus.CANCELLED, allowed=LIVE_LOG_STATUSES)
    return log.entries.filter(status=EntryStatus.PENDING).update(
        status=EntryStatus.CANCELLED, reason=reason, changed_at=Now()
    )


@transaction.atomic
def retry_failed(
    log: InvitationLog, *, entries: Iterable[InvitationLogEntry] | None = None
) -> list[InvitationLogEntry]:
    """
    Write again to those who failed, all or the given ones, and to nobody else.

    :returns: those left out because they have been invited since by another log; they stay failed
    :raises Refused: when the log was cancelled, or another one of the same audience is live
    """
    if log.workshop_id is not None:
        lock_workshop(log.workshop_id)
    log = _locked(log)
    if log.status not in RETRIED_IN:
        raise Refused(f"This log is {log.get_status_display()}, so nothing in it is tried again.")
    failed = log.entries.filter(status=EntryStatus.FAILED)
    if entries is not None:
        failed = failed.filter(pk__in=[entry.pk for entry in entries])
    free = failed.filter(~Exists(_live_letters_elsewhere())).order_by("member_id")
    ids = list(free.select_for_update(no_key=True).values_list("pk", flat=True))
    InvitationLogEntry.objects.filter(pk__in=ids, status=EntryStatus.FAILED).update(
        status=EntryStatus.PENDING, tries=0, due_at=Now(), changed_at=Now()
    )
    if ids:
        _reopen(log)
    return list(failed.select_related("member"))


def finish(log_id: int) -> bool:
    """
    Close a log when nobody in it is left to write to.

    :returns: whether this call closed it
    """
    with transaction.atomic():
        log = InvitationLog.objects.select_for_update(no_key=True).get(pk=log_id)
        if log.finished_at or log.status not in FINISHED_FROM:
            return False
        if log.status == LogStatus.CANCELLED:
            _cancel_what_was_given_back(log)
        if log.entries.filter(status__in=TO_GO).exists():
            return False
        fail_what_cannot_be_read(log.entries.all())
        changes: dict[str, object] = {"finished_at": Now()}
        if log.status == LogStatus.RUNNING:
            changes["status"] = LogStatus.COMPLETED
        InvitationLog.objects.filter(pk=log_id).update(**changes)
        return True


def finish_done() -> None:
    """Close every log in which nobody is left to write to."""
    entries = InvitationLogEntry.objects.filter(log=OuterRef("pk"))
    to_go = Exists(entries.filter(status__in=TO_GO))
    in_hand = Exists(entries.filter(status=EntryStatus.SENDING))
    done = InvitationLog.objects.filter(
        Q(status=LogStatus.RUNNING) & ~to_go | Q(status=LogStatus.CANCELLED) & ~in_hand,
        finished_at__isnull=True,
    )
    for log_id in done.values_list("pk", flat=True):
        finish(log_id)


def fail_what_cannot_be_read(entries: QuerySet[InvitationLogEntry]) -> int:
    """
    Entries in a state that we do not know fail, with that state as the reason.

    The database refuses such a state; so it should never happen.
    """
    return entries.exclude(status__in=EntryStatus.values).update(
        status=EntryStatus.FAILED,
        lease=None,
        reason=Concat(
            Value("The ledger said “"), "status", Value("” about this letter, which means nothing.")
        ),
        changed_at=Now(),
    )


def reopen_finished_with_letters_to_go() -> list[int]:
    """
    Completed logs that still have letters to send are running again.

    It should never happen; should it, people matter more than a tidy log.

    :returns: their ids
    """
    to_go = InvitationLogEntry.objects.filter(log=OuterRef("pk"), status__in=TO_GO)
    reopened = []
    for log in InvitationLog.objects.filter(Exists(to_go), status=LogStatus.COMPLETED):
        try:
            with transaction.atomic():
                _reopen(_locked(log))
        except Refused:
            continue  # another log of this audience is live; the next sweep tries again
        reopened.append(log.pk)
    return reopened


def _cancel_what_was_given_back(log: InvitationLog) -> None:
    """A sender that gave letters back while `cancel` was not committed left them waiting."""
    log.entries.filter(status=EntryStatus.PENDING).update(
        status=EntryStatus.CANCELLED, changed_at=Now()
    )


def _locked(log: InvitationLog) -> InvitationLog:
    return InvitationLog.objects.select_for_update(no_key=True).get(pk=log.pk)


def _move(log: InvitationLog, to: LogStatus, *, allowed: tuple[LogStatus, ...]) -> None:
    current = _locked(log)
    if current.status == to:
        return
    if LogStatus(current.status) not in allowed:
        raise Refused(
            f"This log is {current.get_status_display()}, so it cannot be {to.label} now."
        )
    InvitationLog.objects.filter(pk=log.pk).update(status=to)


def _reopen(log: InvitationLog) -> None:
    if log.status != LogStatus.COMPLETED:
        return
    try:
        with transaction.atomic():
            InvitationLog.objects.filter(pk=log.pk).update(
                status=LogStatus.RUNNING, finished_at=None
            )
    except IntegrityError as error:
        live = InvitationLog.objects.get(
            workshop=log.workshop_id,
            chapter=log.chapter_id,
            audience=log.audience,
            action=log.action,
            occasion=log.occasion,
            status__in=LIVE_LOG_STATUSES,
        )
        raise Refused(
            f"Log {live.pk} writes to the same people now. Wait until it is done."
        ) from error


def _live_letters_elsewhere() -> QuerySet[InvitationLogEntry]:
    return InvitationLogEntry.objects.filter(
        workshop=OuterRef("workshop"),
        member=OuterRef("member"),
        action=OuterRef("action"),
        occasion=OuterRef("occasion"),
        status__in=LIVE_ENTRY_STATUSES,
    )
