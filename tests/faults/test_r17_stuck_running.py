"""R17: a log whose workers are all gone is picked up by the next ones, with no human help."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now

from invitations.services.manager import InvitationManager
from invitations.services.preparing import MOST_TRIES
from logs.models import EntryStatus, InvitationLog, LogStatus, Slot
from logs.services import steering
from tests.factories import MemberFactory, SubscriptionFactory, WorkshopFactory, chapter_with
from tests.support.database import execute
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, STEADY, Station
from tests.support.waiting import wait_until

PEOPLE = 60


def test_r17_every_worker_killed_and_found_hours_later(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    station.variables |= STEADY
    station.sink.delay_seconds = 0.2  # so that all are killed long before the last letter
    beat = station.start_beat()
    workers = [station.start_worker(), station.start_worker(pool="threads")]
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) > 5)
    for process in (*workers, beat):
        process.kill()
    killed = Slot.objects.filter(token__isnull=False).count()
    assert killed
    assert log.entries.filter(status=EntryStatus.SENDING).exists()
    long_ago = Now() - timedelta(hours=12)
    InvitationLog.objects.update(created_at=long_ago, started_at=long_ago)
    Slot.objects.filter(token__isnull=False).update(until=long_ago)
    log.entries.update(changed_at=long_ago)

    station.sink.delay_seconds = 0
    station.start_beat()
    station.start_worker()
    wait_until_quiet(log)

    assert log.status == LogStatus.COMPLETED
    assert_settled(station.sink, log, audience=PEOPLE, faults=killed + station.mishaps)
    assert set(log.entries.values_list("status", flat=True)) == {EntryStatus.SUCCESS}
    assert not Slot.objects.filter(token__isnull=False, until__lt=Now()).exists()

    late = SubscriptionFactory(group=workshop.chapter.groups.get(role="student")).member
    again = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until_quiet(again)
    assert again.pk != log.pk
    assert [entry.member for entry in again.entries.filter(status=EntryStatus.SUCCESS)] == [late]
    assert again.entries.filter(status=EntryStatus.SKIPPED).count() == PEOPLE


def test_r17_killed_while_the_log_is_prepared(station: Station, slow_inserts: None):
    workshop = WorkshopFactory(chapter=chapter_with(students=10))
    station.variables |= PATIENT
    station.start_beat()
    worker = station.start_worker(concurrency=1)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: _tries(log) == 1, every=0.02)
    worker.kill()
    assert not log.entries.exists()

    station.start_worker()
    wait_until_quiet(log)

    assert log.status == LogStatus.COMPLETED
    assert_settled(station.sink, log, audience=10, faults=station.mishaps)


def test_r17_a_log_that_cannot_be_prepared_fails_and_says_so(
    station: Station, broken_inserts: None
):
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    station.start_beat()
    station.start_worker()
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until_quiet(log)

    assert log.status == LogStatus.FAILED
    assert log.reason == "It could not be prepared in 5 tries."
    assert log.prepare_tries == MOST_TRIES
    assert log.finished_at is not None
    assert not log.entries.exists()
    assert not workshop.invitations.exists()
    assert station.sink.letters == []

    execute("DROP TRIGGER strike ON logs_invitationlogentry")
    again = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until_quiet(again)
    assert again.status == LogStatus.COMPLETED
    assert_settled(station.sink, again, audience=5, faults=station.mishaps)


def test_r17_letters_given_back_while_the_log_is_cancelled(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    station.sink.delay_seconds = 0.1
    is_sending, is_cancelled = threading.Event(), threading.Event()

    def wait_for_the_cancellation(step: str, _: str) -> None:
        if step == "dot" and not is_sending.is_set():
            is_sending.set()
            is_cancelled.wait(0.3)

    station.sink.script = wait_for_the_cancellation
    station.start_beat()
    station.start_worker(concurrency=1)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    assert is_sending.wait(30)

    with transaction.atomic():
        steering.cancel(log, reason="The venue burnt down.")
        is_cancelled.set()
        # Meanwhile the sender gives letters back, and cannot know of the cancellation yet.
        wait_until(lambda: not log.entries.filter(status=EntryStatus.SENDING).exists(), every=0.01)
        assert log.entries.filter(status=EntryStatus.PENDING).exists()

    wait_until_quiet(log, seconds=20)
    wait_until(lambda: InvitationLog.objects.get(pk=log.pk).finished_at)
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    assert log.entries.filter(status=EntryStatus.SUCCESS).count() < PEOPLE


@pytest.fixture
def broken_inserts(ledger: None) -> Iterator[None]:
    """PostgreSQL refuses every new entry."""
    yield from _trigger("RAISE EXCEPTION 'the disk is full'")


@pytest.fixture
def slow_inserts(ledger: None) -> Iterator[None]:
    """PostgreSQL takes a third of a second over every new entry."""
    yield from _trigger("PERFORM pg_sleep(0.3)")


def _trigger(act: str) -> Iterator[None]:
    execute(
        "CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {act}; RETURN NEW; END $$"
    )
    execute(
        "CREATE TRIGGER strike BEFORE INSERT ON logs_invitationlogentry"
        " FOR EACH ROW EXECUTE FUNCTION strike()"
    )
    yield
    execute("DROP FUNCTION strike CASCADE")


def _tries(log: InvitationLog) -> int:
    log.refresh_from_db()
    return log.prepare_tries
