"""
What the ledger says that must not be so, and who is missing: the questions of an audit.

Written by hand and apart from the sender's queries, on purpose: a mistake made there is not made
here again, and where the two disagree somebody should look. So nothing that counts, prepares or
claims is imported, and `import-linter` keeps it so. `docs/audit.md` says what each kind can prove.

The statements are meant to run in one snapshot; whatever is in hand at that moment is no breach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection

from invitations.queries.auditing_statements import (
    IN_DOUBT,
    MISSING,
    OF_EVERYTHING,
    WRONG,
    scoped,
)


@dataclass(frozen=True)
class Breach:
    """
    One thing that somebody should look at, by numbers and never by names.

    What `is_open` waits for a person's click; everything else must never be.
    """

    kind: str
    is_open: bool
    reason: str
    workshop: int | None = None
    log: int | None = None
    entry: int | None = None
    member: int | None = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def breaches(workshop_id: int | None = None) -> Iterator[Breach]:
    """
    Whatever is wrong in the ledger, or with one workshop, kind by kind, a few rows in memory.

    To be read in a transaction, and to its end or not at all after it.
    """
    everything = () if workshop_id else OF_EVERYTHING
    yield from _found((*WRONG, *everything, MISSING), workshop_id)


def wrong_with(workshop_id: int) -> Iterator[Breach]:
    """What `breaches` finds of this workshop, but for whoever is not invited."""
    yield from _found(WRONG, workshop_id)


def _found(statements: Iterable[str], workshop_id: int | None) -> Iterator[Breach]:
    _plan_for_all_rows(is_everything=workshop_id is None)
    for statement in statements:
        with connection.chunked_cursor() as cursor:
            cursor.execute(scoped(statement, workshop_id), {"workshop": workshop_id})
            for row in cursor:
                yield Breach(*row)


def _plan_for_all_rows(*, is_everything: bool) -> None:
    """
    For this transaction: PostgreSQL would plan for the first rows of a cursor; and row by row
    through whole tables where it still takes one for empty that has just been filled.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '64MB'")
        if is_everything:
            cursor.execute("SET LOCAL enable_nestloop = off")


@dataclass(frozen=True)
class Reason:
    """So many people are missing for one reason, the newest of them in this log."""

    reason: str
    log: int
    people: int

    @property
    def is_in_doubt(self) -> bool:
        """Whether a person has to decide, and no click writes to them."""
        return self.reason == IN_DOUBT


@dataclass(frozen=True)
class Missing:
    """Somebody who is not invited, for the page of who may know the name."""

    member_id: int
    name: str
    reason: str
    log: int


def why_missing(workshop_id: int) -> list[Reason]:
    """Why people are not invited to this workshop, the most frequent reason first."""
    rows = _ask(
        f"""
        SELECT reason, max(log_id), count(*) FROM ({scoped(MISSING, workshop_id)}) missing
        GROUP BY reason ORDER BY count(*) DESC, reason
        """,  # noqa: S608 -- made of constants
        {"workshop": workshop_id},
    )
    return [Reason(*row) for row in rows]


def missing(workshop_id: int, *, start: int, most: int) -> list[Missing]:
    """Those who are not invited to this workshop, by name: so many of them, from `start`."""
    rows = _ask(
        f"""
        SELECT m.id, btrim(m.name || ' ' || m.surname), missing.reason, missing.log_id
        FROM ({scoped(MISSING, workshop_id)}) missing
        JOIN members_member m ON m.id = missing.member_id
        ORDER BY m.name, m.surname, m.id OFFSET %(start)s LIMIT %(most)s
        """,  # noqa: S608 -- made of constants
        {"workshop": workshop_id, "start": start, "most": most},
    )
    return [Missing(*row) for row in rows]


def audiences_done(workshop_id: int) -> set[str]:
    """The buttons that have been pressed for this workshop and have done their work."""
    rows = _ask(
        """
        SELECT DISTINCT l.audience FROM logs_invitationlog l
        WHERE l.workshop_id = %(workshop)s AND l.action = 'invite' AND l.status = 'completed'
            AND l.source <> 'import'
            AND l.audience IN ('students', 'coaches', 'everyone')
        """,
        {"workshop": workshop_id},
    )
    return {audience for (audience,) in rows}


def _ask(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
