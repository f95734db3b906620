"""X23: whatever breaks in the guard, nobody is written to."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from invitations.models import Invitation
from invitations.services import guarding, preparing
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog, InvitationLogEntry, LogStatus, Switch
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.here import send_once_here
from tests.support.processes import Station


@pytest.fixture
def log() -> InvitationLog:
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    return InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())


@pytest.mark.parametrize("error", [RuntimeError, DatabaseError, TypeError])
@pytest.mark.parametrize("name", ["check", "_strangers", "_count"])
def test_x23_a_guard_that_breaks_stops_the_batch(
    station: Station, log: InvitationLog, monkeypatch, name: str, error: type[Exception]
):
    def breaks(*_: object, **__: object) -> None:
        raise error("the guard is broken")

    monkeypatch.setattr(guarding, name, breaks)
    for _ in range(preparing.MOST_TRIES):
        with pytest.raises(error):
            preparing.prepare(log.pk)
    preparing.prepare(log.pk)
    send_once_here()

    log.refresh_from_db()
    assert (log.status, log.reason) == (LogStatus.FAILED, "It could not be prepared in 5 tries.")
    assert station.sink.letters == []
    assert not InvitationLogEntry.objects.exists()
    assert not Invitation.objects.exists()


def test_x23_a_guard_that_cannot_tell_anybody_has_stopped_the_batch(
    station: Station, log: InvitationLog, monkeypatch
):
    def breaks(*_: object, **__: object) -> None:
        raise DatabaseError("nobody can be told")

    InvitationLog.objects.filter(pk=log.pk).update(seen_count=1)
    monkeypatch.setattr(guarding, "raise_alert", breaks)

    with pytest.raises(DatabaseError):
        preparing.prepare(log.pk)
    send_once_here()

    log.refresh_from_db()
    assert (log.status, station.sink.letters) == (LogStatus.FAILED, [])
    assert "promised letters to 1 people, and 3 would" in log.reason


def test_x23_a_switch_that_is_not_there_stops_everything(station: Station, log: InvitationLog):
    preparing.prepare(log.pk)
    Switch.objects.all().delete()

    send_once_here()

    assert station.sink.letters == []
    assert log.entries.filter(status="pending").count() == 3
