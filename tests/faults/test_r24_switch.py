"""R24: the switch stops real senders within a letter each, and nobody is lost by it."""

from __future__ import annotations

from collections import Counter

import pytest

from chapters.models import Workshop
from invitations import tasks
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog, Switch
from logs.queries import progress
from logs.services import switches
from members.models import Member
from tests.factories import ChapterFactory, MemberFactory, WorkshopFactory, chapter_with
from tests.support.database import execute
from tests.support.ledger import assert_settled
from tests.support.processes import Station
from tests.support.waiting import wait_until

PEOPLE = 80
SENDERS = 3


@pytest.fixture
def workshop(station: Station) -> Workshop:
    return WorkshopFactory(chapter=chapter_with(students=PEOPLE))


@pytest.fixture
def log(station: Station, workshop: Workshop) -> InvitationLog:
    """A quarter of its letters have left."""
    station.sink.delay_seconds = 0.05
    station.start_beat()
    station.start_worker(concurrency=SENDERS)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) > PEOPLE / 4, seconds=90)
    return log


@pytest.mark.parametrize("how", ["everything", "the chapter", "no row", "unreadable"])
def test_r24_at_most_one_further_letter_of_each_sender_leaves_and_nobody_is_lost(
    station: Station, log: InvitationLog, how: str
):
    chapter = log.chapter if how == "the chapter" else None
    if how == "no row":
        Switch.objects.all().delete()
    elif how == "unreadable":
        execute("ALTER TABLE logs_switch RENAME TO logs_switch_away")
    else:
        assert switches.stop(chapter)
    at_the_stop = len(station.sink.letters)

    with pytest.raises(AssertionError, match="still not"):
        wait_until(lambda: len(station.sink.letters) > at_the_stop + SENDERS, seconds=3)
    stopped_at = len(station.sink.letters)
    assert stopped_at < PEOPLE
    assert progress(log).audience == PEOPLE

    if how == "unreadable":
        execute("ALTER TABLE logs_switch_away RENAME TO logs_switch")
    else:
        assert switches.resume(chapter)
    tasks.ring_for_all()
    station.wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    assert progress(log).success == PEOPLE
    everybody = Member.objects.filter(groups__chapter=log.chapter_id)
    if not station.mishaps:
        assert station.sink.recipients == Counter(everybody.values_list("email", flat=True))


def test_r24_the_switch_of_another_chapter_stops_nothing(station: Station, log: InvitationLog):
    switches.stop(ChapterFactory())

    station.wait_until_quiet(log)

    assert progress(log).success == PEOPLE
