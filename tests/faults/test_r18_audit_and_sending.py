"""R18: the log never breaks sending, and sending never escapes the log."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import DatabaseError, IntegrityError, InternalError, connection, transaction
from django.utils import timezone

from invitations.services import auditing, inviting, preparing
from invitations.services.manager import InvitationManager
from logs.models import (
    Action,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from logs.services.logger import InvitationLogger
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
)
from tests.support.here import send_here, send_once_here
from tests.support.ledger import assert_settled
from tests.support.processes import Station
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db


def test_r18_a_person_who_asks_is_named():
    """Planner without an initiator had neither a log nor a guard (S11)."""
    workshop = WorkshopFactory()

    with pytest.raises(IntegrityError, match="log_names_who_asked"), transaction.atomic():
        inviting.invite(workshop, audience="students", initiator=None, at=timezone.now())

    assert not InvitationLog.objects.exists()
    log = inviting.invite(
        workshop,
        audience="students",
        initiator=None,
        at=timezone.now(),
        source=InvitationLog.Source.SCHEDULE,
    )
    assert log.source == "schedule"


def test_r18_the_name_of_who_asked_cannot_be_taken_away():
    log = InvitationLogFactory()

    with pytest.raises(IntegrityError, match="log_names_who_asked"), transaction.atomic():
        InvitationLog.objects.filter(pk=log.pk).update(initiator=None)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"status": "sent"}, "entry_status_is_known"),
        ({"status": "sending"}, "entry_is_leased_while_sending"),
        ({"status": "success"}, "entry_success_has_an_answer"),
    ],
)
def test_r18_the_ledger_refuses_what_did_not_happen(change: dict[str, str], rule: str):
    entry = InvitationLogEntryFactory()

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        InvitationLogEntry.objects.filter(pk=entry.pk).update(**change)


def test_r18_every_letter_at_the_server_is_an_entry(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    coming = InvitationFactory(workshop=workshop, answer="attending").member
    single = InvitationLogger().single(
        member=coming, workshop=workshop, action=Action.CONFIRMATION, occasion="1"
    )
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    send_here(log)

    sent = InvitationLogEntry.objects.filter(status=EntryStatus.SUCCESS)
    at_server = Counter(name.strip("<>").split("@")[0] for name in station.sink.message_ids)
    assert at_server == Counter(str(entry.message_id) for entry in sent)
    assert single in sent
    assert {e.log.initiator_id for e in sent if e.log} == {log.initiator_id}


def test_r18_nothing_leaves_when_nothing_can_be_written_down(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    refuse("INSERT")
    try:
        with pytest.raises(DatabaseError):
            preparing.prepare(log.pk)
        send_once_here()
        log.refresh_from_db()
        assert (log.status, len(station.sink.letters)) == (LogStatus.PREPARING, 0)
    finally:
        allow()

    send_here(log)

    assert_settled(station.sink, log, audience=5, faults=0)
    assert len(station.sink.letters) == 5


def test_r18_a_success_that_cannot_be_written_down_is_settled_by_its_cursor(station: Station):
    """Nobody who has the letter gets a second one, and nobody is forgotten."""
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)
    refuse("UPDATE", when="WHEN (NEW.status = 'success' AND NOT NEW.is_settled)")
    try:
        with pytest.raises(DatabaseError):
            send_once_here()
        assert len(station.sink.letters) == 5
    finally:
        allow()

    send_here(log)

    # The last letter is the one at the cursor: in doubt, and sent once more.
    assert_settled(station.sink, log, audience=5, faults=1)
    assert log.entries.filter(status=EntryStatus.SUCCESS).count() == 5
    assert log.entries.filter(doubts=1).count() == 1


def test_r18_an_audit_sees_one_moment_while_letters_leave(station: Station):
    """Whenever it looks, what two workers have in hand at that moment is no breach."""
    workshop = WorkshopFactory(chapter=chapter_with(students=60))
    station.sink.delay_seconds = 0.2
    log = InvitationManager().send_workshop_emails(workshop, "everyone", MemberFactory())
    for _ in range(2):
        station.start_worker()
    station.start_beat()
    moments: set[str] = set()

    def is_done() -> bool:
        with auditing.one_moment():
            assert list(auditing.breaches()) == []
            moments.update(log.entries.values_list("status", flat=True))
        log.refresh_from_db()
        return log.status == LogStatus.COMPLETED

    wait_until(is_done, seconds=60, every=0, what="the log to be completed")

    assert {EntryStatus.SENDING, EntryStatus.SUCCESS} <= moments
    assert_settled(station.sink, log, audience=60, faults=station.mishaps)


def test_r18_an_audit_writes_nothing(ledger: None):
    with (
        pytest.raises(InternalError, match="read-only transaction"),
        auditing.one_moment(),
    ):
        InvitationLogFactory()


def refuse(act: str, *, when: str = "") -> None:
    """The ledger breaks at each such row, as planner's own rule of uniqueness broke it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE 'the ledger is broken'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER refuse BEFORE {act} ON logs_invitationlogentry"
            f" FOR EACH ROW {when} EXECUTE FUNCTION refuse()"
        )


def allow() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse ON logs_invitationlogentry")
        cursor.execute("DROP FUNCTION refuse()")
