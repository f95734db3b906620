"""What the workers and the beat do, in this process: for tests about what is sent, not by whom."""

from __future__ import annotations

from functools import cache

from chapters.models import Chapter, Role, Subscription
from invitations import mails
from invitations.services import delivering, preparing, sweeping
from logs.models import TO_GO, Action, InvitationLog, InvitationLogEntry, LogStatus
from members.models import Member
from tests.support.waiting import wait_until


def send_here(*logs: InvitationLog, seconds: float = 30) -> None:
    """Prepare these logs, in this order, and send until nothing waits."""
    _warm_up()
    for log in logs:
        preparing.prepare(log.pk)
    wait_until(_has_sent_all, seconds=seconds, every=0.02, what="everything to be sent")
    for log in logs:
        log.refresh_from_db()


def send_once_here(*logs: InvitationLog) -> None:
    """Prepare these logs and send what is due now; what waits for a later moment still waits."""
    _warm_up()
    for log in logs:
        preparing.prepare(log.pk)
    while delivering.deliver_what_is_due():
        pass
    for log in logs:
        log.refresh_from_db()


def crowd(chapter: Chapter, count: int, *, role: Role = Role.STUDENT) -> list[Member]:
    """So many people in a group of this chapter, in a few statements."""
    group = chapter.groups.filter(role=role).earliest("pk")
    people = Member.objects.bulk_create(
        Member(
            name="Amina",
            surname=f"of {count}",
            email=f"one{n}of{group.pk}@crowd.example",
            password="!",
            accepted_terms_at=group.chapter.created_at,
        )
        for n in range(count)
    )
    Subscription.objects.bulk_create(Subscription(member=one, group=group) for one in people)
    return people


@cache
def _warm_up() -> None:
    """
    The first letter that a process writes takes it half a second, for templates and styles; with
    the short times of the tests that would look like a mail server that is too slow.
    """
    mails.draft_to_a_member(action=Action.WELCOME, occasion=Role.STUDENT)


def _has_sent_all() -> bool:
    for log_id in InvitationLog.objects.filter(status=LogStatus.PREPARING).values_list(
        "pk", flat=True
    ):
        preparing.prepare(log_id)
    sweeping.sweep()
    delivering.deliver_what_is_due()
    to_go = InvitationLogEntry.objects.filter(status__in=TO_GO)
    return not to_go.exclude(log__status=LogStatus.PAUSED).exists()
