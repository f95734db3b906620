"""Any number of workers, of any kind, on any number of machines share one batch."""

from __future__ import annotations

from collections import Counter

from invitations.services.manager import InvitationManager
from logs.models import LogStatus, Slot
from members.models import Member
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_invariants, assert_settled
from tests.support.processes import Station
from tests.support.waiting import wait_until

PEOPLE = 240
UNHURRIED = {
    "EMAIL_TIMEOUT": "3",
    "LETTER_SECONDS": "4",
    "TASK_SECONDS": "1",
    "LEASE_SECONDS": "10",
    "MAIL_CONNECTIONS": "8",
}


def test_three_workers_with_different_pools_share_a_batch(station: Station):
    station.variables |= UNHURRIED
    chapter = chapter_with(students=PEOPLE)
    workshop = WorkshopFactory(chapter=chapter)
    station.sink.delay_seconds = 0.1
    station.start_beat()
    workers = [station.start_worker(pool=pool) for pool in ("prefork", "threads", "solo")]
    wait_until(lambda: all("ready." in worker.output for worker in workers))

    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    most_at_once = 0
    while log.status in (LogStatus.PREPARING, LogStatus.RUNNING):
        assert_invariants(station.sink)
        most_at_once = max(most_at_once, Slot.objects.filter(token__isnull=False).count())
        log.refresh_from_db()
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    everybody = Member.objects.filter(groups__chapter=chapter).values_list("email", flat=True)
    if not station.mishaps:
        assert station.sink.recipients == Counter(everybody)
    assert most_at_once > 2
    for worker in workers:
        assert "invitations.tasks.deliver" in worker.output
        assert "Traceback" not in worker.output
