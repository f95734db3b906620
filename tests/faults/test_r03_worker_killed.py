"""R3: whoever is killed, and whenever, nobody is missed and each further copy is named."""

from __future__ import annotations

import random
import time

import pytest

from invitations.services.manager import InvitationManager
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_invariants, assert_settled
from tests.support.processes import Station, kill_one

PEOPLE = 600


@pytest.mark.parametrize(("pool", "wanted"), [("prefork", 20), ("threads", 8)])
def test_r03_senders_and_whole_workers_killed_at_random(station: Station, pool: str, wanted: int):
    chance = random.Random(3)
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    station.sink.delay_seconds = 0.1
    station.start_beat()
    workers = [station.start_worker(pool=pool), station.start_worker(pool=pool)]
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    kills = senders_killed = 0
    while kills < wanted:
        time.sleep(chance.uniform(0.2, 0.7))
        assert_invariants(station.sink)
        victim = chance.randrange(len(workers))
        workers[victim] = station.revive(workers[victim])
        senders = workers[victim].senders
        if not senders:
            continue  # it still starts
        kills += 1
        if chance.random() < 0.8:
            senders_killed += kill_one(senders, chance)
        else:
            senders_killed += len(senders)
            workers[victim].kill()
            workers[victim] = station.revive(workers[victim])
    assert log.entries.filter(status="pending").exists(), "the kills came too late to matter"

    station.wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=senders_killed + station.mishaps)
    assert log.entries.exclude(status__in=["success", "unknown"]).count() == 0
