"""R4: the server has the letter, and the sender dies before it can say so."""

from __future__ import annotations

import pytest

from invitations.services.manager import InvitationManager
from logs.models import EntryStatus
from logs.services.slots import DOUBTED_ONCE, DOUBTED_TWICE
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import STEADY, Station
from tests.support.smtp_sink import STORE_AND_DROP
from tests.support.waiting import wait_until


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_r04_sender_killed_after_the_server_took_the_letter(station: Station, pool: str):
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    victim = workshop.chapter.groups.get(role="student").members.order_by("pk")[2]
    kills = []

    def kill_once(step: str, recipient: str) -> str | None:
        if step == "dot" and recipient == victim.email and not kills:
            kills.append(recipient)
            worker.kill()
        return None

    station.variables |= STEADY
    station.sink.script = kill_once
    station.start_beat()
    worker = station.start_worker(pool=pool, concurrency=1)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: kills)
    station.start_worker(pool=pool, concurrency=1)

    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=5, faults=1 + station.mishaps)
    entry = log.entries.get(member=victim)
    assert (entry.status, entry.doubts, entry.reason) == (EntryStatus.SUCCESS, 1, DOUBTED_ONCE)
    assert station.sink.recipients[victim.email] == 2
    same_id = {c.message_id for c in station.sink.letters if c.recipient == victim.email}
    assert len(same_id) == 1


def test_r04_a_letter_in_doubt_twice_waits_for_a_person(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    victim = workshop.chapter.groups.get(role="student").members.order_by("pk")[1]
    station.sink.script = lambda step, recipient: (
        STORE_AND_DROP if (step, recipient) == ("dot", victim.email) else None
    )
    station.variables |= STEADY
    station.start_beat()
    station.start_worker()

    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=3, faults=2 + station.mishaps)
    entry = log.entries.get(member=victim)
    assert (entry.status, entry.doubts, entry.reason) == (EntryStatus.UNKNOWN, 2, DOUBTED_TWICE)
    assert station.sink.recipients[victim.email] == 2
