"""R11: one person's data, or one bad row, spoils nobody else's letter."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import Q
from django.db.models.functions import Now

from invitations.models import Invitation
from invitations.queries.audiences import CLOSED, UNSUBSCRIBED
from invitations.services.manager import InvitationManager
from invitations.services.preparing import prepare
from logs.models import Action, EntryStatus, InvitationLog, InvitationLogEntry, Slot
from logs.services.logger import InvitationLogger
from logs.services.slots import DOUBTED_TWICE
from members.models import Member
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.database import execute, without_constraint
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, STEADY, Station

PEOPLE = 12


def test_r11_letters_that_cannot_be_written(station: Station):
    log, members = _prepared()
    no_invitation, *changed = members[:5]
    Invitation.objects.filter(workshop=log.workshop_id, member=no_invitation).delete()
    confirmation = InvitationLogger().single(
        member=no_invitation, workshop=log.workshop, action=Action.CONFIRMATION, occasion="1"
    )
    for member, change in zip(
        changed,
        [
            {"name": "Ann\nBcc: everybody@people.example"},
            {"email": "ann\n@people.example"},
            {"email": "ann@people.example> size=9"},
            {"email": "ännchen@people.example"},
        ],
        strict=True,
    ):
        Member.objects.filter(pk=member.pk).update(**change)

    station.variables |= PATIENT
    station.start_beat()
    worker = station.start_worker()
    wait_until_quiet(log)

    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    spoiled = InvitationLogEntry.objects.filter(
        Q(pk=confirmation.pk) | Q(log=log, member__in=changed)
    )
    assert len(spoiled) == 5
    assert set(spoiled.values_list("status", "tries")) == {(EntryStatus.FAILED, 0)}
    assert all(entry.reason.startswith("The letter could not be written") for entry in spoiled)
    entry = log.entries.get(member=no_invitation)
    assert (entry.status, entry.reason) == (EntryStatus.SKIPPED, UNSUBSCRIBED)
    assert log.entries.filter(status=EntryStatus.SUCCESS).count() == PEOPLE - 5
    assert "people.example" not in worker.output


def test_r11_a_letter_that_kills_its_sender(station: Station):
    log, members = _prepared()
    killer = members[4]
    kills: list[int] = []

    def kill(step: str, address: str) -> None:
        if (step, address) == ("rcpt", killer.email):
            kills.append(len(worker.children))
            for child in worker.children:
                child.kill()

    station.sink.script = kill
    station.variables |= STEADY
    station.start_beat()
    worker = station.start_worker(concurrency=1)
    wait_until_quiet(log)

    assert_settled(station.sink, log, audience=PEOPLE, faults=len(kills) + station.mishaps)
    entry = log.entries.get(member=killer)
    assert (entry.status, entry.doubts, entry.reason) == (EntryStatus.UNKNOWN, 2, DOUBTED_TWICE)
    assert len(kills) == 2
    assert log.entries.filter(status=EntryStatus.SUCCESS).count() == PEOPLE - 1


@pytest.mark.parametrize("is_single", [False, True])
def test_r11_a_state_that_nobody_knows(station: Station, is_single: bool):
    station.variables |= PATIENT
    log, members = _prepared()
    odd = log.entries.get(member=members[3])
    if is_single:
        odd = InvitationLogger().single(
            member=members[3], workshop=log.workshop, action=odd.action, occasion="odd"
        )
    with without_constraint("logs_invitationlogentry", "entry_status_is_known"):
        execute("UPDATE logs_invitationlogentry SET status = 'posted' WHERE id = %s", odd.pk)
        station.start_beat()
        station.start_worker()
        wait_until_quiet(log)

        odd.refresh_from_db()
        assert (odd.status, odd.reason) == (
            EntryStatus.FAILED,
            "The ledger said “posted” about this letter, which means nothing.",
        )
        assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
        sent = log.entries.filter(status=EntryStatus.SUCCESS).count()
        assert sent == PEOPLE - (0 if is_single else 1)


@pytest.mark.parametrize("until", ["infinity", "2999-01-01", None])
def test_r11_a_lease_that_never_ends(station: Station, until: str | None):
    log, members = _prepared()
    token = uuid4()
    at = log.entries.get(member=members[5]).pk
    Slot.objects.filter(nr=2).update(token=token, cursor=at)
    execute("UPDATE logs_slot SET until = %s WHERE nr = 2", until)
    log.entries.filter(member__in=members[4:8]).update(status=EntryStatus.SENDING, lease=token)

    station.variables |= PATIENT
    station.start_beat()
    station.start_worker()
    wait_until_quiet(log)

    assert log.entries.filter(status=EntryStatus.SUCCESS).count() == PEOPLE
    assert list(log.entries.filter(is_settled=True)) == [log.entries.get(member=members[4])]
    doubted = set(log.entries.filter(doubts=1).values_list("pk", flat=True))
    assert at in doubted
    assert len(doubted) <= 1 + station.mishaps
    assert not Slot.objects.filter(until__gt=Now() + timedelta(hours=1)).exists()


@pytest.mark.parametrize("lease", [None, uuid4()])
def test_r11_a_letter_in_nobodys_hand(station: Station, lease: object):
    station.variables |= PATIENT
    log, members = _prepared()
    with without_constraint("logs_invitationlogentry", "entry_is_leased_while_sending"):
        log.entries.filter(member=members[2]).update(status=EntryStatus.SENDING, lease=lease)
        station.start_beat()
        station.start_worker()
        wait_until_quiet(log)

    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    entry = log.entries.get(member=members[2])
    assert (entry.status, entry.doubts) == (EntryStatus.SUCCESS, 1)


def test_r11_an_account_closed_behind_our_back(station: Station):
    log, members = _prepared()
    Member.objects.filter(pk=members[0].pk).update(closed_at=Now(), email="", name="")

    station.variables |= PATIENT
    station.start_beat()
    station.start_worker()
    wait_until_quiet(log)

    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    entry = log.entries.get(member=members[0])
    assert (entry.status, entry.reason) == (EntryStatus.SKIPPED, CLOSED)
    assert log.entries.filter(status=EntryStatus.SUCCESS).count() == PEOPLE - 1


def _prepared() -> tuple[InvitationLog, list[Member]]:
    """A log that is about to be sent, and its people in the order of their letters."""
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    prepare(log.pk)
    log.refresh_from_db()
    return log, list(workshop.chapter.groups.get(role="student").members.order_by("pk"))
