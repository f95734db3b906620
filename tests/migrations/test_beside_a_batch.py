"""Letters go on leaving while `migrate` waits for the table that they are written in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2

from invitations.services.manager import InvitationManager
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled
from tests.support.processes import Station, database_url
from tests.support.releases import manage, next_release
from tests.support.waiting import wait_until

PEOPLE = 300
SLOW, FAST = 0.5, 0.01  # slow enough that the batch lasts until the migration begins
TIMES = {"EMAIL_TIMEOUT": "3", "LETTER_SECONDS": "4", "TASK_SECONDS": "2", "LEASE_SECONDS": "15"}
BRIEFLY = ("--lock-seconds", "0.3", "--pause-seconds", "0.5")


def test_a_long_transaction_stops_the_migration_and_not_the_letters(
    station_with_own_postgres: Station, tmp_path: Path
):
    station = station_with_own_postgres
    station.variables |= TIMES
    station.sink.delay_seconds = SLOW
    newer = next_release(tmp_path / "next")
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    station.start_beat()
    station.start_worker()
    wait_until(lambda: len(station.sink.letters) >= 10)

    with (
        ThreadPoolExecutor() as pool,
        closing(psycopg2.connect(database_url())) as report,
        report.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM logs_invitationlogentry")  # and it stays open
        migration = pool.submit(manage, newer, "migrate", *BRIEFLY)
        wait_until(lambda: _somebody_wants_the_table_alone(cursor), every=0.02)
        at_first = len(station.sink.letters)
        wait_until(lambda: len(station.sink.letters) > at_first + 15)
        assert not migration.done(), "it had nothing to wait for"
        report.rollback()
        said = migration.result()

    assert "gave way" in said
    station.sink.delay_seconds = FAST
    station.wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    assert set(log.entries.values_list("status", flat=True)) == {"success"}


def _somebody_wants_the_table_alone(cursor: psycopg2.extensions.cursor) -> bool:
    cursor.execute(
        """
        SELECT count(*) FROM pg_locks
        WHERE relation = 'logs_invitationlogentry'::regclass AND mode = 'AccessExclusiveLock'
        """
    )
    return bool(cursor.fetchone()[0])
