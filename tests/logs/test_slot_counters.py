"""What each connection has counted, for ever: letters, the time they took, leases that ran out."""

from __future__ import annotations

import pytest
from django.db.models import F
from django.db.models.functions import Now

from invitations.services import claiming, delivering, preparing
from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, InvitationLog, InvitationLogEntry, Slot
from logs.services import slots
from logs.services.slots import HeldSlot
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.smtp_sink import SmtpSink


@pytest.fixture
def log(ledger: None) -> InvitationLog:
    """Ten letters to go, and four connections."""
    workshop = WorkshopFactory(chapter=chapter_with(students=10))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)
    slots.provide(4)
    return log


def _in_hand(limit: int = 10) -> tuple[HeldSlot, list[int]]:
    slot = slots.take(worker="test")
    assert slot
    letters, _ = claiming.claim(slot, {}, limit=limit)
    return slot, [letter.entry_id for letter in letters]


def _counted(nr: int) -> tuple[int, int, int]:
    return Slot.objects.values_list("letters", "smtp_ms", "expired").get(nr=nr)


def test_a_claim_counts_what_was_accepted_before_it(log):
    slot, entries = _in_hand(limit=4)

    claiming.claim(slot, dict.fromkeys(entries[:3], 250), limit=4, smtp_ms=40)

    assert _counted(slot.nr) == (3, 40, 0)


def test_the_release_counts_the_rest(log):
    slot, entries = _in_hand(limit=4)
    claiming.claim(slot, dict.fromkeys(entries[:3], 250), limit=4, smtp_ms=40)

    slots.release(slot, {entries[3]: 250}, smtp_ms=9)

    # It was given back by the claim, and claimed again.
    assert _counted(slot.nr) == (4, 49, 0)


def test_what_is_recorded_twice_is_counted_once(log):
    """A commit whose answer was lost is repeated with the same letters."""
    slot, entries = _in_hand()
    accepted = dict.fromkeys(entries, 250)
    slots.record_accepted(slot, accepted, smtp_ms=30)

    slots.record_accepted(slot, accepted, smtp_ms=30)

    assert _counted(slot.nr) == (10, 30, 0)


def test_nothing_accepted_is_nothing_counted(log):
    slot, _ = _in_hand()

    slots.release(slot, {})

    assert _counted(slot.nr) == (0, 0, 0)


def test_a_lease_that_ran_out_counts_what_its_cursor_had_passed(log):
    slot, entries = _in_hand()
    slots.move_cursor(slot, entries[6])
    Slot.objects.filter(nr=slot.nr).update(until=Now())

    slots.settle_expired()

    assert _counted(slot.nr) == (6, 0, 1)
    assert InvitationLogEntry.objects.filter(status=EntryStatus.SUCCESS).count() == 6


def test_a_surplus_connection_leaves_its_counts(log):
    Slot.objects.update(letters=F("nr"), smtp_ms=10 * F("nr"), expired=1)

    slots.provide(2)
    slots.provide(2)

    assert set(Slot.objects.values_list("nr", "letters", "smtp_ms", "expired")) == {
        (1, 1 + 3 + 4, 10 + 30 + 40, 3),
        (2, 2, 20, 1),
    }


def test_whoever_sends_counts_every_letter_once(log, sink: SmtpSink, settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port

    delivering.deliver_what_is_due()

    (letters,) = Slot.objects.filter(letters__gt=0).values_list("letters", flat=True)
    (took,) = Slot.objects.filter(smtp_ms__gt=0).values_list("smtp_ms", flat=True)
    assert letters == len(sink.letters) == 10
    assert 0 < took < settings.TASK_SECONDS * 1000
