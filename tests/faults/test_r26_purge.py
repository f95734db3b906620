"""
R26: letters that wait are cancelled while real senders work; what left stays as it is. And a whole
city's are cancelled at once, a moment after they were written down.
"""

from __future__ import annotations

import pytest
from django.db import connection

from bench.people import add_members
from chapters.models import Chapter
from invitations.queries import auditing
from invitations.services import preparing
from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, InvitationLog, LogStatus
from logs.queries import progress
from logs.services import purging
from logs.services.purging import Which
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until

CITY = 10_000
PEOPLE = 300  # more than three senders take in hand


def test_r26_whoever_was_purged_gets_no_letter_and_everybody_else_exactly_one(station: Station):
    station.variables |= PATIENT
    station.sink.delay_seconds = 0.05
    station.start_beat()
    station.start_worker(concurrency=3)
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) > PEOPLE / 15, seconds=90)

    purged = purging.purge(Which(chapter=workshop.chapter), at_most=PEOPLE, reason="Wrong text")
    station.wait_until_quiet(log)

    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    counted = progress(log)
    assert log.status == LogStatus.COMPLETED
    assert 0 < purged == counted.cancelled < PEOPLE
    assert counted.success == len(station.sink.message_ids) == PEOPLE - purged
    cancelled = log.entries.filter(status="cancelled").values_list("member__email", flat=True)
    assert not set(cancelled) & set(station.sink.recipients)
    assert {breach.kind for breach in auditing.breaches()} <= {"not_invited"}


@pytest.mark.timeout(120)
def test_r26_a_batch_that_was_just_prepared_is_cancelled_at_once(ledger: None):
    """
    The database believes that all letters were sent, as they always are; a join of those that wait
    read each for each, and took minutes.
    """
    chapter = chapter_with()
    add_members(chapter, CITY, analyze=False)
    sent = _prepared(chapter)
    sent.entries.update(status=EntryStatus.SUCCESS, answer_code=250)
    InvitationLog.objects.update(status=LogStatus.COMPLETED)
    _run("ANALYZE logs_invitationlogentry")
    log = _prepared(chapter)

    _run("SET statement_timeout = '5s'")
    try:
        purged = purging.purge(Which(chapter=chapter), at_most=CITY, reason="Wrong text")
    finally:
        _run("RESET statement_timeout")

    assert purged == progress(log).cancelled == CITY
    assert progress(sent).success == CITY


def _prepared(chapter: Chapter) -> InvitationLog:
    workshop = WorkshopFactory(chapter=chapter)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    assert preparing.prepare(log.pk)
    return log


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
