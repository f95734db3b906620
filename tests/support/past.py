"""Workshops of long ago, and the night in which they are forgotten (R38)."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from invitations.models import Answer
from invitations.services import (
    forgetting,
)
from logs.models import (
    Action,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from logs.queries import Progress
from members.models import Member
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
)

KEPT = 180
LONG_AGO = -(KEPT + 20)


def forget(*, at: datetime | None = None, seconds: float = 60) -> bool:
    return forgetting.forget(at=at or timezone.now(), seconds=seconds)


def long_past(*, days: int = LONG_AGO, **fields: object) -> InvitationLog:
    """
    The log of a workshop that is long over: of five people two answered, and one of these came.
    """
    chapter = chapter_with(students=5)
    workshop = WorkshopFactory(chapter=chapter, starts_at=in_days(days))
    log: InvitationLog = InvitationLogFactory(
        **{
            "workshop": workshop,
            "status": LogStatus.COMPLETED,
            "created_at": in_days(days - 10),
            "finished_at": in_days(days - 10),
        }
        | fields
    )
    people = Member.objects.filter(subscriptions__group__chapter=chapter).order_by("pk")
    statuses = [EntryStatus.SUCCESS] * 3 + [EntryStatus.FAILED, EntryStatus.SKIPPED]
    answers = [Answer.ATTENDING, Answer.DECLINED, Answer.NONE, Answer.NONE, Answer.NONE]
    for member, status, answer in zip(people, statuses, answers, strict=True):
        moments = {"created_at": log.created_at, "changed_at": log.created_at}
        InvitationLogEntryFactory(log=log, member=member, status=status, reason="is why", **moments)
        InvitationFactory(
            workshop=workshop,
            member=member,
            answer=answer,
            created_at=log.created_at,
            attended_at=workshop.starts_at if answer == Answer.ATTENDING else None,
        )
    return log


def left_waiting(status: LogStatus, *, days: int, **fields: object) -> InvitationLog:
    """A log that nobody carried on with, of a workshop so many days ago, with a letter to go."""
    workshop = WorkshopFactory(starts_at=in_days(-days))
    log: InvitationLog = InvitationLogFactory(
        **{"workshop": workshop, "status": status, "created_at": in_days(-days - 3)} | fields
    )
    InvitationLogEntryFactory(log=log, workshop=workshop)
    return log


def single(action: Action, **fields: object) -> InvitationLogEntry:
    entry: InvitationLogEntry = InvitationLogEntryFactory(
        **{
            "log": None,
            "workshop": None,
            "action": action,
            "status": EntryStatus.SUCCESS,
            "changed_at": in_days(LONG_AGO),
        }
        | fields
    )
    return entry


NUMBERS = Progress(
    pending=0,
    sending=0,
    success=3,
    failed=1,
    skipped=1,
    unknown=0,
    cancelled=0,
    possible_duplicates=0,
)
