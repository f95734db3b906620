"""Workshops, under their old numbers, and the companies that hosted and sponsored them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

from chapters.models import Role, Sponsor, Workshop, WorkshopSponsor
from invitations.services.planner import texts
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step

WORKSHOPS = Step("workshops")
SPONSORS = Step("workshop_sponsors", key="workshop_id")
AN_EVENING = timedelta(hours=2)


def bring_workshops(chunk: Chunk) -> None:
    """Those that have a start and a chapter."""
    chapters = here("chapters", (row.chapter_id for row in chunk.rows))
    coming = _people_coming(chunk)
    workshops = []
    for row in chunk.rows:
        if row.date_and_time is None:
            chunk.leave_out(Rule.WORKSHOP_WITHOUT_START, row.id)
        elif row.chapter_id not in chapters:
            chunk.leave_out(Rule.WORKSHOP_WITHOUT_CHAPTER, row.id)
        else:
            workshops.append(_workshop(chunk, row, chapters[row.chapter_id], coming))
    Workshop.objects.bulk_create(workshops)


def bring_sponsors(chunk: Chunk) -> None:
    """One row for each company of a workshop, and at most one host."""
    workshops = here("workshops", (row.workshop_id for row in chunk.rows))
    sponsors = here("sponsors", (row.sponsor_id for row in chunk.rows))
    brought = []
    for workshop_id, rows in groupby(chunk.rows, key=lambda row: row.workshop_id):
        known = []
        for row in rows:
            if workshop_id not in workshops:
                chunk.leave_out(Rule.WORKSHOP_IS_NOT_HERE, row.id)
            elif row.sponsor_id not in sponsors:
                chunk.leave_out(Rule.SPONSOR_IS_NOT_HERE, row.id)
            else:
                known.append(row)
        brought += _of_workshop(chunk, known, sponsors)
    WorkshopSponsor.objects.bulk_create(brought)


def _workshop(
    chunk: Chunk, row: Row, chapter_id: int, coming: dict[tuple[int, Role], int]
) -> Workshop:
    return Workshop(
        id=row.id,
        chapter_id=chapter_id,
        starts_at=row.date_and_time,
        ends_at=_end(chunk, row),
        rsvp_opens_at=row.rsvp_opens_at,
        rsvp_closes_at=row.rsvp_closes_at,
        is_invitable=row.invitable is not False,
        is_virtual=bool(row.virtual),
        student_spaces=_spaces(chunk, row, row.student_spaces, Role.STUDENT, coming),
        coach_spaces=_spaces(chunk, row, row.coach_spaces, Role.COACH, coming),
        slack_channel=chunk.cut(row.slack_channel, 100, row.id, name="slack_channel"),
        slack_channel_link=_link(chunk, row),
        description=texts.plain(row.description),
        created_at=row.created_at or row.updated_at or row.date_and_time,
    )


def _end(chunk: Chunk, row: Row) -> datetime:
    if row.ends_at and row.ends_at > row.date_and_time:
        end: datetime = row.ends_at
        return end
    chunk.note(Rule.END_MADE_UP, row.id)
    evening: datetime = row.date_and_time + AN_EVENING
    return evening


def _spaces(
    chunk: Chunk,
    row: Row,
    spaces: int | None,
    role: Role,
    coming: dict[tuple[int, Role], int],
) -> int:
    """Of a workshop in a call both numbers are needed; elsewhere the host's count."""
    wanted = max(spaces or 0, 0)
    if wanted or not row.virtual:
        return wanted
    chunk.note(Rule.SPACES_MADE_UP, row.id, detail=role)
    return max(coming.get((row.id, role), 0), 1)


def _link(chunk: Chunk, row: Row) -> str:
    """A link that was cut leads nowhere."""
    link = (row.slack_channel_link or "").strip()
    longest = Workshop._meta.get_field("slack_channel_link").max_length or 0
    if len(link) <= longest:
        return link
    chunk.note(Rule.LINK_TOO_LONG, row.id)
    return ""


def _people_coming(chunk: Chunk) -> dict[tuple[int, Role], int]:
    """How many have a place in a call of which planner does not say how many may come."""
    calls = [
        row.id
        for row in chunk.rows
        if row.virtual and not (row.student_spaces or 0) * (row.coach_spaces or 0) > 0
    ]
    if not calls:
        return {}
    rows = chunk.source.select(
        "SELECT workshop_id, lower(role) AS role, count(DISTINCT member_id) AS people"
        " FROM workshop_invitations WHERE workshop_id = ANY(%(calls)s) AND attending"
        " AND lower(role) IN ('student', 'coach') GROUP BY 1, 2",
        calls=calls,
    )
    return {(row.workshop_id, Role(row.role)): row.people for row in rows}


def _of_workshop(chunk: Chunk, rows: list[Row], sponsors: dict[int, int]) -> list[WorkshopSponsor]:
    first: dict[int, Row] = {}
    hosts: list[Row] = []
    for row in rows:
        sponsor = sponsors[row.sponsor_id]
        if sponsor in first:
            chunk.merge(Rule.SPONSOR_TWICE, row.id, into=first[sponsor].id)
        first.setdefault(sponsor, row)
        if row.host:
            hosts.append(row)
    host = _host(chunk, hosts, sponsors)
    return [
        WorkshopSponsor(workshop_id=row.workshop_id, sponsor_id=sponsor, is_host=sponsor == host)
        for sponsor, row in first.items()
    ]


def _host(chunk: Chunk, hosts: list[Row], sponsors: dict[int, int]) -> int | None:
    """Of several the first with an address, since that is where people are sent to."""
    wanted = list(dict.fromkeys(sponsors[row.sponsor_id] for row in hosts))
    if len(wanted) < 2:
        return wanted[0] if wanted else None
    with_address = _with_address(wanted)
    host = min(wanted, key=lambda sponsor: sponsor not in with_address)
    for row in hosts:
        if sponsors[row.sponsor_id] != host:
            chunk.note(Rule.ONE_HOST, row.id)
    return host


def _with_address(sponsors: Iterable[int]) -> set[int]:
    found = Sponsor.objects.filter(pk__in=sponsors).exclude(street="").exclude(city="")
    return set(found.values_list("pk", flat=True))
