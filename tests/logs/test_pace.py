"""MAIL_RATE_PER_SECOND: one row grants the moments, and none of them is too near to another."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from invitations.services import claiming, preparing
from invitations.services.manager import InvitationManager
from logs.models import Pace
from logs.services import slots
from logs.services.slots import HeldSlot
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.together import at_once

RATE = 5  # so slow that there is a queue, however busy the machine is
STEP = timedelta(seconds=1 / RATE)


@pytest.fixture
def in_hand(ledger: None, settings: Settings) -> list[tuple[HeldSlot, list[int]]]:
    """Three slots, each with ten letters in hand."""
    settings.MAIL_RATE_PER_SECOND = RATE
    workshop = WorkshopFactory(chapter=chapter_with(students=30))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)
    slots.provide(4)
    found = []
    for _ in range(3):
        slot = slots.take(worker="test")
        assert slot
        letters, _ = claiming.claim(slot, {}, limit=10)
        found.append((slot, [letter.entry_id for letter in letters]))
    return found


def _next_at() -> datetime:
    return Pace.objects.get().next_at


def test_each_moment_is_a_step_after_the_one_before(in_hand):
    moments = [_next_at()]
    for entry_ids in zip(*(entry_ids for _, entry_ids in in_hand), strict=True):
        for (slot, _), entry_id in zip(in_hand, entry_ids, strict=True):
            assert slots.move_cursor(slot, entry_id) is not None
            moments.append(_next_at())

    assert all(later - earlier >= STEP for earlier, later in pairwise(moments))


def test_cursors_that_move_together_take_a_moment_each(in_hand):
    before = _next_at()
    slots.move_cursor(in_hand[0][0], in_hand[0][1][0])  # there is a queue now

    given = slots._move_all([(slot, entry_ids[1]) for slot, entry_ids in in_hand])

    apart = [later - earlier for earlier, later in pairwise(sorted(filter(None, given)))]
    assert apart == [pytest.approx(STEP.total_seconds() / slots.PACE)] * 2
    assert _next_at() - before >= 4 * STEP


def test_the_moment_is_told_by_our_own_clock(in_hand):
    (slot, entry_ids), *_ = in_hand
    Pace.objects.update(next_at=Now() + timedelta(seconds=60))
    earliest = time.monotonic()

    moment = slots.move_cursor(slot, entry_ids[0])

    assert moment is not None
    assert earliest + 60 - 30 < moment < time.monotonic() + 60


def test_whoever_may_not_leave_takes_no_moment(in_hand):
    (slot, entry_ids), (other, _), _ = in_hand
    before = _next_at()

    assert slots._move_all([(other, entry_ids[0])]) == [None]
    assert _next_at() == before
    assert slots._move_all([(other, entry_ids[0]), (slot, entry_ids[0])])[0] is None
    assert _next_at() - before >= STEP


def test_several_processes_share_the_moments(in_hand):
    first = _next_at()

    def send_all(slot: HeldSlot, entry_ids: list[int]) -> int:
        return len([slots._move_all([(slot, entry_id)]) for entry_id in entry_ids])

    assert at_once(*(lambda one=one: send_all(*one) for one in in_hand)) == [10, 10, 10]
    assert _next_at() - first >= 30 * STEP
