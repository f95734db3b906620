"""The links in letters that planner has sent: each of them stays with one row."""

from __future__ import annotations

from invitations.services.planner.bookkeeping import Chunk
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row

LONGEST = 64


def owners(chunk: Chunk, *, order: str = "id") -> dict[str, int]:
    """
    Whose a token is that stands in several rows of this table: the first one's.

    :param order: SQL
    """
    rows = chunk.source.select(
        f"SELECT token, (array_agg(id ORDER BY {order}))[1] AS owner"  # noqa: S608 -- our own
        f" FROM {chunk.table} WHERE token = ANY(%(tokens)s) GROUP BY token HAVING count(*) > 1",
        tokens=[row.token for row in chunk.rows if row.token],
    )
    return {row.token: row.owner for row in rows}


def kept(chunk: Chunk, row: Row, owner_of: dict[str, int]) -> dict[str, str]:
    """The old one, so that letters already sent still work; else a new one, which nobody has."""
    if is_usable(row, owner_of):
        return {"token": row.token}
    chunk.note(Rule.LINK_OF_ANOTHER if _is_a_token(row) else Rule.LINK_MISSING, row.id)
    return {}


def is_usable(row: Row, owner_of: dict[str, int]) -> bool:
    return _is_a_token(row) and owner_of.get(row.token, row.id) == row.id


def _is_a_token(row: Row) -> bool:
    return bool(row.token and row.token.strip()) and len(row.token) <= LONGEST
