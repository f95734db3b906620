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
    LIVE_LOG_STATUSES,
    TO_GO,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from logs.queries import live_letters_elsewhere
from logs.services import activities
from members.models import Member

FINISHED_FROM = (LogStatus.RUNNING, LogStatus.CANCELLED)
RETRIED_IN = (LogStatus.RUNNING, LogStatus.PAUSED, LogStatus.COMPLETED)
ARRIVED = "Somebody knows that it arrived."


class Refused(Exception):
    """This cannot be done to the log as it is now; `message` tells why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@transaction.atomic
def pause(log: InvitationLog, *, by: Member | None = None) -> None:
    """Let no further letter of this log leave. Pausing twice changes nothing."""
    if _move(log, LogStatus.PAUSED, allowed=(LogStatus.RUNNING,)):
        _note(f"paused log {log.pk}", log, by=by)


@transaction.atomic
def resume(log: InvitationLog, *, by: Member | None = None) -> None:
    """Carry on with a paused log, from the ledger: nobody is written to twice."""
    if _move(log, LogStatus.RUNNING, allowed=(LogStatus.PAUSED,)):
        _note(f"carried on with log {log.pk}", log, by=by)


@transaction.atomic
def cancel(log: InvitationLog, *, reason: str, by: Member | None = None) -> int:
    """
    Let no further letter of this log leave, for good.

    :returns: how many waiting letters were cancelled; letters in hand follow by themselves
    """
    is_new = _move(log, LogStatus.CANCELLED, allowed=LIVE_LOG_STATUSES)
    cancelled = log.entries.filter(status=EntryStatus.PENDING).update(
        status=EntryStatus.CANCELLED, reason=reason, changed_at=Now()
    )
    if is_new:
        _note(f"cancelled {_letters(cancelled)} of log {log.pk}", log, by=by, remark=reason)
    return cancelled


@transaction.atomic
def retry_failed(
    log: InvitationLog,
    *,
    entries: Iterable[InvitationLogEntry] | None = None,
    by: Member | None = None,
) -> list[InvitationLogEntry]:
    """
    Write again to those who failed, all or the given ones, and to nobody else.

    :returns: those left out because they have been invited since by another log; they stay failed
    :raises Refused: when the log was cancelled, or another one of the same audience is live
    """
    log = _locked_to_write_again(log)
    failed = log.entries.filter(status=EntryStatus.FAILED)
    if entries is not None:
        failed = failed.filter(pk__in=[entry.pk for entry in entries])
    if ids := _lock(failed.filter(~Exists(live_letters_elsewhere()))):
        _write_again(ids)
        _reopen(log)
        _note(f"tried {_letters(len(ids))} of log {log.pk} again", log, by=by)
    return list(failed.select_related("member"))


@transaction.atomic
def retry_single(entry: InvitationLogEntry, *, by: Member | None = None) -> bool:
    """
    Write again to one person whose letter of no log failed, such as a confirmation.

    :returns: whether it leaves again; one that has not failed any more is left as it is
    """
    if entry.workshop_id is not None:
        lock_workshop(entry.workshop_id)
    failed = InvitationLogEntry.objects.filter(pk=entry.pk, log=None, status=EntryStatus.FAILED)
    ids = _lock(failed.filter(~Exists(live_letters_elsewhere())))
    if ids:
        _write_again(ids)
        activities.note(
            "tried a single letter again", by=by, workshop=entry.workshop, member=entry.member
        )
    return bool(ids)


@transaction.atomic
def send_again(entry: InvitationLogEntry, *, by: Member | None = None) -> bool:
    """
    Write once more to somebody whose letter may have arrived.

    They may get it twice; that is for a person to decide, and never done by itself.

    :returns: whether it leaves again; one that is not in doubt any more is left as it is
    :raises Refused: when the log was cancelled, or another one of the same audience is live
    """
    if entry.log is None:
        return _single_again(entry, by=by)
    log = _locked_to_write_again(entry.log)
    ids = _lock(log.entries.filter(pk=entry.pk, status=EntryStatus.UNKNOWN))
    if ids:
        _write_again(ids)
        _reopen(log)
        _note(f"sent a letter in doubt of log {log.pk} again", log, by=by, member=entry.member)
    return bool(ids)


@transaction.atomic
def take_as_arrived(entry: InvitationLogEntry, *, by: Member | None = None) -> bool:
    """
    Settle a letter in doubt of which somebody knows that it arrived, in whatever log or in none.

    :returns: whether this call settled it; one that is not in doubt any more is left as it is
    """
    if entry.log:
        _locked(entry.log)
    if not _settle(InvitationLogEntry.objects.filter(pk=entry.pk)):
        return False
    if entry.log:
        did = f"said that a letter in doubt of log {entry.log.pk} arrived"
        _note(did, entry.log, by=by, member=entry.member)
    else:
        did = "said that a single letter in doubt arrived"
        activities.note(did, by=by, workshop=entry.workshop, member=entry.member)
    return True


@transaction.atomic
def send_all_again(log: InvitationLog, *, seen: int, by: Member | None = None) -> int:
    """
    Write once more to everybody of a log whose letter may have arrived.

    :param seen: how many they were when somebody decided it
    :returns: how many letters leave again; none where nothing is in doubt any more
    :raises Refused: when they are not so many, and where `send_again` is refused
    """
    log = _locked_to_write_again(log)
    ids = _lock(log.entries.filter(status=EntryStatus.UNKNOWN))
    if ids:
        _check_as_seen(len(ids), seen=seen)
        _write_again(ids)
        _reopen(log)
        _note(f"sent {_letters(len(ids))} in doubt of log {log.pk} again", log, by=by)
    return len(ids)


@transaction.atomic
def take_all_as_arrived(log: InvitationLog, *, seen: int, by: Member | None = None) -> int:
    """
    Settle every letter in doubt of a log: somebody knows that they arrived.

    :param seen: how many they were when somebody decided it
    :returns: how many were settled; none where nothing is in doubt any more
    :raises Refused: when they are not so many
    """
    settled = _settle(_locked(log).entries.all())
    if settled:
        _check_as_seen(settled, seen=seen)
        _note(f"said that {_letters(settled)} in doubt of log {log.pk} arrived", log, by=by)
    return settled


def why_not_again(log: InvitationLog) -> str:
    """Why nothing in this log can be tried again; "" where it can."""
    if log.status not in RETRIED_IN:
        return f"This log is {log.get_status_display()}, so nothing in it is tried again."
    if log.forgotten_at:
        return "Who this log wrote to is forgotten, so nothing in it is tried again."
    return ""


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


def _single_again(entry: InvitationLogEntry, *, by: Member | None) -> bool:
    if entry.workshop_id is not None:
        lock_workshop(entry.workshop_id)
    doubtful = InvitationLogEntry.objects.filter(log=None, status=EntryStatus.UNKNOWN)
    ids = _lock(doubtful.filter(pk=entry.pk))
    if ids:
        _write_again(ids)
        did = "sent a single letter in doubt again"
        activities.note(did, by=by, workshop=entry.workshop, member=entry.member)
    return bool(ids)


def _settle(entries: QuerySet[InvitationLogEntry]) -> int:
    return entries.filter(status=EntryStatus.UNKNOWN).update(
        status=EntryStatus.SUCCESS, is_settled=True, reason=ARRIVED, changed_at=Now()
    )


def _check_as_seen(letters: int, *, seen: int) -> None:
    if letters != seen:
        said = "1 letter is" if letters == 1 else f"{letters:,} letters are"
        raise Refused(f"{said} in doubt, and not {seen:,}. Nothing was decided.")


def _locked(log: InvitationLog) -> InvitationLog:
    return InvitationLog.objects.select_for_update(no_key=True).get(pk=log.pk)


def _locked_to_write_again(log: InvitationLog) -> InvitationLog:
    """The workshop first, as every batch does, then the log."""
    if log.workshop_id is not None:
        lock_workshop(log.workshop_id)
    log = _locked(log)
    if why := why_not_again(log):
        raise Refused(why)
    return log


def _lock(entries: QuerySet[InvitationLogEntry]) -> list[int]:
    """These entries, locked in the order in which batches insert."""
    rows = entries.order_by("member_id").select_for_update(no_key=True)
    return list(rows.values_list("pk", flat=True))


def _write_again(ids: list[int]) -> None:
    InvitationLogEntry.objects.filter(pk__in=ids).update(
        status=EntryStatus.PENDING, tries=0, due_at=Now(), changed_at=Now()
    )


def _move(log: InvitationLog, to: LogStatus, *, allowed: tuple[LogStatus, ...]) -> bool:
    """Whether this call moved the log; it may be there already."""
    current = _locked(log)
    if current.status == to:
        return False
    if LogStatus(current.status) not in allowed:
        raise Refused(
            f"This log is {current.get_status_display()}, so it cannot be {to.label} now."
        )
    InvitationLog.objects.filter(pk=log.pk).update(status=to)
    return True


def _reopen(log: InvitationLog) -> None:
    if log.status != LogStatus.COMPLETED:
        return
    try:
        with transaction.atomic():
            InvitationLog.objects.filter(pk=log.pk).update(
                status=LogStatus.RUNNING, finished_at=None
            )
    except IntegrityError as error:
        live = InvitationLog.objects.filter(
            workshop=log.workshop_id,
            chapter=log.chapter_id,
            audience=log.audience,
            action=log.action,
            occasion=log.occasion,
            status__in=LIVE_LOG_STATUSES,
        ).first()
        who = f"Log {live.pk} writes" if live else "Another log writes"
        raise Refused(f"{who} to the same people now. Wait until it is done.") from error


def _letters(count: int) -> str:
    return "1 letter" if count == 1 else f"{count} letters"


def _note(
    did: str,
    log: InvitationLog,
    *,
    by: Member | None,
    member: Member | None = None,
    remark: str = "",
) -> None:
    activities.note(
        did, by=by, chapter=log.chapter, workshop=log.workshop, member=member, remark=remark
    )
