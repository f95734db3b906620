"""
Invitations under their old numbers, with their tokens and answers, and the waiting lists.

Planner has one for each role of a member; here there is one for each member of a workshop, so a
workshop is read whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from chapters.models import Role, Subscription, Workshop
from invitations.models import Answer, FormerToken, Invitation
from invitations.services.planner import tokens
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.people import closed_among
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step

INVITATIONS = Step("workshop_invitations", key="workshop_id")
# Those of invitations are read with them.
NOBODYS_PLACES = Step(
    "waiting_lists",
    where="NOT EXISTS (SELECT FROM workshop_invitations i WHERE i.id = t.invitation_id)",
)
PLACES_FIRST = "attending IS TRUE DESC, id"  # of a token in several: whoever has a place
WINNING = (Answer.ATTENDING, Answer.WAITING, Answer.DECLINED, Answer.NONE)


@dataclass
class _Standing:
    """One invitation of planner and how it was answered; `since` when, where that is known."""

    row: Row
    answer: Answer
    since: datetime | None
    line: list[Row] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, int]:
        """Of two of one person the lower one wins: comes, waits, said no; then the older."""
        return WINNING.index(self.answer), self.row.id


@dataclass(frozen=True)
class _Known:
    """What is here already of all that the invitations of a chunk name."""

    workshops: dict[int, Workshop]
    members: dict[int, int]
    closed: set[int]
    roles: dict[tuple[int, int], Role]
    """By chapter and member, for those whose invitation says none."""
    tokens: dict[str, int]
    """Whose a token is that stands in several invitations."""


def bring(chunk: Chunk) -> None:
    """One for each member of a workshop, with the places in line."""
    line = chunk.beside("waiting_lists", _line(chunk))
    known = _known(chunk)
    places = _by_invitation(line)
    together: dict[tuple[int, int], list[_Standing]] = defaultdict(list)
    for row in chunk.rows:
        if row.workshop_id not in known.workshops:
            _leave_out(chunk, line, Rule.WORKSHOP_IS_NOT_HERE, row, places)
        elif row.member_id not in known.members:
            _leave_out(chunk, line, Rule.PERSON_IS_NOT_THERE, row, places)
        else:
            standing = _standing(row, places.get(row.id, []))
            together[row.workshop_id, known.members[row.member_id]].append(standing)
    invitations, former = [], []
    for (_workshop, member), standings in together.items():
        winner, *others = sorted(standings, key=lambda each: each.rank)
        _settle_line(line, winner, others)
        invitations.append(_invitation(chunk, winner, others, member, known))
        former += _former_tokens(winner, others, known)
    Invitation.objects.bulk_create(invitations)
    FormerToken.objects.bulk_create(former)


def leave_out_nobodys_places(chunk: Chunk) -> None:
    """Places in line of invitations that do not exist."""
    for row in chunk.rows:
        chunk.leave_out(Rule.INVITATION_IS_NOT_HERE, row.id)


# ---- What is read beside them --------------------------------------------------------------


def _line(chunk: Chunk) -> list[Row]:
    """The places in line of these invitations, the earliest first."""
    return chunk.source.select(
        f"SELECT {chunk.source.columns('waiting_lists')} FROM waiting_lists t"  # noqa: S608 -- our own
        " WHERE t.invitation_id = ANY(%(ids)s) ORDER BY t.created_at, t.id",
        ids=[row.id for row in chunk.rows],
    )


def _known(chunk: Chunk) -> _Known:
    workshops = here("workshops", (row.workshop_id for row in chunk.rows))
    named = {row.member_id for row in chunk.rows} | {
        row.last_overridden_by_id for row in chunk.rows
    }
    members = here("members", named)
    brought = Workshop.objects.in_bulk(set(workshops.values()))
    return _Known(
        workshops=brought,
        members=members,
        closed=closed_among(members.values()),
        roles=_roles_by_groups(chunk, members, brought.values()),
        tokens=tokens.owners(chunk, order=PLACES_FIRST),
    )


def _roles_by_groups(
    chunk: Chunk, members: dict[int, int], workshops: Iterable[Workshop]
) -> dict[tuple[int, int], Role]:
    """Coach of whoever is in groups for coaches only, by chapter and member."""
    without = {
        members[row.member_id]
        for row in chunk.rows
        if _role_of(row) is None and row.member_id in members
    }
    if not without:
        return {}
    subscribed = Subscription.objects.filter(
        member__in=without, group__chapter__in={workshop.chapter_id for workshop in workshops}
    ).values_list("group__chapter", "member", "group__role")
    roles: dict[tuple[int, int], set[str]] = defaultdict(set)
    for chapter, member, role in subscribed:
        roles[chapter, member].add(role)
    return {key: Role.COACH for key, found in roles.items() if found == {Role.COACH}}


# ---- One invitation ------------------------------------------------------------------------


def _by_invitation(line: Chunk) -> dict[int, list[Row]]:
    places: dict[int, list[Row]] = defaultdict(list)
    for row in line.rows:
        places[row.invitation_id].append(row)
    return places


def _leave_out(
    chunk: Chunk, line: Chunk, rule: Rule, row: Row, places: dict[int, list[Row]]
) -> None:
    """With the places in line that hang on it."""
    chunk.leave_out(rule, row.id)
    for place in places.get(row.id, []):
        line.leave_out(rule, place.id)


def _standing(row: Row, line: list[Row]) -> _Standing:
    waiting = next((place for place in line if place.auto_rsvp), None)
    if row.attending or row.attended:
        return _Standing(row, Answer.ATTENDING, row.rsvp_time or row.updated_at, line)
    if waiting:
        return _Standing(row, Answer.WAITING, waiting.created_at, line)
    if row.attending is False:
        return _Standing(row, Answer.DECLINED, row.updated_at, line)
    return _Standing(row, Answer.NONE, None, line)


def _settle_line(line: Chunk, winner: _Standing, others: list[_Standing]) -> None:
    """One place in line at most is somebody's; the others are part of it, or of the invitation."""
    used = None
    for place in [place for each in (winner, *others) for place in each.line]:
        if not place.auto_rsvp:
            line.leave_out(Rule.NOT_A_PLACE_IN_LINE, place.id)
        elif winner.answer != Answer.WAITING:
            line.merge(Rule.HAS_A_PLACE, place.id, into=winner.row.id)
        elif used:
            line.merge(Rule.TWICE_IN_LINE, place.id, into=used)
        else:
            used = place.id


def _invitation(
    chunk: Chunk, winner: _Standing, others: list[_Standing], member: int, known: _Known
) -> Invitation:
    row, workshop = winner.row, known.workshops[winner.row.workshop_id]
    for other in others:
        chunk.merge(Rule.TWO_INVITATIONS, other.row.id, into=row.id)
    was_there = any(each.row.attended for each in (winner, *others))
    answer = _answer_now(chunk, winner, workshop, is_closed=member in known.closed)
    said = {} if member in known.closed else _said(chunk, row)
    return Invitation(
        id=row.id,
        workshop=workshop,
        member_id=member,
        role=_role(chunk, row, known.roles.get((workshop.chapter_id, member), Role.STUDENT)),
        answer=answer,
        answer_number=0 if answer == Answer.NONE else 1,
        answered_at=None if answer == Answer.NONE else winner.since or workshop.starts_at,
        answered_by_id=None
        if answer == Answer.NONE
        else known.members.get(row.last_overridden_by_id),
        attended_at=workshop.starts_at if was_there else None,
        created_at=row.created_at or row.updated_at or workshop.created_at,
        **tokens.kept(chunk, row, known.tokens),
        **said,
    )


def _answer_now(chunk: Chunk, winner: _Standing, workshop: Workshop, *, is_closed: bool) -> Answer:
    """Nobody who closed the account keeps a place of others at a workshop to come."""
    holds = winner.answer in (Answer.ATTENDING, Answer.WAITING)
    if is_closed and holds and workshop.starts_at > chunk.at:
        chunk.note(Rule.PLACE_OF_A_CLOSED_ACCOUNT, winner.row.id)
        return Answer.DECLINED
    return winner.answer


def _role_of(row: Row) -> Role | None:
    name = (row.role or "").strip().lower()
    return Role(name) if name in Role.values else None


def _role(chunk: Chunk, row: Row, otherwise: Role) -> Role:
    role = _role_of(row)
    if role is None:
        chunk.note(Rule.ROLE_UNKNOWN, row.id, detail=otherwise)
        return otherwise
    return role


def _said(chunk: Chunk, row: Row) -> dict[str, str]:
    return {
        "note": chunk.cut(row.note, 100, row.id, name="note"),
        "tutorial": chunk.cut(row.tutorial, 200, row.id, name="tutorial"),
    }


def _former_tokens(winner: _Standing, others: list[_Standing], known: _Known) -> list[FormerToken]:
    return [
        FormerToken(token=other.row.token, invitation_id=winner.row.id)
        for other in others
        if tokens.is_usable(other.row, known.tokens)
    ]
