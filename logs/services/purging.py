"""
Cancelling letters that wait, whatever log they are in: after a batch that should not have been.

What has left, or is in hand, is never touched; a letter in hand that is given back waits again, and
another purge finds it. So whoever purges is told how many are in hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet

from chapters.models import Chapter, Workshop
from logs.models import Action, Activity, EntryStatus, InvitationLog, InvitationLogEntry
from members.models import Member

# The letters are locked while they are chosen, and then found by their ids alone. Right after a
# batch was prepared PostgreSQL believes that none waits: asked for their status again, it looks
# through all that wait for each of them, and 100,000 take more than a quarter of an hour.
_PURGE = """
    WITH purged AS (
        UPDATE logs_invitationlogentry
        SET status = 'cancelled', reason = %s, changed_at = now()
        WHERE id = ANY (ARRAY({chosen}))
        RETURNING log_id
    )
    SELECT log_id, count(*) FROM purged GROUP BY log_id
"""


class Refused(Exception):
    """Nothing was cancelled; `message` tells why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NobodyThere(Refused):
    """No letter that waits is meant."""

    def __init__(self) -> None:
        super().__init__("No letter that waits is meant, so nothing was cancelled.")


class MoreThanSeen(Refused):
    """Letters have come since somebody looked; `count` is how many are meant now."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(
            f"{count:,} letters are meant now, more than you saw, so nothing was cancelled."
        )


@dataclass(frozen=True)
class Which:
    """
    The letters that wait and for which all of this holds. What is not said holds of every letter.

    :param since: written down at this moment or later
    :param until: written down before this moment
    """

    log: InvitationLog | None = None
    workshop: Workshop | None = None
    chapter: Chapter | None = None
    action: Action | None = None
    since: datetime | None = None
    until: datetime | None = None

    def letters(self) -> QuerySet[InvitationLogEntry]:
        return self._of(EntryStatus.PENDING)

    def in_hand(self) -> int:
        """How many such letters a sender has now: they leave, or wait again when it is killed."""
        return self._of(EntryStatus.SENDING).count()

    def _of(self, status: EntryStatus) -> QuerySet[InvitationLogEntry]:
        said = {
            "log": self.log,
            "workshop": self.workshop,
            "action": self.action,
            "created_at__gte": self.since,
            "created_at__lt": self.until,
        }
        letters = InvitationLogEntry.objects.filter(
            status=status,
            **{field: value for field, value in said.items() if value is not None},
        )
        if self.chapter is not None:
            letters = letters.filter(
                Q(log__chapter=self.chapter) | Q(workshop__chapter=self.chapter)
            )
        return letters

    def first(self, most: int) -> list[InvitationLogEntry]:
        """Those that would leave first."""
        in_line = self.letters().order_by("priority", F("log").asc(nulls_last=True), "pk")
        return list(in_line.select_related("member", "log")[:most])

    def counted(self) -> dict[str, int]:
        """How many letters of each action."""
        rows = self.letters().order_by("action").values_list("action")
        return dict(rows.annotate(letters=Count("pk")))


@transaction.atomic
def purge(which: Which, *, at_most: int, reason: str, by: Member | None = None) -> int:
    """
    Cancel all of these letters that still wait, in one transaction.

    Their people count as not written to; what was sent stays as it is.

    :param at_most: how many somebody has seen and agreed to
    :param reason: stands at each letter and in the history, beside who did it
    :returns: how many letters were cancelled
    :raises NobodyThere: when no such letter waits
    :raises MoreThanSeen: when there are more than `at_most`
    """
    _lock_logs(which)
    purged = _cancel(which, reason=reason)
    count = sum(purged.values())
    if not count:
        raise NobodyThere
    if count > at_most:
        raise MoreThanSeen(count)
    _note(purged, by=by, remark=reason)
    return count


def about_those_in_hand(which: Which) -> str:
    """What to do about letters that a sender has now, and no purge cancels; "" without any."""
    count = which.in_hand()
    if not count:
        return ""
    letters = "1 letter is" if count == 1 else f"{count:,} letters are"
    return f"{letters} in hand: stop sending first, and purge again in a minute."


def _lock_logs(which: Which) -> None:
    """A log before its letters, as in every decision about both; in ascending id."""
    logs = which.letters().filter(log__isnull=False).order_by().values("log").distinct()
    locked = InvitationLog.objects.filter(pk__in=logs).select_for_update(no_key=True)
    list(locked.order_by("pk").values_list("pk"))


def _cancel(which: Which, *, reason: str) -> dict[int | None, int]:
    """How many letters of each log were cancelled; of no log under None."""
    letters = which.letters().select_for_update(no_key=True, of=("self",))
    chosen, values = letters.order_by().values_list("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_PURGE.format(chosen=chosen), [reason, *values])
        return dict(cursor.fetchall())


def _note(purged: dict[int | None, int], *, by: Member | None, remark: str) -> None:
    """A line for each log, so that it stands in the history of its chapter and workshop."""
    logs = InvitationLog.objects.in_bulk([log_id for log_id in purged if log_id is not None])
    Activity.objects.bulk_create(
        Activity(
            by=by,
            did=f"cancelled {_letters(count)} of {f'log {log_id}' if log_id else 'no log'}",
            remark=remark,
            chapter_id=logs[log_id].chapter_id if log_id else None,
            workshop_id=logs[log_id].workshop_id if log_id else None,
        )
        for log_id, count in purged.items()
    )


def _letters(count: int) -> str:
    return "1 letter that waited" if count == 1 else f"{count:,} letters that waited"
