"""`manage.py forget`, and the sessions that go in any case."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command

from invitations.models import Invitation
from logs.models import (
    Action,
    Activity,
    AuditRun,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from tests.factories import (
    WorkshopFactory,
    in_days,
)
from tests.support.past import LONG_AGO, forget, left_waiting, long_past, single

pytestmark = pytest.mark.django_db


def session(key: str, *, days: int) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=in_days(days))


def test_sessions_that_have_ended_go_also_where_nothing_is_forgotten(settings):
    settings.RETENTION_DAYS = 0
    session("ended", days=-1)
    session("goes on", days=1)
    AuditRun.objects.create(started_at=in_days(-900), finished_at=in_days(-900), found={})
    Activity.objects.create(did="moved the workshop", at=in_days(-9000))

    forget()

    assert [each.pk for each in Session.objects.all()] == ["goes on"]
    assert (AuditRun.objects.count(), Activity.objects.count()) == (1, 1)


# ---- On the command line -----------------------------------------------------------------------


def everything_old() -> None:
    long_past()
    left_waiting(LogStatus.PAUSED, days=20)
    single(Action.CONFIRMATION, workshop=WorkshopFactory(starts_at=in_days(LONG_AGO)))
    single(
        Action.PLACE,
        workshop=WorkshopFactory(starts_at=in_days(-20)),
        status=EntryStatus.PENDING,
        created_at=in_days(-20),
    )
    session("ended", days=-1)
    Activity.objects.create(did="moved the workshop", at=in_days(-4 * 365))


FORGOTTEN = [
    "Logs that were left waiting: 1",
    "Letters that were left waiting: 1",
    "Letters of logs: 5",
    "Single letters: 1",
    "Invitations that nobody answered: 3",
    "Sessions that have ended: 1",
    "Lines of history: 1",
]


def said(capsys, *options: str) -> list[str]:
    call_command("forget", *options)
    return capsys.readouterr().out.splitlines()


def rows() -> tuple[int, ...]:
    models = (InvitationLogEntry, Invitation, Session, Activity)
    return tuple(model.objects.count() for model in models)


def test_the_command_says_what_would_go_and_then_it_goes(capsys):
    everything_old()
    before = rows()

    assert said(capsys, "--dry-run") == [*FORGOTTEN, "Nothing was changed yet."]
    assert rows() == before
    assert not InvitationLog.objects.filter(status=LogStatus.CANCELLED).exists()
    assert said(capsys) == FORGOTTEN
    for options in ((), ("--dry-run",)):
        assert said(capsys, *options) == ["There is nothing to forget."]


def test_the_command_says_that_people_are_kept(settings, capsys):
    settings.RETENTION_DAYS = 0
    long_past()
    session("ended", days=-1)
    kept = "RETENTION_DAYS is 0: whom we wrote to is never forgotten."

    assert said(capsys, "--dry-run") == [
        kept,
        "Sessions that have ended: 1",
        "Nothing was changed yet.",
    ]
    assert said(capsys) == [kept, "Sessions that have ended: 1"]
    assert InvitationLogEntry.objects.count() == 5
