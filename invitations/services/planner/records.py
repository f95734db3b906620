"""Suspensions, notes, and organisers' letters to one member."""

from __future__ import annotations

from invitations.services import closing
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.people import closed_among, no_password
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step
from members.models import Ban, Member, Note, Notice

BANS = Step("bans")
NOTES = Step("member_notes")
WARNINGS = Step("attendance_warnings")
QUESTIONS = Step("eligibility_inquiries")

SOMEBODY = "closed-planner@codebar.invalid"
_NO_REASON = "No reason was written down."


def bring_bans(chunk: Chunk) -> None:
    """All of them, also those that overlap: banned is whoever has one that holds."""
    people = _People(chunk, "added_by_id")
    bans = []
    for row in chunk.rows:
        if (member_id := people.member(row)) is None:
            continue
        is_permanent = row.permanent is True or row.expires_at is None
        if row.permanent is not True and row.expires_at is None:
            chunk.note(Rule.BAN_WITHOUT_END, row.id)
        reason = chunk.cut(row.reason, 200, row.id, name="reason")
        if not reason:
            chunk.note(Rule.BAN_WITHOUT_REASON, row.id)
        words = people.keeps_words(member_id)
        bans.append(
            Ban(
                member_id=member_id,
                added_by_id=people.author(row),
                reason=reason or _NO_REASON,
                note=(row.note or "").strip() if words else "",
                explanation=(row.explanation or "").strip() if words else "",
                expires_at=row.expires_at,
                is_permanent=is_permanent,
                created_at=row.created_at or chunk.at,
            )
        )
    Ban.objects.bulk_create(bans)


def bring_notes(chunk: Chunk) -> None:
    """What organisers told each other about members whose accounts are open."""
    people = _People(chunk, "author_id")
    notes = []
    for row in chunk.rows:
        if (member_id := people.member(row)) is None:
            continue
        text = (row.note or "").strip()
        if not people.keeps_words(member_id):
            chunk.leave_out(Rule.ACCOUNT_IS_CLOSED, row.id)
        elif not text:
            chunk.leave_out(Rule.NOTE_BLANK, row.id)
        else:
            notes.append(
                Note(
                    member_id=member_id,
                    author_id=people.author(row),
                    text=text,
                    created_at=row.created_at or chunk.at,
                )
            )
    Note.objects.bulk_create(notes)


def bring_warnings(chunk: Chunk) -> None:
    _bring_notices(chunk, Notice.Kind.ATTENDANCE)


def bring_questions(chunk: Chunk) -> None:
    _bring_notices(chunk, Notice.Kind.ELIGIBILITY)


def _bring_notices(chunk: Chunk, kind: Notice.Kind) -> None:
    people = _People(chunk, "sent_by_id")
    Notice.objects.bulk_create(
        Notice(
            member_id=member_id,
            sent_by_id=people.author(row),
            kind=kind,
            created_at=row.created_at or chunk.at,
        )
        for row in chunk.rows
        if (member_id := people.member(row)) is not None
    )


class _People:
    """Whom the rows of a chunk are about, and who wrote them."""

    def __init__(self, chunk: Chunk, author: str) -> None:
        self._chunk = chunk
        self._author = author
        ids = {number for row in chunk.rows for number in (row.member_id, getattr(row, author))}
        self._here = here("members", ids)
        self._closed = closed_among(self._here.values())
        self._somebody: int | None = None

    def member(self, row: Row) -> int | None:
        """None where there is no such member; the row is left out then."""
        if row.member_id not in self._here:
            self._chunk.leave_out(Rule.PERSON_IS_NOT_THERE, row.id)
            return None
        return self._here[row.member_id]

    def author(self, row: Row) -> int:
        """Whoever it was, or one closed account for all of whom nothing is left."""
        author = self._here.get(getattr(row, self._author))
        if author is not None:
            return author
        self._chunk.note(Rule.AUTHOR_IS_NOT_THERE, row.id)
        if self._somebody is None:
            self._somebody = _somebody(self._chunk)
        return self._somebody

    def keeps_words(self, member_id: int) -> bool:
        """Closing an account leaves no words about the person (`services/closing.py`)."""
        return member_id not in self._closed


def _somebody(chunk: Chunk) -> int:
    member, _is_new = Member.objects.get_or_create(
        email=SOMEBODY,
        defaults={
            "name": closing.NAME,
            "password": no_password(),
            "closed_at": chunk.at,
            "created_at": chunk.at,
        },
    )
    return int(member.pk)
