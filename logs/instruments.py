"""
The ledger's instruments: how much waits, how long, and what has gone through.

Cheap however many letters were ever sent: each looks along an index at what is not over yet, or at
the few rows of slots. `readings` writes them down once a minute, `/metrics` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q, Sum

from logs.models import (
    Alert,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Priority,
    Slot,
)
from logs.services import slots


@dataclass(frozen=True)
class Line:
    """
    Letters of one priority that are still to go.

    `overdue_seconds` is how long the first in line could have left already; zero while it may
    not, since sending is stopped, held or paused.
    """

    pending: int
    sending: int
    overdue_seconds: float


@dataclass(frozen=True)
class Passage:
    """
    What the connections are doing, and what has ever gone through them: letters that the mail
    server took, the milliseconds it needed for them, and leases that ran out.
    """

    free: int
    busy: int
    letters: int
    smtp_ms: int
    expired: int


def lines() -> dict[Priority, Line]:
    """Of single letters and of bulk, in the order in which they leave."""
    pending, sending = _counts(EntryStatus.PENDING), _counts(EntryStatus.SENDING)
    return {
        priority: Line(
            pending=pending.get(priority, 0),
            sending=sending.get(priority, 0),
            overdue_seconds=_overdue_seconds(priority),
        )
        for priority in Priority
    }


def passage() -> Passage:
    """All slots together."""
    sums = Slot.objects.aggregate(
        free=Count("nr", filter=Q(token=None)),
        busy=Count("token"),
        letters=Sum("letters", default=0),
        smtp_ms=Sum("smtp_ms", default=0),
        expired=Sum("expired", default=0),
    )
    return Passage(**{name: int(value) for name, value in sums.items()})


def in_doubt() -> int:
    """Letters that wait for somebody to decide whether they arrived."""
    return InvitationLogEntry.objects.filter(status=EntryStatus.UNKNOWN).count()


def logs_by_state() -> dict[str, int]:
    """How many logs are in each state, those without any too."""
    found = InvitationLog.objects.order_by().values_list("status").annotate(logs=Count("*"))
    return dict.fromkeys(LogStatus.values, 0) | dict(found)


def alerts_by_kind() -> dict[str, int]:
    """Alerts that have not ended."""
    found = Alert.objects.filter(ended_at=None).order_by()
    return dict(found.values_list("kind").annotate(alerts=Count("*")))


def _counts(status: EntryStatus) -> dict[int, int]:
    letters = InvitationLogEntry.objects.filter(status=status).order_by()
    return dict(letters.values_list("priority").annotate(letters=Count("*")))


def _overdue_seconds(priority: Priority) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT extract(epoch FROM now() - e.due_at)
            FROM logs_invitationlogentry e
            LEFT JOIN logs_invitationlog l ON l.id = e.log_id
            LEFT JOIN chapters_workshop w ON w.id = e.workshop_id
            WHERE e.status = 'pending' AND e.due_at <= now() AND e.priority = %s
                AND {slots.IS_OPEN}
            ORDER BY e.priority, e.log_id, e.id
            LIMIT 1
            """,  # noqa: S608 -- made of constants
            [priority],
        )
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0
