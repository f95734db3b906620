"""
The three bugs for which planner's members got two letters or none, and the one behind them.

Each docstring names the line without which the test fails.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, connections, transaction

from chapters.models import Chapter, Group, Role, Subscription
from chapters.services import subscribing
from invitations.models import Invitation
from invitations.services import delivering, preparing
from invitations.services.manager import InvitationManager
from logs.models import Action, EntryStatus, InvitationLog, InvitationLogEntry, LogStatus
from logs.services import steering
from logs.services.logger import InvitationLogger
from members.models import Member
from tests.factories import (
    BanFactory,
    GroupFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    SubscriptionFactory,
    WorkshopFactory,
    chapter_with,
    subscribe,
)
from tests.support.processes import Station
from tests.support.waiting import wait_until

# ---- Rows doubled by the join to groups ---------------------------------------------------


@pytest.mark.django_db
def test_a_member_in_several_groups_is_one_person():
    """
    Planner joined members to groups and counted, or wrote to, a person once per group.

    Without the Exists in `queries.subscribed` (with `filter(groups__chapter=chapter,
    groups__role__in=roles)` in its place) everybody here is doubled.
    """
    chapter, doubled = doubled_chapter()

    students = InvitationManager().chapter_students(chapter)
    coaches = InvitationManager().chapter_coaches(chapter)

    assert sorted(students, key=by_id) == sorted(doubled, key=by_id)
    assert sorted(coaches, key=by_id) == sorted(doubled, key=by_id)
    assert students.count() == coaches.count() == len(doubled)


@pytest.mark.django_db
def test_a_member_with_several_bans_is_one_person_and_is_banned():
    """
    Planner's join to bans gave a row per ban, and an expired one let an active one through.

    Without the Exists in `MemberQuerySet.not_banned` (with planner's
    `filter(Q(bans=None) | Q(bans__expires_at__lt=Now()))` in its place) both go wrong.
    """
    chapter = chapter_with()
    forgiven, banned_again = MemberFactory(), MemberFactory()
    for member in (forgiven, banned_again):
        subscribe(member, chapter, Role.STUDENT)
        BanFactory.create_batch(2, member=member, expired=True)
    BanFactory(member=banned_again)

    assert list(InvitationManager().chapter_students(chapter)) == [forgiven]


def test_everybody_in_a_doubled_chapter_gets_one_letter(station: Station):
    """
    The bug behind them: the second row of a doubled member broke the whole run, so whoever came
    after got nothing. Here nobody is missed and nobody is doubled, counted at the mail server.

    With the join in `queries.subscribed` nobody at all is written to: the ON CONFLICT of
    `preparing._invite` refuses to touch a row twice and the log never leaves `preparing`.
    """
    chapter, doubled = doubled_chapter()
    single = SubscriptionFactory.create_batch(3, group=chapter.groups.first())
    workshop = WorkshopFactory(chapter=chapter)

    log = InvitationManager().send_workshop_emails(workshop, "everyone", MemberFactory())
    send(log)

    everybody = {*(m.email for m in doubled), *(s.member.email for s in single)}
    assert station.sink.recipients == Counter(dict.fromkeys(everybody, 1))
    assert log.entries.filter(status=EntryStatus.SUCCESS).count() == len(everybody)
    assert {i.member_id: i.role for i in Invitation.objects.filter(member__in=doubled)} == (
        dict.fromkeys((m.pk for m in doubled), Role.COACH)
    )


def doubled_chapter() -> tuple[Chapter, list[Member]]:
    """A chapter with two groups of each role, and three members who are in all four."""
    chapter = chapter_with()
    for role in Role:
        GroupFactory(chapter=chapter, role=role, name=f"Another of {role}")
    members = MemberFactory.create_batch(3)
    for group in chapter.groups.all():
        for member in members:
            SubscriptionFactory(member=member, group=group)
    return chapter, members


def by_id(member: Member) -> int:
    return member.pk


# ---- Two simultaneous subscriptions -------------------------------------------------------


def test_subscribing_twice_at_the_same_moment_is_one_subscription(ledger: None):
    """
    Planner looked, found nothing, and inserted; two requests at once both did.

    Without the constraint `one_subscription_per_member_and_group` there are two rows. Without
    `get_or_create` in `subscribing.subscribe` (with `create` in its place) the second request
    ends in an IntegrityError.
    """
    member, group = MemberFactory(), GroupFactory()
    inserted, may_commit = Event(), Event()

    with ThreadPoolExecutor(2) as requests:
        first = requests.submit(_subscribe_slowly, member, group, inserted, may_commit)
        assert inserted.wait(10)
        second = requests.submit(_subscribe, member, group)
        try:
            wait_until(lambda: second.done() or _somebody_waits_for_a_row())
        finally:
            may_commit.set()

    assert first.result() == second.result() == Subscription.objects.get().pk


def _subscribe_slowly(member: Member, group: Group, inserted: Event, may_commit: Event) -> int:
    try:
        with transaction.atomic():
            subscription = subscribing.subscribe(member, group)
            inserted.set()
            assert may_commit.wait(20)
        return subscription.pk
    finally:
        connections.close_all()


def _subscribe(member: Member, group: Group) -> int:
    try:
        return subscribing.subscribe(member, group).pk
    finally:
        connections.close_all()


def _somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        )
        return bool(cursor.fetchone()[0])


# ---- A failure followed by a success ------------------------------------------------------


def test_a_failure_followed_by_a_success_is_one_entry(station: Station):
    """
    Planner looked an entry up by its status, so the success found none and inserted a second
    row, which its own rule of uniqueness refused: the letter was sent and the run was broken.

    Without the `update` in `steering.retry_failed` (with new entries in the log in its place)
    `one_entry_per_log_and_member` refuses.
    """
    chapter = chapter_with(students=2)
    workshop = WorkshopFactory(chapter=chapter)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    unlucky = Member.objects.filter(groups__chapter=chapter).first()
    station.sink.script = lambda step, recipient: (
        "550 5.2.1 Mailbox disabled" if (step, recipient) == ("rcpt", unlucky.email) else None
    )
    send(log)
    failed = log.entries.get(member=unlucky)
    assert (failed.status, failed.answer_code) == (EntryStatus.FAILED, 550)

    station.sink.script = None
    assert steering.retry_failed(log) == []
    delivering.deliver_what_is_due()

    entry = InvitationLogEntry.objects.get(member=unlucky)
    assert (entry.pk, entry.message_id) == (failed.pk, failed.message_id)
    assert (entry.status, entry.answer_code) == (EntryStatus.SUCCESS, 250)
    assert station.sink.recipients[unlucky.email] == 1
    log.refresh_from_db()
    assert log.status == LogStatus.COMPLETED


@pytest.mark.django_db
def test_a_single_letter_that_failed_is_revived():
    """
    With `status` among the keys of `InvitationLogger.single` the second call looks for another
    row, finds none, and `one_single_letter_per_occasion` refuses its insertion.
    """
    failed = InvitationLogEntryFactory(
        log=None, action=Action.CONFIRMATION, occasion="1", status=EntryStatus.FAILED, tries=8
    )

    again = InvitationLogger().single(
        member=failed.member, workshop=failed.workshop, action=Action.CONFIRMATION, occasion="1"
    )

    entry = InvitationLogEntry.objects.get(member=failed.member)
    assert again == entry == failed
    assert (entry.status, entry.tries) == (EntryStatus.PENDING, 0)


def send(log: InvitationLog) -> None:
    """What the workers do once the bell rings."""
    preparing.prepare(log.pk)
    delivering.deliver_what_is_due()
