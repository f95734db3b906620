"""Who is an admin, and who organises what; what they organise has the names of Rails' classes."""

from __future__ import annotations

from itertools import groupby

from chapters.models import Chapter, Workshop
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.people import closed_among
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step
from members.models import Member

PERMISSIONS = Step(
    "permissions",
    more="(SELECT min(p.id) FROM permissions p WHERE p.name = t.name"
    " AND p.resource_type IS NOT DISTINCT FROM t.resource_type"
    " AND p.resource_id IS NOT DISTINCT FROM t.resource_id) AS first_id",
)
HOLDERS = Step(
    "members_permissions",
    key="member_id",
    joins="LEFT JOIN permissions p ON p.id = t.permission_id",
    more="p.name AS name, p.resource_type AS kind, p.resource_id AS resource_id",
)

ORGANISED = {
    "Chapter": Chapter.organisers.through,
    "Workshop": Workshop.organisers.through,
}


def bring_permissions(chunk: Chunk) -> None:
    """What may be held; those who hold it follow."""
    for row in chunk.rows:
        if (rule := _why_not(row.name, row.resource_type, row.resource_id)) is not None:
            chunk.leave_out(rule, row.id)
        elif row.first_id != row.id:
            chunk.merge(Rule.PERMISSION_TWICE, row.id, into=row.first_id)


def bring_holders(chunk: Chunk) -> None:
    """Admins, and organisers of chapters and workshops; planner's managers are all of them."""
    members = here("members", (row.member_id for row in chunk.rows))
    closed = closed_among(members.values())
    places = {
        kind: here(table, (row.resource_id for row in chunk.rows if row.kind == kind))
        for kind, table in (("Chapter", "chapters"), ("Workshop", "workshops"))
    }
    held: dict[int, set[tuple[str, str | None, int | None]]] = {}
    for old_id, rows in groupby(chunk.rows, key=lambda row: row.member_id):
        for row in rows:
            if old_id not in members:
                chunk.leave_out(Rule.PERSON_IS_NOT_THERE, old_id)
            elif members[old_id] in closed:
                chunk.leave_out(Rule.ACCOUNT_IS_CLOSED, old_id)
            elif (rule := _why_not(row.name, row.kind, row.resource_id)) is not None:
                chunk.leave_out(rule, old_id)
            elif row.resource_id and row.resource_id not in places[row.kind]:
                chunk.leave_out(Rule.PERMISSION_OF_NOTHING, old_id)
            elif _permission(row) in held.setdefault(members[old_id], set()):
                chunk.merge(Rule.PERMISSION_TWICE, old_id, into=members[old_id])
            else:
                held[members[old_id]].add(_permission(row))
    for member_id, permissions in held.items():
        if any(_is_everywhere(permission) for permission in permissions):
            chunk.note(Rule.ORGANISER_EVERYWHERE, member_id)
    _grant(held)


def _why_not(name: str | None, kind: str | None, resource_id: int | None) -> Rule | None:
    if name == "admin" and kind is None:
        return None
    if name != "organiser":
        return Rule.PERMISSION_OF_NOTHING if name is None else Rule.PERMISSION_UNKNOWN
    if kind in (None, "Chapter") or (kind == "Workshop" and resource_id):
        return None
    return Rule.PERMISSION_NOT_HERE


def _permission(row: Row) -> tuple[str, str | None, int | None]:
    return row.name, row.kind, row.resource_id


def _is_everywhere(permission: tuple[str, str | None, int | None]) -> bool:
    name, _kind, resource_id = permission
    return name == "organiser" and resource_id is None


def _grant(held: dict[int, set[tuple[str, str | None, int | None]]]) -> None:
    """Twice does no harm: two accounts of one person may come one after the other."""
    admins = [pk for pk, theirs in held.items() if any(name == "admin" for name, *_ in theirs)]
    Member.objects.filter(pk__in=admins).update(is_superuser=True)
    chapters = list(Chapter.objects.values_list("pk", flat=True))
    for kind, through in ORGANISED.items():
        rows = [
            through(**{f"{kind.lower()}_id": place, "member_id": member_id})
            for member_id, theirs in held.items()
            for place in _places(kind, theirs, chapters)
        ]
        through._default_manager.bulk_create(rows, ignore_conflicts=True)


def _places(
    kind: str, permissions: set[tuple[str, str | None, int | None]], chapters: list[int]
) -> set[int]:
    if kind == "Chapter" and any(_is_everywhere(permission) for permission in permissions):
        return set(chapters)
    return {place for _name, of, place in permissions if of == kind and place}
