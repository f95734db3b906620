"""
Slots, leases and cursors: the part of the delivery protocol that only the ledger knows.

A slot is the place of one SMTP connection. Whoever takes it gets a token; entries in hand carry
that token as their lease. Before each letter the slot's cursor moves onto it, in one commit. So
after a crash everything before the cursor was accepted, the letter at the cursor is in doubt, and
everything after it is untouched. `docs/delivery.md` tells it in full.

Every statement is harmless when repeated: it names states and absolute values, and its token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from logs.models import REPAIRS, Action
from logs.services.combining import Combiner

# `e` is an entry, `l` its log and `w` its workshop, if they have one. A global switch that is
# missing means off, and so does one that cannot be read: the statement fails and nothing is sent.
IS_OPEN = """
    EXISTS (SELECT FROM logs_switch s WHERE s.chapter_id IS NULL AND s.is_on)
    AND NOT EXISTS (SELECT FROM logs_hold h WHERE h.since IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM logs_switch s
        WHERE NOT s.is_on AND s.chapter_id = coalesce(l.chapter_id, w.chapter_id)
    )
    AND (e.log_id IS NULL OR l.status = 'running')
"""

# Of MAIL_RATE_PER_SECOND. A letter that arrives late comes closer to those that follow; with this
# pace no second gets too many as long as none is later than 30 ms, 12 of them on our own side.
PACE = 0.97
LATE_SECONDS = 0.012

DOUBTED_ONCE = (
    "The connection broke after the letter was handed over. It is sent once more and may"
    " arrive twice."
)
DOUBTED_TWICE = (
    "The connection broke after the letter was handed over. It may have arrived: look before"
    " you send it again."
)
MOST_TRIES = 8
ALSO_AFTERWARDS = (
    Action.MESSAGE,
    Action.CANCELLATION,
    Action.TEST,
    Action.FEEDBACK,
    *REPAIRS,
)

# In leases. One that ends later was written by nobody, or before the database's clock was set
# back. The margin is for workers of before a deploy that shortened LEASE_SECONDS.
LONGEST_LEASE = 10


class Lost(Exception):
    """The lease ran out and the slot was settled: what we had in hand is no longer ours."""


@dataclass(frozen=True)
class HeldSlot:
    nr: int
    token: UUID


def provide(count: int) -> None:
    """Have `count` slots; a surplus one goes as soon as it is free, and slot 1 counts on for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO logs_slot (nr) SELECT generate_series(1, %s) ON CONFLICT DO NOTHING",
            [count],
        )
        cursor.execute(
            """
            WITH gone AS (
                DELETE FROM logs_slot WHERE nr > %s AND token IS NULL
                RETURNING letters, smtp_ms, expired
            )
            UPDATE logs_slot first
            SET letters = first.letters + gone.letters, smtp_ms = first.smtp_ms + gone.smtp_ms,
                expired = first.expired + gone.expired
            FROM (
                SELECT sum(letters) AS letters, sum(smtp_ms) AS smtp_ms, sum(expired) AS expired
                FROM gone HAVING count(*) > 0
            ) AS gone
            WHERE first.nr = 1
            """,
            [count],
        )


def take(*, worker: str) -> HeldSlot | None:
    """
    A free slot, or nothing when every connection is in use.

    Slot 1 sends single letters only, so it goes last: a bulk send leaves it free for them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE logs_slot
            SET token = gen_random_uuid(), cursor = NULL, worker = %s,
                until = now() + make_interval(secs => %s)
            WHERE nr = (
                SELECT nr FROM logs_slot WHERE token IS NULL
                ORDER BY nr = 1, nr LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING nr, token
            """,
            [worker, settings.LEASE_SECONDS],
        )
        row = cursor.fetchone()
    return HeldSlot(*row) if row else None


def renew(slot: HeldSlot) -> None:
    """Start the lease anew with nothing sent. First statement of a claim; raises `Lost`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE logs_slot SET cursor = NULL, until = now() + make_interval(secs => %s)
            WHERE nr = %s AND token = %s AND until > now()
            """,
            [settings.LEASE_SECONDS, slot.nr, slot.token],
        )
        if cursor.rowcount == 0:
            raise Lost


def move_cursor(slot: HeldSlot, entry_id: int) -> float | None:
    """
    Allow exactly this letter to leave, and record all before it as accepted.

    :returns: its moment (MAIL_RATE_PER_SECOND) by this process's `time.monotonic`, or nothing
        when it must not leave: sending is stopped, held or paused, or the lease is gone
    """
    return _moves.ask((slot, entry_id))


def plan_cursor_anew() -> None:
    """
    Let the next `move_cursor` plan again. To be called for each block.

    A plan is made for the tables as they are; they may have been empty then.
    """
    _statement.forget()


class _CursorStatement(threading.local):
    """
    The statement of `move_cursor`, prepared by hand on this thread's connection: planning takes
    several times as long as running it, psycopg2 prepares nothing, and every letter waits for it.
    For the same reason it goes by psycopg2's own cursor, past what Django wraps around one.
    """

    def __init__(self) -> None:
        self._known_to: object = None  # psycopg2's connection; after a reconnect it is another
        self._cursor: Any = None

    def execute(self, moves: Sequence[tuple[HeldSlot, int]]) -> dict[int, float]:
        """The slots whose cursor moved, each with the seconds from asking to its moment."""
        if self._known_to is None or self._known_to is not connection.connection:
            self._prepare()
        numbers = ",".join(str(slot.nr) for slot, _ in moves)
        tokens = ",".join(str(slot.token) for slot, _ in moves)
        entries = ",".join(str(entry_id) for _, entry_id in moves)
        with connection.wrap_database_errors:
            self._cursor.execute(
                f"EXECUTE move_cursors ('{{{numbers}}}', '{{{tokens}}}', '{{{entries}}}')"
            )
            return dict(self._cursor.fetchall())

    def forget(self) -> None:
        self._known_to = None

    def _prepare(self) -> None:
        with connection.cursor() as cursor:
            # Nobody else prepares anything, and what is not there need not be deallocated. Without
            # the mode PostgreSQL would plan it five times more before it keeps a plan.
            cursor.execute(
                "SET plan_cache_mode = force_generic_plan; DEALLOCATE ALL;"
                f" PREPARE move_cursors {_move_cursors()}"
            )
        psycopg2_connection = connection.connection
        self._known_to = psycopg2_connection
        self._cursor = psycopg2_connection.cursor()


_statement = _CursorStatement()


def _move_all(moves: Sequence[tuple[HeldSlot, int]]) -> list[float | None]:
    asked_at = time.monotonic()
    waits = _statement.execute(moves)
    return [asked_at + float(waits[slot.nr]) if slot.nr in waits else None for slot, _ in moves]


# Each letter waits for its commit, and a process may have many connections: their cursors move in
# one commit where they ask at the same moment.
_moves = Combiner(_move_all)


def _move_cursors() -> str:
    lease, rate = float(settings.LEASE_SECONDS), float(settings.MAIL_RATE_PER_SECOND) * PACE
    # OFFSET keeps EXISTS what it looks like: a question for each slot, answered by the entry's key.
    moved = f"""
        UPDATE logs_slot slot SET cursor = move.id, until = now() + make_interval(secs => {lease})
        FROM unnest($1, $2, $3) AS move (nr, token, id)
        WHERE slot.nr = move.nr AND slot.token = move.token AND slot.until > now() AND EXISTS (
            SELECT FROM logs_invitationlogentry e
            LEFT JOIN logs_invitationlog l ON l.id = e.log_id
            LEFT JOIN chapters_workshop w ON w.id = e.workshop_id
            WHERE e.id = move.id AND e.lease = move.token AND {IS_OPEN}
            OFFSET 0
        )
        RETURNING slot.nr, 0 AS wait
    """  # noqa: S608 -- made of constants and numbers
    if rate:
        moved = f"""
            WITH moved AS ({moved}), pace AS (
                UPDATE logs_pace SET next_at = greatest(next_at, clock_timestamp())
                    + make_interval(secs => {1 / rate}) * (SELECT count(*) FROM moved)
                WHERE id = 1 AND EXISTS (SELECT FROM moved)
                RETURNING extract(epoch FROM next_at - statement_timestamp()) AS seconds
            )
            SELECT nr, seconds - {1 / rate} * row_number() OVER () FROM moved, pace
        """  # noqa: S608 -- as above
    return f"(smallint[], uuid[], bigint[]) AS {moved}"


def record_accepted(slot: HeldSlot, accepted: Mapping[int, int], *, smtp_ms: int = 0) -> None:
    """
    The letters the mail server took: entry id and the code of its answer. Its slot counts those
    that were not recorded before.

    :param smtp_ms: the milliseconds that the mail server took for all of them
    """
    if not accepted:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH recorded AS (
                UPDATE logs_invitationlogentry e
                SET status = 'success', lease = NULL, answer_code = a.code, changed_at = now(),
                    reason = CASE WHEN e.doubts > 0 THEN e.reason ELSE '' END
                FROM unnest(%s::bigint[], %s::smallint[]) AS a (id, code)
                WHERE e.id = a.id AND e.lease = %s AND e.status = 'sending'
                RETURNING 1
            )
            UPDATE logs_slot slot
            SET letters = slot.letters + new.letters, smtp_ms = slot.smtp_ms + %s
            FROM (SELECT count(*) AS letters FROM recorded) AS new
            WHERE slot.nr = %s AND new.letters > 0
            """,
            [list(accepted), list(accepted.values()), slot.token, smtp_ms, slot.nr],
        )


def give_back(token: UUID, *, entry_id: int | None = None) -> None:
    """What was claimed and not sent waits again, or is cancelled with its log."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE logs_invitationlogentry e
            SET lease = NULL, changed_at = now(),
                status = CASE WHEN EXISTS (
                    SELECT FROM logs_invitationlog l
                    WHERE l.id = e.log_id AND l.status = 'cancelled'
                ) THEN 'cancelled' ELSE 'pending' END
            WHERE e.lease = %s AND e.status = 'sending' AND e.id = coalesce(%s, e.id)
            """,
            [token, entry_id],
        )


def fail(slot: HeldSlot, entry_id: int, *, reason: str, code: int | None = None) -> None:
    """This letter will not be tried again by itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE logs_invitationlogentry
            SET status = 'failed', lease = NULL, reason = %s, answer_code = %s, changed_at = now()
            WHERE id = %s AND lease = %s AND status = 'sending'
            """,
            [reason, code, entry_id, slot.token],
        )


def try_later(
    slot: HeldSlot, entry_id: int, *, delay: timedelta, reason: str, code: int | None = None
) -> None:
    """
    Wait and try again; `failed` after eight tries, or when the workshop begins before and the
    letter has no sense afterwards.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE logs_invitationlogentry e
            SET lease = NULL, tries = e.tries + 1,
                due_at = now() + make_interval(secs => %(delay)s),
                reason = %(reason)s, answer_code = %(code)s, changed_at = now(),
                status = CASE
                    WHEN e.tries + 1 >= %(most)s OR EXISTS (
                        SELECT FROM chapters_workshop w
                        WHERE w.id = e.workshop_id AND NOT e.action = ANY(%(timeless)s)
                            AND w.starts_at <= now() + make_interval(secs => %(delay)s)
                    ) THEN 'failed'
                    WHEN EXISTS (
                        SELECT FROM logs_invitationlog l
                        WHERE l.id = e.log_id AND l.status = 'cancelled'
                    ) THEN 'cancelled'
                    ELSE 'pending' END
            WHERE e.id = %(id)s AND e.lease = %(token)s AND e.status = 'sending'
            """,
            {
                "delay": delay.total_seconds(),
                "reason": reason,
                "code": code,
                "most": MOST_TRIES,
                "timeless": [action.value for action in ALSO_AFTERWARDS],
                "id": entry_id,
                "token": slot.token,
            },
        )


def doubt(token: UUID | None, entry_id: int) -> None:
    """
    It may have arrived. Sent once more with the same Message-ID; the second time a person decides,
    and of an apology or a correction the first time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE logs_invitationlogentry e
            SET lease = NULL, doubts = e.doubts + 1, changed_at = now(),
                due_at = now() + make_interval(secs => %(delay)s),
                status = CASE WHEN again.is_allowed THEN 'pending' ELSE 'unknown' END,
                reason = CASE WHEN again.is_allowed THEN %(once)s ELSE %(twice)s END
            FROM (
                SELECT d.id, d.doubts = 0 AND NOT d.action = ANY(%(repairs)s) AND NOT EXISTS (
                    SELECT FROM logs_invitationlog l
                    WHERE l.id = d.log_id AND l.status = 'cancelled'
                ) AS is_allowed
                FROM logs_invitationlogentry d WHERE d.id = %(id)s
            ) AS again
            WHERE e.id = again.id AND e.status = 'sending'
                AND e.lease IS NOT DISTINCT FROM %(token)s
            """,
            {
                "delay": settings.DOUBT_DELAY_SECONDS,
                "once": DOUBTED_ONCE,
                "twice": DOUBTED_TWICE,
                "repairs": [action.value for action in REPAIRS],
                "id": entry_id,
                "token": token,
            },
        )


@transaction.atomic
def release(slot: HeldSlot, accepted: Mapping[int, int], *, smtp_ms: int = 0) -> None:
    """
    Record what was accepted, give the rest back and free the slot.

    :param smtp_ms: as of `record_accepted`
    :raises Lost: when the lease ran out; then nothing is written
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM logs_slot WHERE nr = %s AND token = %s AND until > now() FOR UPDATE",
            [slot.nr, slot.token],
        )
        if cursor.fetchone() is None:
            raise Lost
    record_accepted(slot, accepted, smtp_ms=smtp_ms)
    give_back(slot.token)
    _free(slot.nr)


def settle_expired() -> int:
    """
    Settle every slot whose lease ran out, or could not have been taken, by its cursor.

    :returns: how many slots were settled
    """
    settled = 0
    while _settle_one():
        settled += 1
    return settled


def doubt_what_nobody_holds() -> list[int]:
    """
    Letters that are in hand by a token that no slot has. It should never happen.

    :returns: their ids; whether they left nobody knows
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.lease, e.id FROM logs_invitationlogentry e
            WHERE e.status = 'sending'
                AND NOT EXISTS (SELECT FROM logs_slot s WHERE s.token = e.lease)
            """
        )
        orphans = cursor.fetchall()
    for token, entry_id in orphans:
        doubt(token, entry_id)
    return [entry_id for _, entry_id in orphans]


def free_count() -> int:
    """How many more connections could send now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM logs_slot WHERE token IS NULL")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@transaction.atomic
def _settle_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT nr, token, cursor FROM logs_slot
            WHERE token IS NOT NULL AND (
                until IS NULL
                OR until NOT BETWEEN now() AND now() + make_interval(secs => %s)
            )
            LIMIT 1 FOR UPDATE SKIP LOCKED
            """,
            [settings.LEASE_SECONDS * LONGEST_LEASE],
        )
        row = cursor.fetchone()
        if row is None:
            return False
        nr, token, at = row
        letters = 0
        if at is not None:
            cursor.execute(
                """
                UPDATE logs_invitationlogentry
                SET status = 'success', is_settled = true, lease = NULL, changed_at = now(),
                    reason = CASE WHEN doubts > 0 THEN reason ELSE '' END
                WHERE lease = %s AND status = 'sending' AND id < %s
                """,
                [token, at],
            )
            letters = cursor.rowcount
            doubt(token, at)
    give_back(token)
    _free(nr, letters=letters, expired=1)
    return True


def _free(nr: int, *, letters: int = 0, expired: int = 0) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE logs_slot
            SET token = NULL, cursor = NULL, letters = letters + %s, expired = expired + %s
            WHERE nr = %s
            """,
            [letters, expired, nr],
        )
