"""R34: five thousand people, two workers: in time, in flat memory, and one can watch."""

from __future__ import annotations

import re
import time

import psutil
import pytest
from pytest_django.fixtures import Settings

from invitations.services import delivering, preparing
from invitations.services.manager import InvitationManager
from logs.models import LogStatus
from logs.queries import progress
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.here import crowd
from tests.support.ledger import assert_settled
from tests.support.processes import CeleryProcess, Station
from tests.support.waiting import wait_until

PEOPLE = 5000
BUDGET_SECONDS = 60
UNHURRIED = {
    "EMAIL_TIMEOUT": "5",
    "LETTER_SECONDS": "8",
    "TASK_SECONDS": "3",
    "LEASE_SECONDS": "20",
}
MEGABYTE = 2**20
TASK_TOOK = re.compile(r"succeeded in ([\d.]+)s")


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_r34_five_thousand_people(station: Station, pool: str):
    chapter = chapter_with()
    crowd(chapter, PEOPLE)
    workshop = WorkshopFactory(chapter=chapter)
    station.variables |= UNHURRIED
    station.start_beat()
    workers = [station.start_worker(pool=pool), station.start_worker(pool=pool)]
    wait_until(lambda: all("ready." in worker.output for worker in workers))

    began_at = time.monotonic()
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    click_took = time.monotonic() - began_at
    seen, memory = [], []
    while log.status not in (LogStatus.COMPLETED, LogStatus.FAILED):
        assert time.monotonic() - began_at < BUDGET_SECONDS
        counted = progress(log)
        assert counted.audience in (0, PEOPLE)
        seen.append(counted.success)
        if counted.success > PEOPLE / 5:
            memory.append(memory_of(workers))
        time.sleep(0.25)
        log.refresh_from_db()
    took = time.monotonic() - began_at

    print(f"{PEOPLE} letters in {took:.1f} s; {min(memory)} to {max(memory)} bytes")
    assert click_took < 1
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    assert progress(log).success == PEOPLE
    assert seen == sorted(seen)
    assert len({count for count in seen if 0 < count < PEOPLE}) >= 3
    assert memory[-1] - memory[0] < 16 * MEGABYTE
    said = "".join(worker.output for worker in workers)
    assert max(float(seconds) for seconds in TASK_TOOK.findall(said)) < 30


def test_r34_a_task_ends_in_time_although_the_mail_server_becomes_slow(
    station: Station, settings: Settings
):
    settings.EMAIL_TIMEOUT, settings.LETTER_SECONDS, settings.LEASE_SECONDS = 2, 3, 20
    chapter = chapter_with()
    crowd(chapter, 3000)
    workshop = WorkshopFactory(chapter=chapter)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)
    delivering.deliver_what_is_due()  # fast, so that the next block is a large one
    assert progress(log).pending

    station.sink.delay_seconds = 0.2
    began_at = time.monotonic()
    assert delivering.deliver_what_is_due()

    assert time.monotonic() - began_at < settings.TASK_SECONDS + settings.LETTER_SECONDS
    assert progress(log).sending == 0


def memory_of(workers: list[CeleryProcess]) -> int:
    """What the senders' processes hold that nobody else holds too."""
    total = 0
    for worker in workers:
        for process in set(worker.senders):
            try:
                total += process.memory_full_info().uss
            except psutil.NoSuchProcess:
                continue
    return total
