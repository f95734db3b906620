"""
What planner has sent already, written down so that nothing here sends it again.

Each letter is an entry `success`, settled without an answer of a mail server: the invitations to
workshops to come, and what goes out once in a life or once for each start.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, OuterRef

from chapters.models import Role, Workshop
from invitations.models import Invitation
from invitations.queries.reminders import occasion_of_start
from invitations.services.planner.bookkeeping import Chunk, here, note_about
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Source, Step
from logs.models import (
    Action,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Priority,
)

HELLOS = Step("member_email_deliveries", key="member_id")
WELCOMES = Step(
    "members", where="t.received_student_welcome_email OR t.received_coach_welcome_email"
)
REASON = "imported from planner"
# Which of planner's tables says that such a letter was sent.
TOLD_BY = {
    Action.INVITE: "workshop_invitations",
    Action.REMINDER: "workshop_invitations",
    Action.FEEDBACK: "feedback_requests",
    Action.HELLO: "member_email_deliveries",
    Action.WELCOME: "members",
}


def bring_hellos(chunk: Chunk) -> None:
    """Planner kept the letters of its three-month chaser, and writes nobody a second one."""
    members = here("members", (row.member_id for row in chunk.rows))
    told = _told_hello(members.values())
    hellos = []
    for row in chunk.rows:
        member = members.get(row.member_id)
        if member is None:
            chunk.leave_out(Rule.PERSON_IS_NOT_THERE, row.id)
        elif member in told:
            chunk.merge(Rule.ONE_HELLO, row.id, into=None)
        else:
            told.add(member)
            hellos.append(single(member, Action.HELLO, at=row.created_at or chunk.at))
    InvitationLogEntry.objects.bulk_create(hellos)


def mark(planner: Source, *, at: datetime) -> None:
    """Mark what is not marked yet; a transaction for each workshop, or for some members."""
    for workshop in Workshop.objects.upcoming(at).select_related("chapter").order_by("pk"):
        with transaction.atomic():
            _mark_invitations(workshop, at=at)
            _mark_reminders(planner, workshop)
    key: int | None = None
    while found := planner.rows_after(WELCOMES, key):
        rows, key = found
        with transaction.atomic():
            _add_missing(_welcomes(rows, at=at))


def count() -> None:
    """Say in the report how many letters are marked; once, as the import ends."""
    marked = InvitationLogEntry.objects.filter(reason=REASON).values_list("action")
    for action, letters in marked.annotate(Count("pk")).order_by("action"):
        note_about(
            TOLD_BY[Action(action)], Rule.MARKED_AS_SENT, detail=f"{action}: {letters} letters"
        )


def single(
    member: int, action: Action, *, at: datetime, workshop: int | None = None, occasion: str = ""
) -> InvitationLogEntry:
    """A letter of no log that planner sent; not saved yet."""
    return InvitationLogEntry(
        log=None,
        member_id=member,
        workshop_id=workshop,
        action=action,
        occasion=occasion,
        **_sent(at),
    )


def _sent(at: datetime) -> dict[str, object]:
    return {
        "status": EntryStatus.SUCCESS,
        "reason": REASON,
        "is_settled": True,
        "priority": Priority.BULK,
        "due_at": at,
        "created_at": at,
        "changed_at": at,
    }


def _told_hello(members: Iterable[int]) -> set[int]:
    told = InvitationLogEntry.objects.filter(
        member__in=set(members), workshop=None, action=Action.HELLO
    )
    return set(told.values_list("member", flat=True))


def _mark_invitations(workshop: Workshop, *, at: datetime) -> None:
    """Everybody whom planner invited and whose letter is not in a log of planner's."""
    letters = InvitationLogEntry.objects.filter(
        workshop=workshop, member=OuterRef("member"), action=Action.INVITE
    )
    invited = Invitation.objects.filter(
        ~Exists(letters.filter(status=EntryStatus.SUCCESS)), workshop=workshop
    )
    missing = list(invited.order_by("member").values_list("member", "created_at"))
    if not missing:
        return
    log = InvitationLog.objects.create(
        workshop=workshop,
        chapter_id=workshop.chapter_id,
        audience=Audience.EVERYONE,
        action=Action.INVITE,
        status=LogStatus.COMPLETED,
        source=InvitationLog.Source.IMPORT,
        reason=REASON,
        created_at=at,
        started_at=at,
        finished_at=at,
    )
    InvitationLogEntry.objects.bulk_create(
        InvitationLogEntry(
            log=log,
            member_id=member,
            workshop=workshop,
            action=Action.INVITE,
            **_sent(invited_at),
        )
        for member, invited_at in missing
    )


def _mark_reminders(planner: Source, workshop: Workshop) -> None:
    """Those who were reminded of this start; whoever was not will be."""
    rows = planner.select(
        f"SELECT {planner.columns('workshop_invitations')} FROM workshop_invitations t"  # noqa: S608 -- our own
        " WHERE t.workshop_id = %(workshop)s AND t.reminded_at IS NOT NULL ORDER BY t.id",
        workshop=workshop.pk,
    )
    members = here("members", (row.member_id for row in rows))
    occasion = occasion_of_start(workshop)
    reminded = {members[row.member_id]: row for row in rows if row.member_id in members}
    _add_missing(
        single(member, Action.REMINDER, at=row.reminded_at, workshop=workshop.pk, occasion=occasion)
        for member, row in reminded.items()
    )


def _welcomes(rows: list[Row], *, at: datetime) -> Iterable[InvitationLogEntry]:
    members = here("members", (row.id for row in rows))
    for row in rows:
        flags = {
            Role.STUDENT: row.received_student_welcome_email,
            Role.COACH: row.received_coach_welcome_email,
        }
        for role, was_welcomed in flags.items():
            if was_welcomed and row.id in members:
                yield single(
                    members[row.id], Action.WELCOME, at=row.created_at or at, occasion=role
                )


def _add_missing(letters: Iterable[InvitationLogEntry]) -> None:
    InvitationLogEntry.objects.bulk_create(letters, ignore_conflicts=True)
