"""Somebody who says "I am coming" is not kept waiting by a big chapter."""

from __future__ import annotations

import time

from invitations import tasks
from invitations.services import delivering, preparing
from invitations.services.manager import InvitationManager
from logs.models import Action
from logs.queries import progress
from logs.services.logger import InvitationLogger
from tests.factories import InvitationFactory, MemberFactory, WorkshopFactory, chapter_with
from tests.support.here import crowd
from tests.support.processes import Station
from tests.support.waiting import wait_until

PEOPLE = 20_000
AS_IN_PRODUCTION = {
    "EMAIL_TIMEOUT": "10",
    "LETTER_SECONDS": "20",
    "TASK_SECONDS": "10",
    "LEASE_SECONDS": "60",
    "SWEEP_SECONDS": "30",
    "MAIL_CONNECTIONS": "8",
    "VISIBILITY_TIMEOUT": "3600",
}
A_FEW_SECONDS = delivering.BLOCK_SECONDS + 3


def test_a_confirmation_leaves_before_twenty_thousand_bulk_letters(station: Station):
    station.variables |= AS_IN_PRODUCTION
    station.sink.delay_seconds = 0.1
    chapter = chapter_with()
    crowd(chapter, PEOPLE)
    workshop = WorkshopFactory(chapter=chapter)
    coming = InvitationFactory(workshop=WorkshopFactory(), answer="attending")
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)
    tasks.ring_for_all()
    station.start_worker()
    station.start_worker()
    wait_until(lambda: len(station.sink.letters) > 20)

    InvitationLogger().single(
        member=coming.member,
        workshop=coming.workshop,
        action=Action.CONFIRMATION,
        occasion=str(coming.answer_number),
    )
    asked_at = time.monotonic()
    tasks.ring()

    wait_until(lambda: coming.member.email in station.sink.recipients, seconds=A_FEW_SECONDS)
    print(f"the confirmation left after {time.monotonic() - asked_at:.1f} s")
    assert progress(log).pending > PEOPLE / 2
