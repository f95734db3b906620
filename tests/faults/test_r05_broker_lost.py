"""R5: Redis is the doorbell. Killed, emptied or absent, it costs nobody a letter."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis

from codebar.local.valkey import Valkey
from invitations.services.manager import InvitationManager
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled
from tests.support.processes import QUICK, Station
from tests.support.waiting import wait_until

PEOPLE = 150
OUTAGE_SECONDS = 5 * float(QUICK["LEASE_SECONDS"])


def _kill_and_restart(broker: Valkey) -> None:
    broker.kill()
    broker.start()


def _empty(broker: Valkey) -> None:
    with redis.Redis.from_url(broker.url) as client:
        client.flushall()


def _be_away(broker: Valkey) -> None:
    broker.kill()
    time.sleep(OUTAGE_SECONDS)
    broker.start()


@pytest.mark.parametrize("strike", [_kill_and_restart, _empty, _be_away])
def test_r05_broker_struck_in_the_middle_of_a_batch(
    station_with_own_broker: Station, own_broker: Valkey, strike: Callable[[Valkey], None]
):
    station = station_with_own_broker
    station.sink.delay_seconds = 0.05
    station.start_beat()
    station.start_worker()
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) > PEOPLE / 5)

    strike(own_broker)

    station.wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    assert set(station.sink.recipients.values()) == {1} or station.mishaps


def test_r05_a_click_without_any_broker_is_found_by_the_sweep(
    station_with_own_broker: Station, own_broker: Valkey
):
    station = station_with_own_broker
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    own_broker.kill()

    began_at = time.monotonic()
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    assert time.monotonic() - began_at < 1

    own_broker.start()
    station.start_beat()
    station.start_worker()
    station.wait_until_quiet(log)
    assert_settled(station.sink, log, audience=5, faults=0)
