"""
Ten minutes of kills over twenty thousand people: `bin/test -m soak tests/faults/test_soak.py -s`.

SOAK_SECONDS, SOAK_PEOPLE, SOAK_LETTERS_PER_SECOND and SOAK_SEED make it shorter, or another one;
SOAK_POOL=threads kills the threads of a whole worker at a time.
"""

from __future__ import annotations

import os
import random
import time

import pytest
from rich.console import Console
from rich.table import Table

from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, InvitationLog
from logs.queries import progress
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.here import crowd
from tests.support.ledger import (
    assert_invariants,
    assert_settled,
    extra_copies,
)
from tests.support.processes import CeleryProcess, Station, kill_one

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
PEOPLE = int(os.environ.get("SOAK_PEOPLE", "20000"))
LETTERS_PER_SECOND = float(os.environ.get("SOAK_LETTERS_PER_SECOND", "35"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
POOL = os.environ.get("SOAK_POOL", "prefork")
WORKERS = 2
SENDERS_A_WORKER = 2
TIMES = {  # as in production, but for a lease that lets a dead sender's letters go sooner
    "EMAIL_TIMEOUT": "2",
    "LETTER_SECONDS": "3",
    "TASK_SECONDS": "3",
    "LEASE_SECONDS": "10",
    "SWEEP_SECONDS": "2",
    "DOUBT_DELAY_SECONDS": "2",
    "VISIBILITY_TIMEOUT": "30",
}


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + PEOPLE / LETTERS_PER_SECOND + 600)
def test_soak_nobody_is_missed_and_every_further_copy_is_named(station: Station):
    chance = random.Random(SEED)
    station.variables |= TIMES
    station.sink.delay_seconds = WORKERS * SENDERS_A_WORKER / LETTERS_PER_SECOND
    chapter = chapter_with()
    crowd(chapter, PEOPLE)
    workshop = WorkshopFactory(chapter=chapter)
    station.start_beat()
    workers = [_worker(station) for _ in range(WORKERS)]
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    kills = senders_killed = 0
    ends_at = time.monotonic() + SECONDS
    while time.monotonic() < ends_at and not (log.started_at and is_done(log)):
        time.sleep(chance.uniform(1, 4))
        log.refresh_from_db()
        assert_invariants(station.sink)
        victim = chance.randrange(WORKERS)
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

    station.wait_until_quiet(log, seconds=2 * PEOPLE / LETTERS_PER_SECOND + 120)
    tell(station, log, kills=kills, senders_killed=senders_killed)
    assert_settled(station.sink, log, audience=PEOPLE, faults=senders_killed + station.mishaps)
    assert log.entries.exclude(status__in=["success", "unknown"]).count() == 0


def is_done(log: InvitationLog) -> bool:
    return not progress(log).still_to_go


def _worker(station: Station) -> CeleryProcess:
    return station.start_worker(pool=POOL, concurrency=SENDERS_A_WORKER)


def tell(
    station: Station,
    log: InvitationLog,
    *,
    kills: int,
    senders_killed: int,
) -> None:
    """The table of what happened."""
    at_server = {name.strip("<>").split("@")[0] for name in station.sink.message_ids}
    said_sent = log.entries.filter(status=EntryStatus.SUCCESS).values_list("message_id", flat=True)
    named = log.entries.filter(doubts__gt=0)
    table = Table(title=f"{PEOPLE} people, {SECONDS:.0f} s of kills, pool {POOL}, seed {SEED}")
    row = {
        "kills": kills,
        "senders killed": senders_killed,
        "mishaps": station.mishaps,
        "never mailed": len(set(map(str, said_sent)) - at_server),
        "in doubt": log.entries.filter(status=EntryStatus.UNKNOWN).count(),
        "extra copies": extra_copies(station.sink),
        "named": named.count(),
    }
    for heading in row:
        table.add_column(heading, justify="right")
    table.add_row(*map(str, row.values()))
    Console(width=100).print(table)
