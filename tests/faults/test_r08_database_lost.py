"""R8: PostgreSQL hangs up, or is away. Workers carry on with the ledger as they find it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.db import connection

from codebar.local.postgres import Postgres
from invitations.services.delivering import FIRST_BLOCK
from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, InvitationLog
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.database import terminator
from tests.support.ledger import assert_invariants, assert_settled, wait_until_quiet
from tests.support.processes import QUICK, STEADY, Station
from tests.support.waiting import wait_until

PEOPLE = 25
LEASE_SECONDS = 3 * float(QUICK["LEASE_SECONDS"])  # its limits stop no task of a busy machine
OUTAGE_SECONDS = 5 * LEASE_SECONDS


@pytest.mark.parametrize(
    ("step", "letter"),
    [
        pytest.param("ehlo", 1, id="after a claim, at its first letter"),
        pytest.param("rcpt", 5, id="after the cursor moved"),
        pytest.param("dot", 5, id="after the server took a letter"),
        pytest.param("dot", FIRST_BLOCK, id="before the next claim"),
        pytest.param("dot", PEOPLE, id="before the last release"),
    ],
)
def test_r08_sessions_terminated_in_the_middle_of_a_batch(station: Station, step: str, letter: int):
    seen = 0

    def strike(at: str, _: str) -> None:
        nonlocal seen
        seen += at == step
        if at == step and seen == letter:
            struck.append(one.terminate())

    struck: list[int] = []
    with terminator() as one:
        station.sink.script = strike
        station.start_beat()
        worker = station.start_worker(concurrency=1)
        log = _click()
        wait_until(lambda: struck)
        wait_until_quiet(log)

    assert struck[0] >= 1
    assert worker.is_alive
    # The server's answers were all heard, so nothing is in doubt.
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    _assert_all_sent(log)


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param(
            "LOCK TABLE chapters_group IN ACCESS EXCLUSIVE MODE", id="while letters are claimed"
        ),
        pytest.param("SELECT FROM logs_slot FOR UPDATE", id="while the cursor moves"),
        pytest.param(
            "LOCK TABLE chapters_workshopsponsor IN ACCESS EXCLUSIVE MODE",
            id="while a letter is written",
        ),
        pytest.param(
            "SELECT FROM logs_invitationlog FOR NO KEY UPDATE", id="while the log is finished"
        ),
    ],
)
def test_r08_session_terminated_at_a_statement(station: Station, lock: str):
    people = 75  # it takes them longer than BLOCK_SECONDS, when the letter is written anew
    station.variables |= STEADY
    station.sink.delay_seconds = 0.2
    with terminator() as one:
        station.start_beat()
        station.start_worker(concurrency=1)
        log = _click_and_wait_for(station, letters=1, people=people)
        # A log is finished once: let go before, and it may happen in that moment.
        one.terminate_at(lock, hold_seconds=20 if "invitationlog" in lock else 0.5)

    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=people, faults=station.mishaps)
    _assert_all_sent(log)


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_r08_sessions_terminated_again_and_again(station: Station, pool: str):
    station.variables |= STEADY
    station.sink.delay_seconds = 0.02
    station.start_beat()
    station.start_worker(pool=pool)
    station.start_worker(pool=pool)
    with terminator() as one:
        log = _click_and_wait_for(station, letters=5, people=200)
        for _ in range(20):
            one.terminate()
            again_at = time.monotonic() + 0.15
            while time.monotonic() < again_at:
                assert_invariants(station.sink)

    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=200, faults=station.mishaps)
    _assert_all_sent(log)


@pytest.mark.parametrize(
    ("strike", "pool"), [(Postgres.stop, "prefork"), (Postgres.kill, "threads")]
)
def test_r08_postgresql_away_for_five_leases(
    station_with_own_postgres: Station,
    own_postgres: Postgres,
    strike: Callable[[Postgres], None],
    pool: str,
):
    station = station_with_own_postgres
    station.variables["LEASE_SECONDS"] = str(LEASE_SECONDS)
    station.sink.delay_seconds = 0.05
    station.start_beat()
    worker = station.start_worker(pool=pool, concurrency=2)
    log = _click_and_wait_for(station, letters=20, people=100)
    senders = {sender.pid for sender in worker.senders}

    connection.close()
    strike(own_postgres)
    time.sleep(OUTAGE_SECONDS)
    own_postgres.start()

    wait_until_quiet(log)
    assert {sender.pid for sender in worker.senders} == senders, "no worker had to start anew"
    # Each of the two senders had a letter in hand that it could not write down.
    assert_settled(station.sink, log, audience=100, faults=2 + station.mishaps)
    _assert_all_sent(log)


def _click(*, people: int = PEOPLE) -> InvitationLog:
    workshop = WorkshopFactory(chapter=chapter_with(students=people))
    return InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())


def _click_and_wait_for(station: Station, *, letters: int, people: int = PEOPLE) -> InvitationLog:
    log = _click(people=people)
    wait_until(lambda: len(station.sink.letters) >= letters, every=0.01)
    return log


def _assert_all_sent(log: InvitationLog) -> None:
    assert set(log.entries.values_list("status", flat=True)) == {EntryStatus.SUCCESS}
