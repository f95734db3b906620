"""R15: what changes between the click and the letter counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from chapters.models import Role, Subscription, Workshop
from invitations.models import Answer
from invitations.services import claiming, preparing
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog
from logs.services import steering
from members.models import Ban, Member
from tests.factories import (
    BanFactory,
    GroupFactory,
    MemberFactory,
    SubscriptionFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    subscribe,
)
from tests.support.here import send_here
from tests.support.ledger import assert_settled
from tests.support.processes import Station
from tests.support.waiting import wait_until


def is_banned(member: Member) -> None:
    BanFactory(member=member)


def unsubscribes(member: Member) -> None:
    Subscription.objects.filter(member=member).delete()


def changes_to_coaching(member: Member) -> None:
    chapter = member.subscriptions.get().group.chapter
    unsubscribes(member)
    subscribe(member, chapter, Role.COACH)


def withdraws_the_terms(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(accepted_terms_at=None)


def closes_the_account(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(closed_at=timezone.now())


def loses_the_mailbox(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(address_unusable_at=timezone.now())


def answers(member: Member) -> None:
    member.invitations.update(answer=Answer.DECLINED, answer_number=1, answered_at=timezone.now())


def moves_to_another_group(member: Member) -> None:
    group = member.subscriptions.get().group
    unsubscribes(member)
    SubscriptionFactory(member=member, group=GroupFactory(chapter=group.chapter, role=group.role))


CHANGES: dict[Callable[[Member], None], str] = {
    is_banned: "is banned",
    unsubscribes: "is no longer subscribed",
    changes_to_coaching: "is no longer subscribed",
    withdraws_the_terms: "has not accepted the terms",
    closes_the_account: "closed the account",
    loses_the_mailbox: "has an address we cannot use",
    answers: "has already answered",
    moves_to_another_group: "",
}


def test_r15_whoever_may_no_longer_be_written_to_is_skipped_with_the_reason(station: Station):
    chapter = chapter_with(students=2)
    people = {change: MemberFactory() for change in CHANGES}
    for member in people.values():
        subscribe(member, chapter, Role.STUDENT)
    log = prepared_and_paused(WorkshopFactory(chapter=chapter))
    assert log.entries.filter(status="pending").count() == 2 + len(CHANGES)

    for change, member in people.items():
        change(member)
    steering.resume(log)
    send_here(log)

    entries = {entry.member_id: entry for entry in log.entries.all()}
    reasons = {change: entries[member.pk].reason for change, member in people.items()}
    assert reasons == CHANGES
    assert_settled(station.sink, log, audience=2 + len(CHANGES), faults=0)
    assert Counter(entry.status for entry in entries.values()) == {"success": 3, "skipped": 7}
    assert len(station.sink.letters) == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cancelled_at": timezone.now()}, claiming.WORKSHOP_CANCELLED),
        ({"starts_at": in_days(-1)}, claiming.WORKSHOP_BEGUN),
        ({"rsvp_closes_at": in_days(-1)}, claiming.ANSWERS_CLOSED),
    ],
    ids=["cancelled", "begun", "answers closed"],
)
def test_r15_nobody_is_invited_to_what_will_not_happen(
    station: Station, change: dict[str, object], reason: str
):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    log = prepared_and_paused(workshop)

    Workshop.objects.filter(pk=workshop.pk).update(**change)
    steering.resume(log)
    send_here(log)

    assert set(log.entries.values_list("status", "reason")) == {("skipped", reason)}
    assert_settled(station.sink, log, audience=3, faults=0)
    assert station.sink.letters == []


def test_r15_a_changed_address_gets_the_letter(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    member = Member.objects.get(groups__chapter=workshop.chapter)
    log = prepared_and_paused(workshop)

    Member.objects.filter(pk=member.pk).update(email="new@people.example")
    steering.resume(log)
    send_here(log)

    assert station.sink.recipients == Counter(["new@people.example"])


BANS: dict[str, tuple[list[dict[str, object]], bool]] = {
    "none": ([], True),
    "expired": ([{"expires_at": in_days(-1)}], True),
    "expired and active": ([{"expires_at": in_days(-1)}, {"expires_at": in_days(1)}], False),
    "active and expired": ([{"expires_at": in_days(1)}, {"expires_at": in_days(-1)}], False),
    "permanent": ([{"expires_at": None, "is_permanent": True}], False),
    "permanent with a past end": ([{"expires_at": in_days(-1), "is_permanent": True}], False),
    "expired and permanent": (
        [{"expires_at": in_days(-1)}, {"expires_at": None, "is_permanent": True}],
        False,
    ),
}


@pytest.mark.parametrize("when", ["before the click", "after the click"])
def test_r15_every_kind_of_ban(station: Station, when: str):
    chapter = chapter_with()
    people = {name: subscribe(MemberFactory(), chapter, Role.STUDENT) for name in BANS}
    workshop = WorkshopFactory(chapter=chapter)

    if when == "before the click":
        ban_as_named(people)
        log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    else:
        log = prepared_and_paused(workshop)
        ban_as_named(people)
        steering.resume(log)
    send_here(log)

    got_a_letter = {name: people[name].email in station.sink.recipients for name in people}
    assert got_a_letter == {name: is_invited for name, (_, is_invited) in BANS.items()}
    reasons = log.entries.filter(status="skipped").values_list("reason", flat=True)
    assert Counter(reasons) == {"is banned": 5}


def test_r15_a_ban_ends_at_its_moment_and_not_a_day_later(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    nearly_free, banned = Member.objects.filter(groups__chapter=workshop.chapter)
    log = prepared_and_paused(workshop)
    BanFactory(member=nearly_free, expires_at=timezone.now() + timedelta(seconds=0.5))
    BanFactory(member=banned, expires_at=timezone.now() + timedelta(minutes=1))

    wait_until(lambda: not Ban.objects.active().filter(member=nearly_free).exists())
    steering.resume(log)
    send_here(log)

    assert station.sink.recipients == Counter([nearly_free.email])


def ban_as_named(people: dict[str, Member]) -> None:
    for name, (bans, _) in BANS.items():
        for ban in bans:
            BanFactory(member=people[name], **ban)


def prepared_and_paused(workshop: Workshop) -> InvitationLog:
    """Everybody waits for their letter, and nothing leaves."""
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)
    steering.pause(log)
    return log
