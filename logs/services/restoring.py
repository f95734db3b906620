"""
After a backup was restored.

The ledger is then as it was when the backup was made. Whatever left since waits in it as if it had
never left, and would leave again. So a person says so once, before anything sends: all sending
stops, and what waits is in doubt, which the log's people or the provider's own log can decide.
"""

from __future__ import annotations

from django.db import connection, transaction

from logs.models import (
    LIVE_LOG_STATUSES,
    TO_GO,
    Activity,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
)
from logs.services import slots, switches

MAY_HAVE_LEFT = (
    "It waited when a backup was made, which was restored. It may have left since: look before you"
    " send it again."
)
STOPPED_BECAUSE = "A backup was restored."


def to_go() -> int:
    """How many letters the ledger believes to be waiting or in hand."""
    return InvitationLogEntry.objects.filter(status__in=TO_GO).count()


@transaction.atomic
def doubt_what_may_have_left() -> dict[int | None, int]:
    """
    Stop all sending, and put every letter in doubt that waits or is in hand; twice changes nothing
    more. What the cursor of a connection had passed did leave, and counts as sent.

    :returns: how many letters of each log are in doubt now and were not before; of no log under
        None
    """
    switches.stop(reason=STOPPED_BECAUSE)
    _lock_logs()
    _settle_everything_in_hand()
    doubted = _doubt()
    _note(doubted)
    return doubted


def _lock_logs() -> None:
    """A log before its letters, as in every decision about both; in ascending id."""
    live = InvitationLog.objects.filter(status__in=LIVE_LOG_STATUSES)
    list(live.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _settle_everything_in_hand() -> None:
    """Nobody who had a letter in hand then has it now, whatever the end of their lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE logs_slot SET until = now() - interval '1 second' WHERE token IS NOT NULL"
        )
    slots.settle_expired()
    slots.doubt_what_nobody_holds()


def _doubt() -> dict[int | None, int]:
    """One more doubt each, since a letter that is sent again may be the second one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH doubted AS (
                UPDATE logs_invitationlogentry
                SET status = %s, doubts = doubts + 1, reason = %s, changed_at = now()
                WHERE status = 'pending'
                RETURNING log_id
            )
            SELECT log_id, count(*) FROM doubted GROUP BY log_id ORDER BY log_id
            """,
            [EntryStatus.UNKNOWN, MAY_HAVE_LEFT],
        )
        return dict(cursor.fetchall())


def _note(doubted: dict[int | None, int]) -> None:
    """A line for each log, so that it stands in the history of its chapter and workshop."""
    logs = InvitationLog.objects.in_bulk([log_id for log_id in doubted if log_id is not None])
    Activity.objects.bulk_create(
        Activity(
            did=f"put {_letters(count)} of {f'log {log_id}' if log_id else 'no log'} in doubt",
            remark=STOPPED_BECAUSE,
            chapter_id=logs[log_id].chapter_id if log_id else None,
            workshop_id=logs[log_id].workshop_id if log_id else None,
        )
        for log_id, count in doubted.items()
    )


def _letters(count: int) -> str:
    return "1 letter that waited" if count == 1 else f"{count:,} letters that waited"
