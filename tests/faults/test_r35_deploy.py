"""R35: a deploy stops workers in the middle of a batch, and costs nobody anything."""

from __future__ import annotations

import time

import pytest
from celery import current_app

from invitations.services.manager import InvitationManager
from logs.queries import progress
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until

PEOPLE = 60
SLOW_LETTER = 0.4
TIMES = {  # a letter in hand takes a while, and a task has much more to do
    "EMAIL_TIMEOUT": "3",
    "LETTER_SECONDS": "4",
    "TASK_SECONDS": "5",
    "LEASE_SECONDS": "15",
}
TO_END = float(TIMES["TASK_SECONDS"]) + float(TIMES["LETTER_SECONDS"])
OLD = "invitations.tasks.deliver"


@pytest.mark.parametrize(
    ("pool", "whole_group"),
    [("prefork", False), ("prefork", True), ("threads", False), ("solo", False)],
    ids=["the main process", "the whole group", "threads", "solo"],
)
def test_r35_sigterm_finishes_the_letter_in_hand_and_leaves_the_rest(
    station: Station, pool: str, whole_group: bool
):
    station.variables |= TIMES
    station.sink.delay_seconds = SLOW_LETTER
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    old = station.start_worker(pool=pool)
    wait_until(lambda: "ready." in old.output)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) > 2)

    began_at = time.monotonic()
    old.terminate(whole_group=whole_group)

    took = time.monotonic() - began_at
    assert took < TO_END
    if pool != "prefork" or whole_group:  # they were told, and wait for no more than the letter
        assert took < float(TIMES["LETTER_SECONDS"])
    counted = progress(log)
    assert counted.sending == 0, "the slot was not given back"
    assert counted.success == len(station.sink.letters) < PEOPLE
    assert counted.pending == PEOPLE - counted.success

    station.sink.delay_seconds = 0
    station.start_worker(pool="prefork")
    station.start_beat()
    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    if not station.mishaps:
        assert set(station.sink.recipients.values()) == {1}


def test_r35_one_process_of_a_pool_told_to_stop_is_replaced(station: Station):
    """It must not stay, hear bells and send nothing."""
    station.variables |= TIMES
    station.sink.delay_seconds = 0.1
    workshop = WorkshopFactory(chapter=chapter_with(students=30))
    worker = station.start_worker(concurrency=1)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) > 2)
    (child,) = worker.children

    child.terminate()

    child.wait(TO_END)
    station.start_beat()
    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=30, faults=station.mishaps)
    if not station.mishaps:
        assert set(station.sink.recipients.values()) == {1}


def test_r35_messages_of_another_version_are_accepted_or_dropped(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    send = current_app.send_task
    send(OLD, kwargs={"entry_id": 5, "shard": "a"})
    send(OLD, args=[5])
    send("invitations.tasks.prepare", kwargs={"log_id": log.pk, "chapter_id": 7})
    send("invitations.tasks.prepare", kwargs={"batch_id": log.pk})
    send("invitations.tasks.a_task_of_another_version", kwargs={"log_id": log.pk})
    send("invitations.tasks.sweep", kwargs={"gently": True})

    station.variables |= PATIENT
    worker = station.start_worker()
    station.start_beat()  # only for what a busy machine left to be tried again

    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=5, faults=station.mishaps)
    assert worker.is_alive
    assert log.entries.filter(status="success").count() == 5
