"""From the click to the last letter, with real workers and a real mail server."""

from __future__ import annotations

from collections import Counter

import pytest

from chapters.models import Role
from invitations.services.manager import InvitationManager
from logs.models import InvitationLogEntry, LogStatus
from logs.queries import progress
from tests.factories import MemberFactory, WorkshopFactory, subscribe
from tests.support.database import execute
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until


@pytest.fixture
def workshop():
    return WorkshopFactory()


def test_everybody_is_invited_once_and_the_log_proves_it(station: Station, workshop):
    chapter = workshop.chapter
    students = [MemberFactory() for _ in range(12)]
    doubled = [MemberFactory() for _ in range(5)]
    no_terms = MemberFactory(accepted_terms_at=None)
    for member in [*students, *doubled, no_terms]:
        subscribe(member, chapter, Role.STUDENT)
    for member in doubled:
        subscribe(member, chapter, Role.COACH)
    organiser = MemberFactory()
    station.variables |= PATIENT
    station.start_worker()
    station.start_beat()

    log = InvitationManager().send_workshop_emails(workshop, "everyone", organiser)

    wait_until(lambda: _is(log, LogStatus.COMPLETED), what="the log to be completed")
    assert station.sink.recipients == Counter(m.email for m in [*students, *doubled])
    counted = progress(log)
    assert (counted.success, counted.skipped, counted.audience) == (17, 1, 18)
    assert {e.member_id: e.reason for e in log.entries.filter(status="skipped")} == {
        no_terms.pk: "has not accepted the terms"
    }
    assert set(workshop.invitations.filter(role=Role.COACH).values_list("member", flat=True)) == {
        member.pk for member in doubled
    }
    sent = InvitationLogEntry.objects.filter(status="success").values_list("message_id", flat=True)
    assert {name.split("@")[0].strip("<") for name in station.sink.message_ids} == set(
        map(str, sent)
    )


def test_the_first_batch_of_a_new_database_waits_for_no_sweep(station: Station, workshop):
    execute("DELETE FROM logs_slot")
    members = [MemberFactory() for _ in range(3)]
    for member in members:
        subscribe(member, workshop.chapter, Role.STUDENT)
    station.variables |= PATIENT
    station.start_worker()  # and no beat

    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    wait_until(lambda: _is(log, LogStatus.COMPLETED), what="the log to be completed")
    assert station.sink.recipients == Counter(member.email for member in members)


def _is(log, status: LogStatus) -> bool:
    log.refresh_from_db()
    return log.status == status
