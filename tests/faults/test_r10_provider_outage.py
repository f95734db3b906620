"""R10: while the mail server is away or takes nothing, sending waits, and carries on by itself."""

from __future__ import annotations

import time

from invitations.services.delivering import FAILURES_IN_A_ROW
from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, InvitationLog, LogStatus
from logs.services import holds
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, STEADY, Station
from tests.support.waiting import wait_until

OUTAGE_SECONDS = 5 * float(STEADY["LEASE_SECONDS"])


def test_r10_server_away_for_five_leases(station: Station):
    people = 100
    station.variables |= STEADY
    station.sink.delay_seconds = 0.03
    station.start_beat()
    station.start_worker()
    log = _click(people)
    wait_until(lambda: len(station.sink.letters) > people / 5)

    station.sink.stop()
    wait_until(holds.current, what="sending to be held")
    began_at = time.monotonic()
    sent = len(station.sink.letters)
    while time.monotonic() - began_at < OUTAGE_SECONDS:
        hold = holds.current()
        assert hold is not None
        assert hold.since is not None
        assert hold.reason.startswith("The mail server ")
        log.refresh_from_db()
        assert log.status == LogStatus.RUNNING
        time.sleep(0.2)
    assert not log.entries.filter(status=EntryStatus.FAILED).exists()
    assert len(station.sink.letters) == sent
    station.sink.start()

    wait_until_quiet(log)
    assert holds.current() is None
    assert_settled(station.sink, log, audience=people, faults=station.mishaps)
    assert set(log.entries.values_list("status", flat=True)) == {EntryStatus.SUCCESS}
    # A letter between its first and its last word when the server went away was tried once.
    assert log.entries.filter(tries__gt=0).count() <= 2


def test_r10_twenty_failures_in_a_row(station: Station):
    people = 2 * FAILURES_IN_A_ROW
    station.variables |= PATIENT
    station.sink.script = lambda step, _: "451 4.3.0 try again" if step == "rcpt" else None
    station.start_beat()
    station.start_worker(concurrency=1)
    log = _click(people)

    wait_until(holds.current, every=0.02, what="sending to be held")
    hold = holds.current()
    assert hold is not None
    assert hold.since is not None
    assert hold.reason == "20 letters in a row were not taken, the last with “451 4.3.0 try again”"
    log.refresh_from_db()
    assert log.status == LogStatus.RUNNING
    assert sum(log.entries.values_list("tries", flat=True)) == FAILURES_IN_A_ROW
    station.sink.script = None

    wait_until_quiet(log)
    assert holds.current() is None
    assert_settled(station.sink, log, audience=people, faults=station.mishaps)
    assert set(log.entries.values_list("status", flat=True)) == {EntryStatus.SUCCESS}


def test_r10_twenty_refused_people_do_not_stop_the_others(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=FAILURES_IN_A_ROW + 5))
    members = workshop.chapter.groups.get(role="student").members.order_by("pk")
    gone = {member.email for member in members[:FAILURES_IN_A_ROW]}
    station.sink.script = lambda step, address: (
        "550 5.1.1 no such mailbox" if step == "rcpt" and address in gone else None
    )
    station.start_beat()
    station.start_worker(concurrency=1)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    wait_until_quiet(log)
    assert holds.current() is None
    assert_settled(station.sink, log, audience=FAILURES_IN_A_ROW + 5, faults=station.mishaps)
    failed = log.entries.filter(status=EntryStatus.FAILED, member__email__in=gone)
    assert failed.count() == FAILURES_IN_A_ROW
    assert log.entries.filter(status=EntryStatus.SUCCESS).count() == 5


def _click(people: int) -> InvitationLog:
    workshop = WorkshopFactory(chapter=chapter_with(students=people))
    return InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
