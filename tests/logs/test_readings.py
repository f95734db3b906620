"""What the sweep writes down once a minute."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from logs import instruments
from logs.instruments import Line, Passage
from logs.models import (
    EntryStatus,
    Heartbeat,
    Hold,
    InvitationLogEntry,
    LogStatus,
    Priority,
    Reading,
    Release,
    Slot,
    Switch,
    Tally,
)
from logs.services import heartbeats, readings
from tests.factories import InvitationLogEntryFactory, InvitationLogFactory
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


def _earlier(minutes: int = 1, **fields) -> Reading:
    """A reading of before, as the sweep would have left it."""
    at = timezone.now() - timedelta(minutes=minutes)
    nothing = {"letters": 0, "smtp_ms": 0, "expired": 0, "failed": 0, "unknown": 0, "tallies": {}}
    return Reading.objects.create(
        minute=at.replace(second=0, microsecond=0),
        totals=nothing | {"at": at.isoformat()} | fields,
    )


def _changed(ago: timedelta, entry: InvitationLogEntry) -> None:
    InvitationLogEntry.objects.filter(pk=entry.pk).update(changed_at=timezone.now() - ago)


def _values(reading: Reading | None) -> dict[str, object]:
    assert reading is not None
    names = ("pending", "sending", "sent", "failed", "unknown", "expired", "smtp_ms", "release")
    return {name: getattr(reading, name) for name in names}


def test_the_first_reading_has_nothing_to_count_from(settings):
    settings.RELEASE = "1.0+abc"
    Slot.objects.update_or_create(nr=1, defaults={"letters": 7, "smtp_ms": 70, "expired": 1})
    InvitationLogEntryFactory(status=EntryStatus.FAILED)
    InvitationLogEntryFactory(status=EntryStatus.PENDING)

    reading = readings.take()

    assert _values(reading) == {
        "pending": 1, "sending": 0, "sent": 0, "failed": 0, "unknown": 0, "expired": 0,
        "smtp_ms": 0, "release": "1.0+abc",
    }  # fmt: skip
    assert reading == readings.newest()
    assert (reading.minute.second, reading.minute.microsecond) == (0, 0)


def test_what_has_gone_through_since_the_reading_before():
    _earlier(letters=100, smtp_ms=1000, expired=3, failed=5, unknown=1)
    Slot.objects.all().delete()
    Slot.objects.create(nr=1, letters=60, smtp_ms=600, expired=3)
    Slot.objects.create(nr=2, letters=45, smtp_ms=650, expired=1)
    for status in (EntryStatus.FAILED, EntryStatus.FAILED, EntryStatus.UNKNOWN):
        _changed(timedelta(seconds=30), InvitationLogEntryFactory(status=status))
    _changed(timedelta(hours=1), InvitationLogEntryFactory(status=EntryStatus.FAILED))

    reading = readings.take()

    counted = _values(reading)
    assert (counted["sent"], counted["smtp_ms"], counted["expired"]) == (5, 250, 1)
    assert (counted["failed"], counted["unknown"]) == (2, 1)
    assert reading.totals == {
        "at": reading.totals["at"], "letters": 105, "smtp_ms": 1250, "expired": 4,
        "failed": 7, "unknown": 2, "tallies": {},
    }  # fmt: skip


def test_one_reading_a_minute():
    first = readings.take()
    at = datetime.fromisoformat(first.totals["at"])

    second = readings.take()

    if second is None:
        assert list(Reading.objects.all()) == [first]
    else:  # the minute ended between the two
        assert datetime.fromisoformat(second.totals["at"]).minute != at.minute


def test_tallies_count_on_although_their_rows_are_forgotten():
    """Whole minutes only: the one that goes on is in the next reading, and none is in two."""
    before = _earlier(minutes=2, tallies={"guard": 4})
    for minutes, count in ((-1, 100), (0, 10), (1, 5), (2, 1000)):
        minute = before.minute + timedelta(minutes=minutes)
        Tally.objects.create(name="server_errors", minute=minute, count=count)

    at = datetime.fromisoformat(readings.take().totals["at"])

    whole = {0: 10, 1: 5, 2: 1000}
    minutes_gone = round((at.replace(second=0, microsecond=0) - before.minute).total_seconds() / 60)
    counted = sum(count for minute, count in whole.items() if minute < minutes_gone)
    assert readings.newest().totals["tallies"] == {"guard": 4, "server_errors": counted}


def test_readings_are_kept_for_thirty_days():
    old, young = _earlier(minutes=31 * 24 * 60), _earlier(minutes=29 * 24 * 60)

    new = readings.take()

    assert set(Reading.objects.all()) == {young, new}
    assert old not in Reading.objects.all()


def test_a_slot_that_is_counted_anew_is_no_negative_number():
    _earlier(letters=100)

    assert readings.take().sent == 0


# ---- The instruments ----------------------------------------------------------------------


def _due_for(seconds: float, **fields) -> InvitationLogEntry:
    return InvitationLogEntryFactory(due_at=timezone.now() - timedelta(seconds=seconds), **fields)


def _rounded(line: Line) -> Line:
    return Line(line.pending, line.sending, round(line.overdue_seconds, -1))


def test_each_line_by_itself():
    _due_for(100, log=None, priority=Priority.SINGLE)
    log = InvitationLogFactory(status=LogStatus.RUNNING)
    _due_for(200, log=log, priority=Priority.BULK)
    _due_for(300, log=log, priority=Priority.BULK)
    _due_for(-500, log=log, priority=Priority.BULK)

    lines = {priority: _rounded(line) for priority, line in instruments.lines().items()}

    assert lines == {Priority.SINGLE: Line(1, 0, 100), Priority.BULK: Line(3, 0, 200)}


@pytest.mark.parametrize("obstacle", ["stopped", "held", "paused"])
def test_what_may_not_leave_is_not_overdue(obstacle):
    log = InvitationLogFactory(
        status=LogStatus.PAUSED if obstacle == "paused" else LogStatus.RUNNING
    )
    _due_for(200, log=log, priority=Priority.BULK)
    if obstacle == "stopped":
        Switch.objects.filter(chapter=None).update(is_on=False)
    if obstacle == "held":
        Hold.objects.update_or_create(id=1, defaults={"since": timezone.now()})

    assert instruments.lines()[Priority.BULK] == Line(1, 0, 0.0)


def test_all_connections_together():
    Slot.objects.all().delete()
    Slot.objects.create(nr=1, letters=3, smtp_ms=30, expired=1)
    token = "00000000-0000-4000-8000-000000000001"
    Slot.objects.create(nr=2, letters=4, smtp_ms=50, expired=0, token=token)

    assert instruments.passage() == Passage(free=1, busy=1, letters=7, smtp_ms=80, expired=1)


def test_without_a_connection_there_is_nothing():
    Slot.objects.all().delete()

    assert instruments.passage() == Passage(free=0, busy=0, letters=0, smtp_ms=0, expired=0)


# ---- Heartbeats and releases --------------------------------------------------------------


def test_a_heartbeat_names_the_release_that_is_at_work(settings):
    settings.RELEASE = "1.0"
    heartbeats.beat("sweep")
    settings.RELEASE = "1.1"
    heartbeats.beat("sweep")

    assert list(Heartbeat.objects.values_list("name", "release")) == [("sweep", "1.1")]
    assert set(Release.objects.values_list("name", flat=True)) == {"1.0", "1.1"}


def test_a_release_keeps_the_moment_when_it_was_first_seen(settings):
    settings.RELEASE = "1.0"
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    Release.objects.create(name="1.0", seen_at=noon)

    heartbeats.beat("sweep")

    assert Release.objects.get().seen_at == noon


def test_whoever_was_silent_is_as_old_as_that():
    heartbeats.beat("sweep")
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=10))

    (age,) = heartbeats.ages().values()

    assert timedelta(minutes=9) < age < timedelta(minutes=11)


def test_one_of_several_who_ask_at_the_same_moment_has_its_turn(transactional_db: None):
    def ask() -> bool:
        return heartbeats.is_turn(heartbeats.WATCH, every=3600)

    assert sorted(at_once(*[ask] * 6)) == [False] * 5 + [True]
    assert not ask()
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=3601))
    assert ask()
