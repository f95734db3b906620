"""Messages, changes, cancellations and letters to one member, with real workers and mail server."""

from __future__ import annotations

from collections import Counter

import pytest
from django.utils import timezone

from chapters.models import Role, Subscription, Workshop
from invitations import tasks
from invitations.models import Answer
from invitations.services import claiming, inviting, preparing, sweeping
from invitations.services.manager import InvitationManager
from logs.models import Action, EntryStatus, InvitationLog, InvitationLogEntry, LogStatus
from logs.services import steering
from logs.services.logger import InvitationLogger
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    MemberFactory,
    NoticeFactory,
    SubscriptionFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    subscribe,
)
from tests.support.here import send_here, send_once_here
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, Station
from tests.support.smtp_sink import STORE_AND_DROP
from tests.support.waiting import wait_until


@pytest.fixture
def workshop():
    """Two people who come, one who waits, one who declined, and two who have not answered."""
    workshop = WorkshopFactory(chapter=chapter_with())
    for answer in ("attending", "attending", "waiting", "declined", "", ""):
        invitation = InvitationFactory(workshop=workshop, answer=answer)
        InvitationLogEntry.objects.create(
            log=None,
            workshop=workshop,
            member=invitation.member,
            status=EntryStatus.SUCCESS,
            answer_code=250,
        )
    return workshop


def addresses(workshop: Workshop, *answers: str) -> Counter[str]:
    invitations = workshop.invitations.filter(answer__in=answers)
    return Counter(invitations.values_list("member__email", flat=True))


def subjects(station: Station) -> set[str]:
    return {str(letter.message["Subject"]) for letter in station.sink.letters}


def test_workers_send_each_letter_to_exactly_those_it_is_for(station: Station, workshop):
    station.start_worker()
    station.start_beat()
    organiser, banned, warned = MemberFactory(), MemberFactory(), MemberFactory()
    ban, warning = BanFactory(member=banned), NoticeFactory(member=warned)
    manager = InvitationManager()

    message = manager.send_message(
        workshop, "attending", organiser, subject="Bring a scarf", text="The heating is off."
    )
    changes = manager.send_change(workshop, organiser, include_unanswered=True)
    test = manager.send_test(workshop, Role.COACH, organiser, note="Pizza!")
    for member, action, row in (
        (banned, Action.BAN, ban),
        (warned, Action.WARNING, warning),
        (organiser, Action.ELIGIBILITY, NoticeFactory(member=organiser, kind="eligibility")),
    ):
        InvitationLogger().single(member=member, workshop=None, action=action, occasion=str(row.pk))
    tasks.ring()
    wait_until_quiet(message, test, *changes)

    day = f"{workshop.local_start:%A %-d %B}"
    letters = {
        "Bring a scarf": addresses(workshop, "attending"),
        f"Changed: our workshop on {day}": addresses(workshop, "attending", "waiting", ""),
        f"[Test] Come and coach with us on {day}": Counter([organiser.email]),
        "Your codebar account is suspended": Counter([banned.email]),
        "We missed you at our workshops": Counter([warned.email]),
        "A short question before you come to a workshop": Counter([organiser.email]),
    }
    sent = {
        subject: Counter(
            letter.recipient
            for letter in station.sink.letters
            if str(letter.message["Subject"]) == subject
        )
        for subject in subjects(station)
    }
    assert sent == letters or station.mishaps


def test_workers_tell_of_a_cancellation_and_the_calendars(station: Station, workshop):
    station.variables |= PATIENT
    station.start_worker()
    Workshop.objects.filter(pk=workshop.pk).update(cancelled_at=timezone.now(), sequence=1)

    logs = InvitationManager().send_cancellation(workshop, MemberFactory())
    station.start_beat()  # only for what a busy machine left to be tried again
    wait_until(lambda: all(_is_done(log) for log in logs), what="everybody to be told")

    assert station.sink.recipients == addresses(workshop, "attending", "waiting")
    methods = {
        letter.recipient: "METHOD:CANCEL" in letter.content.decode()
        for letter in station.sink.letters
    }
    assert methods == {
        **dict.fromkeys(addresses(workshop, "attending"), True),
        **dict.fromkeys(addresses(workshop, "waiting"), False),
    }


def test_planned_letters_leave_at_their_moment_also_to_whoever_joined_since(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    log = inviting.invite(
        workshop,
        audience="students",
        initiator=MemberFactory(),
        at=timezone.now(),
        send_at=in_days(1),
        seen_count=3,
        note="Pizza!",
    )
    InvitationLog.objects.filter(pk=log.pk).update(created_at=in_days(-1))
    for _ in range(2):
        SubscriptionFactory(group=workshop.chapter.groups.get(role=Role.STUDENT))

    sweeping.sweep()
    log.refresh_from_db()
    assert log.status == LogStatus.SCHEDULED

    InvitationLog.objects.filter(pk=log.pk).update(send_at=timezone.now())
    sweeping.sweep()
    send_here(log)

    assert_settled(station.sink, log, audience=5, faults=0)
    assert len(station.sink.letters) == 5
    assert all("Pizza!" in letter.content.decode() for letter in station.sink.letters)


def test_planned_letters_to_far_more_people_than_were_seen_do_not_leave(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    log = inviting.invite(
        workshop,
        audience="students",
        initiator=MemberFactory(),
        at=timezone.now(),
        send_at=in_days(1),
        seen_count=1,
    )
    _let_leave_now(log)

    send_once_here(log)

    assert log.status == LogStatus.FAILED
    assert "promised letters to 1 people, and 3" in log.reason


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"is_invitable": False}, "not open for invitations"),
        ({"starts_at": in_days(-1)}, "already begun"),
        ({"cancelled_at": timezone.now()}, "is cancelled"),
    ],
    ids=["closed", "begun", "cancelled"],
)
def test_planned_letters_do_not_leave_when_nobody_can_be_invited_any_more(
    station: Station, change: dict[str, object], sentence: str
):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    log = inviting.invite(
        workshop,
        audience="students",
        initiator=MemberFactory(),
        at=timezone.now(),
        send_at=in_days(1),
    )
    Workshop.objects.filter(pk=workshop.pk).update(**change)
    _let_leave_now(log)

    send_once_here(log)

    assert log.status == LogStatus.FAILED
    assert sentence in log.reason
    assert station.sink.letters == []


# ---- What counts at the moment of the claim ------------------------------------------------


def closes_the_account(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(closed_at=timezone.now())


def loses_the_mailbox(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(address_unusable_at=timezone.now())


def answers(member: Member) -> None:
    member.invitations.update(answer=Answer.DECLINED)


def is_banned(member: Member) -> None:
    BanFactory(member=member)


def unsubscribes(member: Member) -> None:
    Subscription.objects.filter(member=member).delete()


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (
            "attending",
            {
                closes_the_account: "closed the account",
                loses_the_mailbox: "has an address we cannot use",
                answers: claiming.ANSWERED_ANEW,
                is_banned: "",
                unsubscribes: "",
            },
        ),
        (
            "unanswered",
            {
                closes_the_account: "closed the account",
                loses_the_mailbox: "has an address we cannot use",
                answers: claiming.ANSWERED_ANEW,
                is_banned: "is banned",
                unsubscribes: "is no longer subscribed",
            },
        ),
    ],
)
def test_what_happened_since_the_message_was_written_counts(station: Station, answer, reasons):
    workshop = WorkshopFactory()
    people = {}
    for change in reasons:
        given = Answer.ATTENDING if answer == "attending" else Answer.NONE
        invitation = InvitationFactory(workshop=workshop, answer=given)
        InvitationLogEntry.objects.create(
            workshop=workshop, member=invitation.member, status="success", answer_code=250
        )
        people[change] = invitation.member
    log = InvitationManager().send_message(
        workshop, answer, MemberFactory(), subject="Scarves", text="Cold."
    )
    preparing.prepare(log.pk)

    for change, member in people.items():
        change(member)
    send_once_here(log)

    entries = {entry.member_id: entry for entry in log.entries.all()}
    assert {c: entries[m.pk].reason for c, m in people.items()} == reasons
    assert station.sink.recipients == Counter(
        people[change].email for change, reason in reasons.items() if not reason
    )


@pytest.mark.parametrize(
    ("action", "change", "reason"),
    [
        ("message", {"cancelled_at": timezone.now()}, claiming.WORKSHOP_CANCELLED),
        ("message", {"starts_at": in_days(-1)}, ""),
        ("change", {"cancelled_at": timezone.now()}, claiming.WORKSHOP_CANCELLED),
        ("change", {"starts_at": in_days(-1)}, claiming.WORKSHOP_BEGUN),
        ("change", {"sequence": 7}, ""),  # moved again, and nobody was told of that
        ("cancellation", {"cancelled_at": timezone.now()}, ""),
        ("cancellation", {"cancelled_at": None}, claiming.NOT_CANCELLED),
    ],
)
def test_what_became_of_the_workshop_counts(
    station: Station, workshop, action: str, change: dict[str, object], reason: str
):
    organiser, manager = MemberFactory(), InvitationManager()
    log = {
        "message": lambda: manager.send_message(
            workshop, "attending", organiser, subject="Scarves", text="Cold."
        ),
        "change": lambda: manager.send_change(workshop, organiser)[0],
        "cancellation": lambda: manager.send_cancellation(workshop, organiser)[0],
    }[action]()
    preparing.prepare(log.pk)

    Workshop.objects.filter(pk=workshop.pk).update(**change)
    send_once_here(log)

    assert set(log.entries.values_list("status", "reason")) == {
        ("skipped" if reason else "success", reason)
    }


def test_a_place_is_told_only_while_it_is_held(station: Station):
    workshop = WorkshopFactory()
    holding, declined, later = (
        InvitationFactory(workshop=workshop, answer=answer, answer_number=2)
        for answer in (Answer.ATTENDING, Answer.DECLINED, Answer.ATTENDING)
    )
    for invitation, occasion in ((holding, "2"), (declined, "2"), (later, "1")):
        InvitationLogger().single(
            member=invitation.member, workshop=workshop, action=Action.PLACE, occasion=occasion
        )

    send_once_here()

    assert station.sink.recipients == Counter([holding.member.email])
    reasons = InvitationLogEntry.objects.filter(status="skipped").values_list("reason", flat=True)
    assert set(reasons) == {claiming.OUTDATED}


def test_a_letter_to_one_member_goes_although_they_are_banned_and_not_to_a_closed_account(
    station: Station,
):
    banned, closed = MemberFactory(), MemberFactory(closed=True)
    for member in (banned, closed):
        InvitationLogger().single(
            member=member,
            workshop=None,
            action=Action.BAN,
            occasion=str(BanFactory(member=member, permanent=True).pk),
        )

    send_once_here()

    assert station.sink.recipients == Counter([banned.email])


def test_a_test_goes_to_an_organiser_who_could_not_be_invited(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    organiser = subscribe(MemberFactory(banned=True), workshop.chapter, Role.STUDENT)

    log = InvitationManager().send_test(workshop, Role.STUDENT, organiser)
    send_once_here()
    steering.finish_done()

    log.refresh_from_db()
    assert log.status == LogStatus.COMPLETED
    assert station.sink.recipients == Counter([organiser.email])


def test_thanks_that_the_mail_server_puts_off_are_tried_again_after_the_workshop(
    station: Station,
):
    workshop = WorkshopFactory(past=True)
    guest = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING).member
    asked: list[str] = []

    def put_off_once(step: str, recipient: str) -> str | None:
        if step != "rcpt" or asked:
            return None
        asked.append(recipient)
        return "451 4.7.1 try again later"

    station.sink.script = put_off_once
    log = InvitationManager().send_message(
        workshop, "attending", MemberFactory(), subject="Thank you", text="It was lovely."
    )
    send_here(log)

    assert asked == [guest.email]
    assert station.sink.recipients == Counter([guest.email])


@pytest.mark.parametrize("action", ["message", "change", "cancellation"])
def test_a_letter_in_doubt_is_sent_once_more(station: Station, workshop, action: str):
    broken: list[str] = []

    def break_once(step: str, recipient: str) -> str | None:
        if step != "dot" or broken:
            return None
        broken.append(recipient)
        return STORE_AND_DROP

    station.sink.script = break_once
    organiser, manager = MemberFactory(), InvitationManager()
    if action == "message":
        log = manager.send_message(workshop, "attending", organiser, subject="A", text="B")
    elif action == "change":
        log = manager.send_change(workshop, organiser)[0]
    else:
        Workshop.objects.filter(pk=workshop.pk).update(cancelled_at=timezone.now())
        log = manager.send_cancellation(workshop, organiser)[0]
    send_here(log)

    assert_settled(station.sink, log, audience=2, faults=1)
    assert [e.member.email for e in log.entries.filter(doubts=1, status="success")] == broken
    assert station.sink.recipients[broken[0]] == 2


def _let_leave_now(log: InvitationLog) -> None:
    InvitationLog.objects.filter(pk=log.pk).update(status=LogStatus.PREPARING)


def _is_done(log: InvitationLog) -> bool:
    log.refresh_from_db()
    return log.status == LogStatus.COMPLETED


def test_a_later_change_replaces_one_that_has_not_left(station: Station, workshop):
    organiser, manager = MemberFactory(), InvitationManager()
    first, *_ = manager.send_change(workshop, organiser)
    preparing.prepare(first.pk)

    Workshop.objects.filter(pk=workshop.pk).update(sequence=7)
    manager.send_change(workshop, organiser)
    send_once_here(first)

    assert set(first.entries.values_list("status", "reason")) == {
        ("skipped", claiming.CHANGED_AGAIN)
    }
