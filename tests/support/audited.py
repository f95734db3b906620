"""A workshop whose people were invited, and what an audit says about it."""

from __future__ import annotations

from chapters.models import Role, Subscription
from invitations.models import Invitation
from invitations.queries import auditing
from invitations.queries.auditing import Breach
from logs.models import EntryStatus, InvitationLog, InvitationLogEntry, LogStatus
from members.models import Member
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
)


def invited(*, students: int = 3, **fields: object) -> InvitationLog:
    """A workshop whose students were all invited yesterday, by a log that is done."""
    chapter = chapter_with(students=students)
    Subscription.objects.update(created_at=in_days(-30))
    log = InvitationLogFactory(
        workshop=WorkshopFactory(chapter=chapter, **fields),
        status=LogStatus.COMPLETED,
        created_at=in_days(-1),
        started_at=in_days(-1),
    )
    for member in Member.objects.filter(subscriptions__group__chapter=chapter):
        letter_to(member, log)
    return log


def letter_to(
    member: Member, log: InvitationLog, status: EntryStatus = EntryStatus.SUCCESS, **fields: object
) -> InvitationLogEntry:
    """Their invitation and their letter, as `prepare` writes them."""
    made = {"created_at": in_days(-1)}
    Invitation.objects.get_or_create(
        workshop=log.workshop, member=member, defaults={"role": Role.STUDENT} | made
    )
    fields = {"changed_at": in_days(-1)} | made | fields
    entry: InvitationLogEntry = InvitationLogEntryFactory(
        log=log, member=member, status=status, **fields
    )
    return entry


def found() -> list[Breach]:
    """Everything that is found; and that asking about its workshop alone finds as much of it."""
    everything = list(auditing.breaches())
    for workshop_id in {breach.workshop for breach in everything if breach.workshop}:
        alone = {breach for breach in everything if breach.workshop == workshop_id}
        assert set(auditing.breaches(workshop_id)) == alone
    return everything


def who(breaches: list[Breach]) -> list[tuple[str, int | None, bool, str]]:
    return [(b.kind, b.member, b.is_open, b.reason) for b in breaches]
