"""`manage.py invite` and `manage.py delivery`."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from invitations.services import preparing
from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, Hold, InvitationLog, LogStatus, Slot
from logs.services import holds, slots
from members.models import Member
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
)
from tests.support.here import send_once_here
from tests.support.processes import Station

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """What a command has said since it was last asked."""
    return lambda: capsys.readouterr().out


def addresses_of(workshop) -> Counter[str]:
    members = Member.objects.filter(groups__chapter=workshop.chapter).distinct()
    return Counter(members.values_list("email", flat=True))


# ---- invite --------------------------------------------------------------------------------


def test_invite_writes_a_log_and_comes_back(said):
    workshop = WorkshopFactory()
    organiser = MemberFactory(email="olu@people.example")

    call_command("invite", str(workshop.pk), "coaches", initiator=" Olu@People.example ")

    log = InvitationLog.objects.get()
    assert (log.workshop, log.audience, log.initiator) == (workshop, "coaches", organiser)
    assert said() == f"Log {log.pk}: inviting coaches.\n"


def test_invite_and_wait_delivers_by_itself_when_no_worker_answers(station: Station, said):
    workshop = WorkshopFactory(chapter=chapter_with(students=8, coaches=2))
    organiser = MemberFactory()

    call_command("invite", str(workshop.pk), "everyone", "--wait", initiator=organiser.email)

    log = InvitationLog.objects.get()
    assert log.status == LogStatus.COMPLETED
    assert station.sink.recipients == addresses_of(workshop)
    assert said().splitlines() == [
        f"Log {log.pk}: inviting everybody.",
        f"Log {log.pk} is completed: 10 sent, 0 failed, 0 in doubt, 0 not written to,"
        " 0 cancelled, 10 in all.",
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("slots_are", ["not there yet", "held by the dead"])
def test_invite_and_wait_needs_no_sweep(station: Station, slots_are: str):
    """A new database, or one whose workers died with their connections, and no worker runs."""
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    if slots_are == "not there yet":
        Slot.objects.all().delete()
    else:
        while slots.take(worker="dead"):
            pass
        Slot.objects.update(until=Now())

    call_command("invite", str(workshop.pk), "students", "--wait", initiator=MemberFactory().email)

    assert station.sink.recipients == addresses_of(workshop)


def test_invite_and_wait_leaves_the_work_to_the_workers(station: Station, said):
    station.start_worker()
    station.start_beat()
    workshop = WorkshopFactory(chapter=chapter_with(students=8))
    organiser = MemberFactory()

    call_command("invite", str(workshop.pk), "students", "--wait", initiator=organiser.email)

    assert "8 sent" in said()
    assert station.sink.recipients == addresses_of(workshop) or station.mishaps


def test_invite_and_wait_says_by_its_exit_code_that_letters_failed(station: Station, said):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    station.sink.script = lambda step, recipient: "550 5.2.1 disabled" if step == "rcpt" else None

    with pytest.raises(SystemExit) as ended:
        call_command(
            "invite", str(workshop.pk), "students", "--wait", initiator=MemberFactory().email
        )

    assert ended.value.code == 1
    assert "0 sent, 2 failed" in said()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cancelled": True}, "is cancelled"),
        ({"past": True}, "has already begun"),
        ({"is_invitable": False}, "not open for invitations"),
        ({"host": None}, "The venue is missing"),
    ],
)
def test_invite_says_why_not(fields: dict[str, object], words: str):
    workshop = WorkshopFactory(**fields)

    with pytest.raises(CommandError, match=words):
        call_command("invite", str(workshop.pk), "students", initiator=MemberFactory().email)

    assert not InvitationLog.objects.exists()


def test_invite_refuses_whom_and_what_it_does_not_know():
    workshop = WorkshopFactory()
    organiser, closed = MemberFactory(), MemberFactory(closed=True)

    with pytest.raises(CommandError, match="There is no workshop"):
        call_command("invite", str(workshop.pk + 1), "students", initiator=organiser.email)
    for address in ("nobody@people.example", closed.email):
        with pytest.raises(CommandError, match="No open account"):
            call_command("invite", str(workshop.pk), "students", initiator=address)
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("invite", str(workshop.pk), "xyz", initiator=organiser.email)

    assert not InvitationLog.objects.exists()


def test_invite_names_the_log_that_is_at_work_already():
    workshop = WorkshopFactory()
    log = InvitationLogFactory(workshop=workshop)

    with pytest.raises(CommandError, match=f"{log.initiator.full_name} started that on"):
        call_command("invite", str(workshop.pk), "students", initiator=MemberFactory().email)

    assert InvitationLog.objects.get() == log


# ---- delivery ------------------------------------------------------------------------------


def test_delivery_status_tells_of_every_live_log(ledger: None, said):
    slots.provide(4)
    call_command("delivery", "status")
    assert said().splitlines() == ["0 of 4 connections are sending.", "No log is at work."]

    Hold.objects.get_or_create(id=1)
    holds.hold(reason="“421 go away”")
    log = InvitationLogFactory()
    InvitationLogEntryFactory(log=log, status=EntryStatus.SKIPPED)
    InvitationLogEntryFactory.create_batch(2, log=log)
    InvitationLogFactory(status=LogStatus.COMPLETED)
    call_command("delivery", "status")

    held, connections, *logs = said().splitlines()
    assert held.startswith("Held since ")
    assert held.endswith("UTC: “421 go away”")
    assert connections == "0 of 4 connections are sending."
    assert logs == [
        f"Log {log.pk} is sending: 0 sent, 2 to go, 0 failed, 0 in doubt, 1 not written to,"
        " 0 cancelled, 3 in all."
    ]


def test_delivery_pause_resume_and_cancel(station: Station, said):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)

    call_command("delivery", "pause", str(log.pk))
    send_once_here()
    assert f"Log {log.pk} is paused: 0 sent, 3 to go" in said()
    assert station.sink.letters == []

    call_command("delivery", "resume", str(log.pk))
    assert f"Log {log.pk} is sending: 0 sent, 3 to go" in said()

    call_command("delivery", "cancel", str(log.pk))
    send_once_here()
    assert said().splitlines() == [
        "3 letters were cancelled.",
        f"Log {log.pk} is cancelled: 0 sent, 0 to go, 0 failed, 0 in doubt, 0 not written to,"
        " 3 cancelled, 3 in all.",
    ]
    assert station.sink.letters == []
    reasons = log.entries.values_list("status", "reason")
    assert set(reasons) == {("cancelled", "Cancelled from the command line.")}
    with pytest.raises(CommandError, match="This log is cancelled, so it cannot be paused now"):
        call_command("delivery", "pause", str(log.pk))


def test_delivery_refuses_what_it_does_not_know():
    log = InvitationLogFactory()

    for verb in ("status", "pause", "resume", "cancel", "retry"):
        with pytest.raises(CommandError, match=f"There is no log {log.pk + 1}"):
            call_command("delivery", verb, str(log.pk + 1))
    entry = InvitationLogEntryFactory(status=EntryStatus.FAILED)
    with pytest.raises(CommandError, match=f"Log {log.pk} has no entry {entry.pk}"):
        call_command("delivery", "retry", str(log.pk), "--entry", str(entry.pk))
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("delivery", "hurry")
    assert not Slot.objects.filter(token__isnull=False).exists()
