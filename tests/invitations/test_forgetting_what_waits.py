"""R38: what was left waiting ends after its workshop, so that it is forgotten in time."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from invitations.services import (
    forgetting,
)
from logs.models import (
    Action,
    Activity,
    EntryStatus,
    InvitationLogEntry,
    LogStatus,
)
from logs.services import steering
from tests.factories import (
    WorkshopFactory,
    in_days,
)
from tests.support.past import KEPT, forget, left_waiting, single
from tests.support.together import at_once
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "status", [LogStatus.PAUSED, LogStatus.RUNNING, LogStatus.PREPARING, LogStatus.SCHEDULED]
)
@pytest.mark.parametrize("kept", [0, KEPT])
def test_a_log_left_waiting_is_ended_two_weeks_after_its_workshop(settings, status, kept):
    settings.RETENTION_DAYS = kept
    log = left_waiting(status, days=20)

    for _ in range(2):
        assert forget() is False

    log.refresh_from_db()
    entry = log.entries.get()
    assert log.status == LogStatus.CANCELLED
    assert (entry.status, entry.reason) == (EntryStatus.CANCELLED, forgetting.WAS_LEFT_WAITING)
    activity = Activity.objects.get()
    assert (activity.did, activity.by, activity.remark) == (
        f"cancelled 1 letter of log {log.pk}",
        None,
        forgetting.WAS_LEFT_WAITING,
    )


def test_and_is_forgotten_in_time():
    log = left_waiting(LogStatus.PAUSED, days=20)
    forget()
    steering.finish(log.pk)

    forget(at=timezone.now() + timedelta(days=KEPT + 1))

    log.refresh_from_db()
    assert log.forgotten_at is not None
    assert log.entries.count() == 0


@pytest.mark.parametrize(
    "lately",
    [
        {"days": 12},
        {"days": 20, "created_at": in_days(-3), "action": Action.MESSAGE},
        {"days": -3, "created_at": in_days(-60)},
    ],
    ids=["workshop over too lately", "written lately", "workshop to come"],
)
def test_what_somebody_may_carry_on_with_waits_on(lately):
    log = left_waiting(LogStatus.PAUSED, **lately)

    forget()

    log.refresh_from_db()
    assert (log.status, log.entries.get().status) == (LogStatus.PAUSED, EntryStatus.PENDING)


def test_single_letters_that_something_held_are_ended_too():
    over = WorkshopFactory(starts_at=in_days(-20))
    long_ago = {"created_at": in_days(-20), "status": EntryStatus.PENDING}
    held = single(Action.CONFIRMATION, workshop=over, **long_ago)
    others = [
        single(Action.DECLINED, workshop=over, status=EntryStatus.SENDING, created_at=in_days(-20)),
        single(Action.WAITING, workshop=over, status=EntryStatus.PENDING, created_at=in_days(-2)),
        single(Action.REMINDER, workshop=WorkshopFactory(), **long_ago),
        single(Action.WARNING, **long_ago),
    ]

    forget()

    held.refresh_from_db()
    assert (held.status, held.reason) == (EntryStatus.CANCELLED, forgetting.WAS_LEFT_WAITING)
    for other in others:
        before = other.status
        other.refresh_from_db()
        assert other.status == before


@pytest.mark.django_db(transaction=True)
def test_a_single_letter_that_a_sender_takes_meanwhile_is_left_to_it():
    over = WorkshopFactory(starts_at=in_days(-20))
    held = single(
        Action.CONFIRMATION, workshop=over, status=EntryStatus.PENDING, created_at=in_days(-20)
    )

    def take() -> None:
        with transaction.atomic():
            InvitationLogEntry.objects.filter(pk=held.pk).update(
                status=EntryStatus.SENDING, lease=uuid4()
            )
            taken.set()
            wait_until(_somebody_waits_for_a_row)

    def end() -> None:
        taken.wait(20)
        forget()

    taken = Event()
    at_once(take, end)

    held.refresh_from_db()
    assert held.status == EntryStatus.SENDING


def _somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
        )
        return bool(cursor.fetchone()[0])
