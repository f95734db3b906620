"""R6: a bell rung fifty times, by whatever version of the code, is one letter each."""

from __future__ import annotations

from collections import Counter

import redis
from celery import current_app

from invitations.services.manager import InvitationManager
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until

PEOPLE = 40
TIMES = 50
FROM_ANOTHER_VERSION = {"priority": 3, "asked_by": {"id": 7}}


def test_r06_fifty_bells_over_four_processes_are_one_letter_each(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    students = workshop.chapter.groups.get(role="student").members
    station.sink.delay_seconds = 0.02
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    for n in range(TIMES):
        more = FROM_ANOTHER_VERSION if n % 2 else {}
        current_app.send_task("invitations.tasks.prepare", kwargs={"log_id": log.pk, **more})
        current_app.send_task("invitations.tasks.deliver", kwargs=more)

    workers = [station.start_worker(), station.start_worker()]

    wait_until(lambda: has_heard_all(station), what="every bell to be heard")
    station.start_beat()  # only for what a busy machine left to be tried again
    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    if not station.mishaps:
        assert station.sink.recipients == Counter(students.values_list("email", flat=True))
    log.refresh_from_db()
    assert log.prepare_tries <= 4  # one for each process that looked before the first was done
    said = "".join(worker.output for worker in workers)
    assert "TypeError" not in said
    assert "unexpected keyword" not in said


def test_r06_a_bell_for_a_log_that_is_gone_or_done_is_harmless(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    station.variables |= PATIENT
    worker = station.start_worker()
    wait_until_quiet(log)

    for log_id in (log.pk, log.pk + 1000):
        current_app.send_task("invitations.tasks.prepare", kwargs={"log_id": log_id})
    current_app.send_task("invitations.tasks.deliver")

    wait_until(lambda: has_heard_all(station), what="every bell to be heard")
    assert worker.output.count("raised unexpected") == 0
    assert_settled(station.sink, log, audience=2, faults=station.mishaps)


def has_heard_all(station: Station) -> bool:
    with redis.Redis.from_url(station.variables["BROKER_URL"]) as broker:
        return not broker.llen("celery") and not broker.hlen("unacked")
