"""docs/backup.md, tried: a backup made while a batch leaves, restored, and what is true then."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from invitations.services import auditing
from invitations.services.manager import InvitationManager
from logs.models import Heartbeat, InvitationLog
from logs.services import heartbeats, steering, switches
from members.models import Member
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support import backups
from tests.support.database import sums_of_all_tables
from tests.support.ledger import assert_settled
from tests.support.processes import Station
from tests.support.waiting import wait_until

PEOPLE = 200
SENDERS = 2  # each had a letter in hand
TIMES = {"EMAIL_TIMEOUT": "2", "LETTER_SECONDS": "3", "TASK_SECONDS": "1", "LEASE_SECONDS": "7"}
PATIENCE = 90  # seconds; processes of a busy machine start slowly

pytestmark = pytest.mark.usefixtures("own_postgres")


@pytest.fixture
def station(station_with_own_postgres: Station) -> Station:
    """Slow enough that a batch is under way for some seconds."""
    station_with_own_postgres.variables |= TIMES
    station_with_own_postgres.sink.delay_seconds = 0.1
    return station_with_own_postgres


def test_a_backup_of_before_the_last_letters_repeats_none_of_them(station: Station, tmp_path: Path):
    log = batch_under_way(station, letters=15)
    backup = backups.dump(tmp_path / "codebar.dump")
    at_the_backup = len(station.sink.letters)
    wait_until(lambda: len(station.sink.letters) > at_the_backup + 10, seconds=PATIENCE)
    disaster(station)
    left = set(station.sink.recipients)

    with backups.restored(backup, name="restored"):
        call_command("after_restore", "--yes")
        start_anew(station)
        wait_until(lambda: log_status(log) == "completed", seconds=PATIENCE)

        assert set(station.sink.recipients) == left, "something left before anybody decided"
        states = states_of(log)
        assert states.keys() == {"success", "unknown"}
        assert states["success"] <= left
        assert {(one.kind, one.reason) for one in auditing.breaches(None)} == {
            ("not_invited", "the letter is in doubt")
        }
        assert named_by_the_audit() == states["unknown"]

        decide_by_the_log_of_the_mail_server(log, left)
        switches.resume()
        assert_everybody_has_one(station, log, faults=0)


def test_without_after_restore_letters_leave_a_second_time(station: Station, tmp_path: Path):
    """What the command is for."""
    log = batch_under_way(station, letters=15)
    backup = backups.dump(tmp_path / "codebar.dump")
    at_the_backup = len(station.sink.letters)
    wait_until(lambda: len(station.sink.letters) > at_the_backup + 10, seconds=PATIENCE)
    disaster(station)

    with backups.restored(backup, name="restored"):
        start_anew(station)
        station.wait_until_quiet(log, seconds=PATIENCE)

        twice = [count for count in station.sink.recipients.values() if count > 1]
        assert len(twice) >= 10


def test_a_backup_up_to_the_last_commit_just_goes_on(station: Station, tmp_path: Path):
    """As from a write-ahead log that was kept: only the letters in hand are in doubt."""
    log = batch_under_way(station, letters=15)
    disaster(station)
    backup = backups.dump(tmp_path / "codebar.dump")

    with backups.restored(backup, name="restored"):
        start_anew(station)
        assert_everybody_has_one(station, log, faults=SENDERS)


def test_what_leaves_by_itself_waits_with_the_rest(station: Station, tmp_path: Path):
    """A planned batch whose moment passed between the backup and the disaster."""
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    planned = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    InvitationLog.objects.filter(pk=planned.pk).update(
        status="scheduled", send_at=planned.created_at
    )
    backup = backups.dump(tmp_path / "codebar.dump")

    with backups.restored(backup, name="restored"):
        call_command("after_restore", "--yes")
        start_anew(station)
        wait_until(lambda: log_status(planned) == "running", seconds=PATIENCE)
        call_command("after_restore", "--yes")
        wait_until(lambda: log_status(planned) == "completed", seconds=PATIENCE)

        assert states_of(planned).keys() == {"unknown"}
        assert named_by_the_audit() == states_of(planned)["unknown"]
        assert station.sink.letters == []


def test_a_restored_database_is_the_one_that_was_backed_up(station: Station, tmp_path: Path):
    WorkshopFactory(chapter=chapter_with(students=5))
    before = sums_of_all_tables()
    backup = backups.dump(tmp_path / "codebar.dump")

    with backups.restored(backup, name="restored"):
        assert sums_of_all_tables() == before
        call_command("migrate", "--check")


def batch_under_way(station: Station, *, letters: int) -> InvitationLog:
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    station.start_beat()
    station.start_worker()
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) >= letters, seconds=PATIENCE)
    return log


def assert_everybody_has_one(station: Station, log: InvitationLog, *, faults: int) -> None:
    """But for whom a busy machine put in doubt a second time, and the audit names."""
    station.wait_until_quiet(log, seconds=PATIENCE)
    assert_settled(station.sink, log, audience=PEOPLE, faults=faults + station.mishaps)
    in_doubt = states_of(log).get("unknown", set())
    assert len(in_doubt) <= station.mishaps
    assert set(station.sink.recipients) | in_doubt == set(addresses(log))
    assert named_by_the_audit() == in_doubt


def disaster(station: Station) -> None:
    """Every process gone at once; what the mail server was just taking, it takes."""
    for process in station.processes:
        process.kill()
    time.sleep(station.sink.delay_seconds * 5)


def start_anew(station: Station) -> None:
    """Upon the restored database, until somebody has swept it once; whoever sends is fast."""
    station.sink.delay_seconds = 0
    connection.ensure_connection()
    before = Heartbeat.objects.filter(name=heartbeats.SWEEP).values_list("at", flat=True).first()
    station.start_beat()
    station.start_worker()
    newer = Heartbeat.objects.filter(name=heartbeats.SWEEP)
    wait_until(lambda: (newer.exclude(at=before) if before else newer).exists(), seconds=PATIENCE)


def log_status(log: InvitationLog) -> str:
    return InvitationLog.objects.values_list("status", flat=True).get(pk=log.pk)


def states_of(log: InvitationLog) -> dict[str, set[str]]:
    """The addresses in each state."""
    found: dict[str, set[str]] = {}
    for status, email in log.entries.values_list("status", "member__email"):
        found.setdefault(status, set()).add(email)
    return found


def addresses(log: InvitationLog) -> list[str]:
    return list(log.entries.values_list("member__email", flat=True))


def named_by_the_audit() -> set[str]:
    members = {one.member for one in auditing.breaches(None)}
    return set(Member.objects.filter(pk__in=members).values_list("email", flat=True))


def decide_by_the_log_of_the_mail_server(log: InvitationLog, left: set[str]) -> None:
    for entry in log.entries.filter(status="unknown").select_related("member", "log"):
        if entry.member.email in left:
            steering.take_as_arrived(entry)
        else:
            steering.send_again(entry)
