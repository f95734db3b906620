"""R2: whatever breaks while a log is prepared, it is written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import current_app
from django.db import DatabaseError, InterfaceError, connection

from codebar.local import ports
from codebar.local.valkey import Valkey
from invitations import tasks
from invitations.models import Invitation
from invitations.services import preparing, sweeping
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog, InvitationLogEntry, LogStatus
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until

PEOPLE = 4
BREAKS = {
    "an error": "RAISE 'the disk is full';",
    "a lost connection": "PERFORM pg_terminate_backend(pg_backend_pid());",
}
INSERTS = [
    (table, f"INSERT ON {table} FOR EACH ROW WHEN (NEW.member_id = {{member}})")
    for table in ("invitations_invitation", "logs_invitationlogentry")
]
LAST_STATEMENT = (
    "logs_invitationlog",
    "UPDATE ON logs_invitationlog FOR EACH ROW WHEN (NEW.status = 'running')",
)


@pytest.mark.parametrize("broken_by", BREAKS)
def test_r02_broken_at_any_row_it_leaves_nothing_and_the_next_try_everything(
    station: Station, broken_by: str
):
    chapter = chapter_with(students=PEOPLE)
    students = list(chapter.groups.get(role="student").members.order_by("pk"))
    places = [
        (table, when.format(member=student.pk)) for student in students for table, when in INSERTS
    ]
    for table, when in [*places, LAST_STATEMENT]:
        workshop = WorkshopFactory(chapter=chapter)
        log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

        with (
            broken(table, when, BREAKS[broken_by]),
            pytest.raises((DatabaseError, InterfaceError)),
        ):
            preparing.prepare(log.pk)

        connection.close()
        log.refresh_from_db()
        assert (log.status, log.prepare_tries) == (LogStatus.PREPARING, 1)
        assert not log.entries.exists()
        assert not Invitation.objects.filter(workshop=workshop).exists()

        preparing.prepare(log.pk)
        assert log.entries.filter(status="pending").count() == PEOPLE
        assert Invitation.objects.filter(workshop=workshop).count() == PEOPLE


def test_r02_five_tries_and_it_says_so(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    with broken(*LAST_STATEMENT, BREAKS["an error"]):
        for _ in range(preparing.MOST_TRIES):
            with pytest.raises(DatabaseError):
                preparing.prepare(log.pk)
        preparing.prepare(log.pk)

    log.refresh_from_db()
    assert (log.status, log.reason) == (LogStatus.FAILED, "It could not be prepared in 5 tries.")
    assert not InvitationLogEntry.objects.exists()
    again = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    assert preparing.prepare(again.pk) is True


def test_r02_a_bell_that_never_rang_costs_one_sweep(
    station_with_own_broker: Station, own_broker: Valkey
):
    station = station_with_own_broker
    station.variables |= PATIENT
    worker = station.start_worker()
    wait_until(lambda: "ready." in worker.output)
    workshop = WorkshopFactory(chapter=chapter_with(students=20))
    with without_broker():
        log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: _is_late(log), what="the log to have waited long enough")
    assert not station.sink.letters

    sweeping.sweep()

    wait_until(lambda: station.sink.letters, what="the first letter after that one sweep")
    station.start_beat()  # only for what a busy machine left to be tried again
    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=20, faults=station.mishaps)
    assert log.entries.filter(status="success").count() == 20


@contextmanager
def broken(table: str, when: str, how: str) -> Iterator[None]:
    """PostgreSQL itself breaks there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION break_here() RETURNS trigger LANGUAGE plpgsql"
            f" AS $$ BEGIN {how} RETURN NEW; END $$"
        )
        cursor.execute(f"CREATE TRIGGER break_here BEFORE {when} EXECUTE FUNCTION break_here()")
    try:
        yield
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER break_here ON {table}")
            cursor.execute("DROP FUNCTION break_here()")


@contextmanager
def without_broker() -> Iterator[None]:
    """Nobody listens where the doorbell should be."""
    before = current_app.conf.broker_url
    current_app.conf.broker_url = f"redis://127.0.0.1:{ports.pick()}/0"
    try:
        yield
    finally:
        current_app.conf.broker_url = before
        tasks.forget_failure()


def _is_late(log: InvitationLog) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT created_at < now() - interval '1 second' FROM logs_invitationlog WHERE id = %s",
            [log.pk],
        )
        return bool(cursor.fetchone()[0])
