"""R25: pause, resume and cancel: what may follow what, and that nobody is lost or doubled."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import transaction

from chapters.models import Workshop
from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, InvitationLog, LogStatus
from logs.queries import progress
from logs.services import steering
from members.models import Member
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
)
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, Station
from tests.support.together import at_once
from tests.support.waiting import wait_until

PEOPLE = 80
SENDERS = 2

STEPS = {
    "pause": steering.pause,
    "resume": steering.resume,
    "cancel": lambda log: steering.cancel(log, reason="We changed our minds."),
    "retry": steering.retry_failed,
}
ALLOWED = {
    ("pause", LogStatus.RUNNING): LogStatus.PAUSED,
    ("resume", LogStatus.PAUSED): LogStatus.RUNNING,
    ("cancel", LogStatus.SCHEDULED): LogStatus.CANCELLED,
    ("cancel", LogStatus.PREPARING): LogStatus.CANCELLED,
    ("cancel", LogStatus.RUNNING): LogStatus.CANCELLED,
    ("cancel", LogStatus.PAUSED): LogStatus.CANCELLED,
    ("retry", LogStatus.RUNNING): LogStatus.RUNNING,
    ("retry", LogStatus.PAUSED): LogStatus.PAUSED,
    ("retry", LogStatus.COMPLETED): LogStatus.RUNNING,
}
AGAIN = {  # a second click changes nothing
    ("pause", LogStatus.PAUSED),
    ("resume", LogStatus.RUNNING),
    ("cancel", LogStatus.CANCELLED),
}


@pytest.mark.django_db
@pytest.mark.parametrize("status", LogStatus)
@pytest.mark.parametrize("step", STEPS)
def test_r25_what_may_follow_what(step: str, status: LogStatus):
    log = InvitationLogFactory(status=status)
    InvitationLogEntryFactory(log=log, status=EntryStatus.FAILED)
    if (step, status) in ALLOWED or (step, status) in AGAIN:
        STEPS[step](log)
        log.refresh_from_db()
        assert log.status == ALLOWED.get((step, status), status)
        return

    with pytest.raises(steering.Refused, match=status.label), transaction.atomic():
        STEPS[step](log)

    log.refresh_from_db()
    assert log.status == status
    assert log.entries.get().status == EntryStatus.FAILED


@pytest.fixture
def workshop(station: Station) -> Workshop:
    return WorkshopFactory(chapter=chapter_with(students=PEOPLE))


@pytest.fixture
def log(station: Station, workshop: Workshop) -> InvitationLog:
    """A quarter of its letters have left."""
    station.variables |= PATIENT
    station.sink.delay_seconds = 0.1
    station.start_beat()
    station.start_worker(concurrency=SENDERS)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) > PEOPLE / 4)
    return log


def test_r25_pause_takes_effect_within_a_letter_and_resume_writes_to_nobody_twice(
    station: Station, log: InvitationLog
):
    steering.pause(log)
    at_the_pause = len(station.sink.letters)

    wait_until(lambda: progress(log).sending == 0, what="the letters in hand to be finished")
    paused_at = len(station.sink.letters)
    assert paused_at <= at_the_pause + SENDERS
    with pytest.raises(AssertionError, match="still not"):
        wait_until(lambda: len(station.sink.letters) > paused_at, seconds=1.5)
    assert progress(log).pending == PEOPLE - paused_at

    steering.resume(log)
    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    assert progress(log).success == PEOPLE
    everybody = Member.objects.filter(groups__chapter=log.chapter_id)
    if not station.mishaps:
        assert station.sink.recipients == Counter(everybody.values_list("email", flat=True))


def test_r25_cancel_leaves_cancelled_rows_and_the_letters_in_hand_follow(
    station: Station, log: InvitationLog
):
    steering.cancel(log, reason="The venue burnt down.")
    at_the_cancel = len(station.sink.letters)

    wait_until_quiet(log, seconds=20)

    wait_until(lambda: finished(log))
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    counted = progress(log)
    assert log.status == LogStatus.CANCELLED
    assert len(station.sink.letters) <= at_the_cancel + SENDERS
    assert counted.success + counted.unknown == len(station.sink.message_ids)
    assert counted.success + counted.unknown + counted.failed + counted.cancelled == PEOPLE
    assert set(log.entries.filter(status="cancelled").values_list("reason", flat=True)) <= {
        "The venue burnt down.",
        "",
    }


def test_r25_cancelling_and_finishing_at_once_leaves_one_of_them(ledger: None):
    for _ in range(20):
        log = InvitationLogFactory(status=LogStatus.RUNNING)
        InvitationLogEntryFactory(log=log, status=EntryStatus.SUCCESS)
        refused = []

        def cancel(log=log, refused=refused) -> None:
            try:
                steering.cancel(log, reason="Enough.")
            except steering.Refused:
                refused.append(log)

        at_once(cancel, lambda log=log: steering.finish(log.pk))

        log.refresh_from_db()
        assert log.status == (LogStatus.COMPLETED if refused else LogStatus.CANCELLED)
        steering.finish_done()
        log.refresh_from_db()
        assert log.finished_at is not None
        assert progress(log).success == 1


def finished(log: InvitationLog) -> bool:
    log.refresh_from_db()
    return log.finished_at is not None
