"""R27: the cache is filled to its limit, and emptied, in the middle of a batch: nothing happens."""

from __future__ import annotations

from pathlib import Path

import redis

from codebar.local import ports
from codebar.local.valkey import CACHE, Valkey
from invitations.services.manager import InvitationManager
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled
from tests.support.processes import Station
from tests.support.waiting import wait_until

PEOPLE = 100
TINY = CACHE | {"maxmemory": "4mb"}


def test_r27_a_cache_that_overflows_and_is_emptied_costs_no_letter(
    station_with_own_broker: Station, tmp_path: Path
):
    station = station_with_own_broker
    station.sink.delay_seconds = 0.05
    with Valkey(tmp_path / "cache", port=ports.pick(), policy=TINY) as cache:
        station.variables |= {"CACHE_URL": cache.url}
        station.start_beat()
        station.start_worker()
        workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
        log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
        wait_until(lambda: len(station.sink.letters) > PEOPLE / 5, seconds=90)

        with redis.Redis.from_url(cache.url) as client:
            for nr in range(600):
                client.set(f"filler {nr}", "x" * 10_000)
            assert client.info("stats")["evicted_keys"] > 0
            client.flushall()

        station.wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
