"""Each kind of fault, planted past the rule that prevents it, is named, and nothing else is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from chapters.models import Group, Role, Subscription, Workshop
from invitations.models import Invitation
from logs.models import (
    Action,
    EntryStatus,
    Hold,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Slot,
    Switch,
)
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    chapter_with,
    in_days,
    subscribe,
)
from tests.support.audited import found, invited, letter_to

pytestmark = pytest.mark.django_db


@contextmanager
def without(name: str, table: str = "logs_invitationlogentry") -> Iterator[None]:
    """The table without this rule. The test's transaction is rolled back, and the rule with it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or the table could not be altered
        cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
        if cursor.fetchone():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        else:
            cursor.execute(f'DROP INDEX "{name}"')
    yield


Plant = Callable[[InvitationLog, InvitationLogEntry], object]
PLANTED: list[tuple[str, str, Plant]] = []


def plants(kind: str, reason: str) -> Callable[[Plant], Plant]:
    """This function makes one thing wrong with a log that is done, and one of its entries."""

    def remember(plant: Plant) -> Plant:
        PLANTED.append((kind, reason, plant))
        return plant

    return remember


def change(entry: InvitationLogEntry, **fields: object) -> None:
    InvitationLogEntry.objects.filter(pk=entry.pk).update(**fields)


def change_log(log: InvitationLog, **fields: object) -> None:
    InvitationLog.objects.filter(pk=log.pk).update(**fields)


def twin(entry: InvitationLogEntry, **fields: object) -> InvitationLogEntry:
    entry.pk, entry.message_id = None, uuid.uuid4()
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.save(force_insert=True)
    return entry


@plants("no_answer", "counts as sent without an answer of the mail server")
def success_without_an_answer(log, entry):
    with without("entry_success_has_an_answer"):
        change(entry, answer_code=None)


@plants("no_answer", "counts as sent, and the mail server said 451")
def success_although_the_server_said_no(log, entry):
    change(entry, answer_code=451)


@plants("no_reason", "may have arrived twice or not at all, and nothing says so")
def a_doubt_without_a_name(log, entry):
    change(entry, doubts=1)


@plants("no_reason", "got no letter, and nothing says why")
def a_failure_without_a_reason(log, entry):
    subscribe(member := MemberFactory(banned=True), log.chapter, Role.STUDENT)
    letter_to(member, log, EntryStatus.FAILED)


@plants("duplicate", "2 letters of one occasion, the first is entry {entry}")
def two_live_letters(log, entry):
    with without("one_live_letter_per_occasion"):
        twin(entry, log=None)


@plants("duplicate", "2 times in one log")
def twice_in_a_log(log, entry):
    with without("one_entry_per_log_and_member"):
        twin(entry, status=EntryStatus.SKIPPED, reason="is banned")


@plants("duplicate", "2 rows of one single letter")
def a_single_letter_twice(log, entry):
    with without("one_single_letter_per_occasion"):
        for _ in range(2):
            twin(entry, log=None, status=EntryStatus.FAILED, reason="“550 no”")


@plants("duplicate", "2 invitations of one person")
def two_invitations(log, entry):
    with without("one_invitation_per_member", "invitations_invitation"):
        InvitationFactory(workshop=log.workshop, member=entry.member)


@plants("duplicate", "2 live logs write to the same people")
def two_live_logs(log, entry):
    with without("one_live_log_per_audience"):
        for _ in range(2):
            InvitationLogFactory(workshop=log.workshop)


@plants("stuck", "being sent, and nobody has it in hand")
def sending_without_a_slot(log, entry):
    change_log(log, status=LogStatus.RUNNING)
    change(entry, status=EntryStatus.SENDING, lease=uuid.uuid4())


@plants("stuck", "the log is over, and this letter has still to go")
def pending_in_a_log_that_is_done(log, entry):
    change(entry, status=EntryStatus.PENDING)


@plants("stuck", "is being prepared for more than 15 minutes")
def preparing_too_long(log, entry):
    other = InvitationLogFactory(workshop=log.workshop, status=LogStatus.PREPARING)
    change_log(other, created_at=timezone.now() - timedelta(minutes=16))


@plants("stuck", "should have left more than 15 minutes ago")
def scheduled_and_forgotten(log, entry):
    other = InvitationLogFactory(workshop=log.workshop, status=LogStatus.SCHEDULED)
    change_log(other, send_at=timezone.now() - timedelta(minutes=16))


@plants("stuck", "runs with nobody left to write to")
def running_without_anybody(log, entry):
    change_log(log, status=LogStatus.RUNNING)


@plants("stuck", "1 letters could leave for an hour, and none does")
def waiting_for_an_hour(log, entry):
    change_log(log, status=LogStatus.RUNNING)
    change(entry, status=EntryStatus.PENDING, due_at=timezone.now() - timedelta(hours=2))


@plants("stuck", "connection 1 is held by a sender that is long gone")
def a_lease_that_expired_long_ago(log, entry):
    Slot.objects.create(nr=1, token=uuid.uuid4(), until=in_days(-1))


@plants("counts", "1 entries are in a state that means nothing, so the sum is short")
def a_state_without_a_meaning(log, entry):
    Invitation.objects.filter(member=entry.member).update(answer="declined", answer_number=1)
    with without("entry_status_is_known"):
        change(entry, status="sent")


@plants("counts", "3 letters, and the organiser was shown 1")
def more_letters_than_promised(log, entry):
    change_log(log, seen_count=1)


@plants("counts", "invited by a log, and in none of them")
def an_invitation_without_an_entry(log, entry):
    Workshop.objects.filter(pk=log.workshop_id).update(
        starts_at=in_days(-1) + timedelta(hours=3), ends_at=timezone.now()
    )
    entry.delete()


@plants("misplaced", "the log is of another chapter than its workshop")
def a_log_of_another_chapter(log, entry):
    change_log(log, chapter=chapter_with())


@plants("misplaced", "the letter is about something else than its log")
def a_letter_about_something_else(log, entry):
    subscribe(member := MemberFactory(), log.chapter, Role.STUDENT)
    letter_to(member, log)
    Invitation.objects.filter(member=entry.member).update(answer="declined", answer_number=1)
    change(entry, action=Action.MESSAGE)


@plants("misplaced", "a letter to somebody who is not in the log that it is about")
def an_apology_to_somebody_else(log, entry):
    letter = {"action": Action.APOLOGY, "occasion": str(log.pk)}
    apology = InvitationLogFactory(
        workshop=log.workshop, about=log, audience="people", status="completed", **letter
    )
    for member in (entry.member, MemberFactory()):
        InvitationLogEntryFactory(log=apology, member=member, status="success", **letter)


@plants("no_invitation", "a letter left to somebody without an invitation")
def a_letter_without_an_invitation(log, entry):
    Invitation.objects.filter(member=entry.member).delete()


@plants("nobody_asked", "nothing says who asked for this log")
def a_log_that_nobody_asked_for(log, entry):
    with without("log_names_who_asked", "logs_invitationlog"):
        change_log(log, initiator=None)


@plants("duplicate", "2 subscriptions to group {group}")
def subscribed_twice(log, entry):
    subscription = entry.member.subscriptions.get()
    with without("one_subscription_per_member_and_group", "chapters_subscription"):
        Subscription.objects.create(member=entry.member, group=subscription.group)


@plants("duplicate", "the same address as member {first}")
def two_members_with_one_address(log, entry):
    with without("email_is_trimmed_and_lower_case", "members_member"):
        first = entry.member
        MemberFactory(email=f" {first.email.upper()}")


@pytest.mark.parametrize(
    ("kind", "reason", "plant"),
    [pytest.param(*planted, id=planted[2].__name__) for planted in PLANTED],
)
def test_what_is_planted_is_named_and_nothing_else(kind, reason, plant):
    log = invited()
    entry = log.entries.earliest("pk")
    number, first = entry.pk, entry.member_id

    plant(log, entry)

    (breach,) = found()
    group = Group.objects.get(chapter=log.workshop.chapter, role=Role.STUDENT).pk
    assert (breach.kind, breach.is_open) == (kind, False)
    assert breach.reason == reason.format(entry=number, group=group, first=first)


def test_five_planted_faults_are_five_that_are_named():
    plants = [
        success_without_an_answer,
        two_live_letters,
        sending_without_a_slot,
        a_log_of_another_chapter,
        a_letter_without_an_invitation,
    ]
    for plant in plants:
        log = invited()
        plant(log, log.entries.earliest("pk"))

    breaches = found()

    assert sorted(breach.kind for breach in breaches) == [
        "duplicate",
        "misplaced",
        "no_answer",
        "no_invitation",
        "stuck",
    ]
    assert len({breach.workshop for breach in breaches}) == 5


# ---- What is stopped on purpose is not stuck ---------------------------------------------------


def stop_everything(log: InvitationLog) -> None:
    Switch.objects.filter(chapter=None).update(is_on=False)


def stop_the_chapter(log: InvitationLog) -> None:
    Switch.objects.create(chapter=log.chapter, is_on=False)


def pause(log: InvitationLog) -> None:
    change_log(log, status=LogStatus.PAUSED)


def hold(log: InvitationLog) -> None:
    Hold.objects.update(since=in_days(-1))


def send_another_letter(log: InvitationLog) -> None:
    letter_to(subscribe(MemberFactory(), log.chapter, Role.STUDENT), log, changed_at=timezone.now())


@pytest.mark.parametrize(
    "stop", [stop_everything, stop_the_chapter, pause, hold, send_another_letter]
)
def test_letters_that_wait_for_somebody_are_not_stuck(stop):
    log = invited()
    waiting_for_an_hour(log, log.entries.earliest("pk"))

    stop(log)

    assert found() == []


def test_a_letter_in_the_hand_of_a_slot_is_not_stuck():
    log = invited()
    token = uuid.uuid4()
    Slot.objects.create(
        nr=1, token=token, until=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    )
    change_log(log, status=LogStatus.RUNNING)
    change(log.entries.earliest("pk"), status=EntryStatus.SENDING, lease=token)

    assert found() == []
