"""docs/upgrade.md, tried: this release is followed by another one while a batch leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from invitations.services import auditing
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled
from tests.support.processes import PATIENT, Station
from tests.support.releases import NEXT, THIS, manage, next_release
from tests.support.waiting import wait_until

PEOPLE = 300

SLOW, FAST = 0.8, 0.01
PATIENCE = 90  # seconds; processes of a busy machine start and stop slowly


@pytest.fixture
def station(station_with_own_postgres: Station) -> Station:
    """Slow enough that a batch is under way for minutes."""
    station_with_own_postgres.variables |= PATIENT
    station_with_own_postgres.sink.delay_seconds = SLOW
    return station_with_own_postgres


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    return next_release(tmp_path / "next")


def test_nobody_notices_an_upgrade_in_the_middle_of_a_batch(station: Station, newer: Path):
    """Migrate, then workers of both side by side, then beat and the rest of the workers."""
    log = click(people=PEOPLE)
    old_beat, old = station.start_beat(), station.start_worker()
    wait_for(lambda: written_by(station)[THIS] >= 10)

    manage(newer, "migrate")

    at_the_migration = written_by(station)[THIS]
    wait_for(lambda: written_by(station)[THIS] > at_the_migration + 5)
    assert Client().get("/readyz").status_code == 200, "the web of before goes on, too"

    station.start_worker(release=newer)
    wait_for(lambda: written_by(station)[NEXT] >= 5)
    both = written_by(station)
    wait_for(lambda: not [one for one in both if written_by(station)[one] == both[one]])

    old.terminate(PATIENCE)
    station.start_beat(release=newer)
    old_beat.terminate(PATIENCE)
    station.sink.delay_seconds = FAST
    station.wait_until_quiet(log, seconds=PATIENCE)
    assert_everybody_once(station, log)


def test_the_release_of_before_runs_on_the_newer_database(station: Station, newer: Path):
    """The way back: the newer migrations stay."""
    manage(newer, "migrate")
    log = click(people=PEOPLE)
    station.start_beat(release=newer)
    worker = station.start_worker(release=newer)
    wait_for(lambda: written_by(station)[NEXT] >= 10)

    worker.terminate(PATIENCE)
    station.start_worker()
    wait_for(lambda: written_by(station)[THIS] >= 5)

    station.sink.delay_seconds = FAST
    station.wait_until_quiet(log, seconds=PATIENCE)
    assert_everybody_once(station, log)


def test_the_next_release_is_not_ready_before_its_migrations(station: Station, newer: Path):
    """So a load balancer sends nobody there, and `migrate` goes first."""
    asked = "from django.test import Client; print(Client().get('/readyz').status_code)"

    before = manage(newer, "shell", "--no-imports", "--command", asked)
    manage(newer, "migrate")
    after = manage(newer, "shell", "--no-imports", "--command", asked)

    assert (before.split(), after.split()) == (["503"], ["200"])


def wait_for(is_so: Callable[[], object]) -> None:
    wait_until(is_so, seconds=PATIENCE)


def click(*, people: int) -> InvitationLog:
    workshop = WorkshopFactory(chapter=chapter_with(students=people))
    return InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())


def written_by(station: Station) -> Counter[str]:
    """How many letters each release wrote."""
    texts = [letter.content for letter in list(station.sink.letters)]
    return Counter(NEXT if NEXT.encode() in text else THIS for text in texts)


def assert_everybody_once(station: Station, log: InvitationLog) -> None:
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    if not station.mishaps:
        assert set(station.sink.recipients.values()) == {1}
    assert set(log.entries.values_list("status", flat=True)) == {"success"}
    assert list(auditing.breaches(None)) == []
