"""How workshops were: who was asked, with their links, and what was said without who said it."""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass

from chapters.models import Role, Workshop
from invitations.models import Feedback, FeedbackRequest
from invitations.services.planner import marks, pairs, tokens
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step
from logs.models import Action, InvitationLogEntry

REQUESTS = Step("feedback_requests", key="workshop_id")
ANSWERS = Step("feedbacks")
TUTORIALS = Step("tutorials")
RATINGS = range(1, 6)


@dataclass(frozen=True)
class _Asked:
    """The invitation of whoever was asked."""

    id: int
    workshop_id: int
    member_id: int


def bring_requests(chunk: Chunk) -> None:
    """One for each invitation; of two the answered one, so that nobody answers twice."""
    invitations = _invitations(chunk)
    owners = tokens.owners(chunk)
    together: dict[_Asked, list[Row]] = defaultdict(list)
    for row in chunk.rows:
        invitation = invitations.get((row.workshop_id, row.member_id))
        if invitation is None:
            chunk.leave_out(Rule.INVITATION_IS_NOT_HERE, row.id)
        else:
            together[invitation].append(row)
    requests, letters = [], []
    for invitation, rows in together.items():
        winner, *others = sorted(rows, key=lambda row: (not row.submited, row.id))
        for other in others:
            chunk.merge(Rule.ASKED_TWICE, other.id, into=winner.id)
        requests.append(_request(chunk, winner, invitation.id, owners))
        letters.append(_letter(chunk, winner, invitation))
    FeedbackRequest.objects.bulk_create(requests)
    InvitationLogEntry.objects.bulk_create(letters)


def bring_answers(chunk: Chunk) -> None:
    """With numbers drawn by lot: their order would tell whose they are."""
    workshops = Workshop.objects.select_related("chapter").in_bulk(
        set(here("workshops", (row.workshop_id for row in chunk.rows)).values())
    )
    coaches = here("members", (row.coach_id for row in chunk.rows))
    titles = _titles(chunk)
    answers = []
    for row in chunk.rows:
        if row.workshop_id not in workshops:
            chunk.leave_out(Rule.WORKSHOP_IS_NOT_HERE, row.id)
        elif row.rating not in RATINGS:
            chunk.leave_out(Rule.RATING_UNKNOWN, row.id)
        else:
            answers.append(_answer(chunk, row, workshops[row.workshop_id], coaches, titles))
    Feedback.objects.bulk_create(answers)


def leave_out_tutorials(chunk: Chunk) -> None:
    """The titles stand in what was said; there is no list of them here."""
    for row in chunk.rows:
        chunk.leave_out(Rule.ONLY_ITS_TITLE, row.id)


def _letter(chunk: Chunk, row: Row, invitation: _Asked) -> InvitationLogEntry:
    return marks.single(
        invitation.member_id,
        Action.FEEDBACK,
        at=row.created_at or chunk.at,
        workshop=invitation.workshop_id,
    )


def _invitations(chunk: Chunk) -> dict[tuple[int, int], _Asked]:
    """By workshop and planner's member, who may be another one here."""
    members = here("members", (row.member_id for row in chunk.rows))
    wanted = {
        (row.workshop_id, row.member_id): (row.workshop_id, members[row.member_id])
        for row in chunk.rows
        if row.workshop_id is not None and row.member_id in members
    }
    found = pairs.rows_of(
        """
        SELECT DISTINCT i.id, i.workshop_id, i.member_id FROM invitations_invitation i
        JOIN wanted ON wanted.workshop = i.workshop_id AND wanted.member = i.member_id
        """,
        wanted.values(),
    )
    asked = {(row[1], row[2]): _Asked(*row) for row in found}
    return {old: asked[new] for old, new in wanted.items() if new in asked}


def _request(chunk: Chunk, row: Row, invitation: int, owners: dict[str, int]) -> FeedbackRequest:
    asked_at = row.created_at or chunk.at
    return FeedbackRequest(
        invitation_id=invitation,
        answered_on=asked_at.date() if row.submited else None,
        created_at=asked_at,
        **tokens.kept(chunk, row, owners),
    )


def _titles(chunk: Chunk) -> dict[int, str]:
    rows = chunk.source.select(
        "SELECT id, title FROM tutorials WHERE id = ANY(%(ids)s)",
        ids=[row.tutorial_id for row in chunk.rows if row.tutorial_id],
    )
    return {row.id: row.title or "" for row in rows}


def _answer(
    chunk: Chunk, row: Row, workshop: Workshop, coaches: dict[int, int], titles: dict[int, str]
) -> Feedback:
    """Of the day of the workshop, as all others: the hour would tell who it was."""
    if row.coach_id is not None and row.coach_id not in coaches:
        chunk.note(Rule.COACH_IS_NOT_THERE, row.id)
    return Feedback(
        pk=secrets.randbits(62),
        workshop=workshop,
        role=Role.STUDENT,
        rating=row.rating,
        coach_id=coaches.get(row.coach_id),
        tutorial=chunk.cut(titles.get(row.tutorial_id), 200, row.id, name="tutorial"),
        how_it_was=(row.request or "").strip(),
        suggestions=(row.suggestions or "").strip(),
        given_on=workshop.local_start.date(),
    )
