"""What is an alert and what is none: the rules, one by one, and what must not stop them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import Error, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invitations.services import alerting, sweeping, telling
from logs.models import (
    Alert,
    AuditRun,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Reading,
    Switch,
)
from logs.services import heartbeats, holds, switches, tallies
from logs.services.alerts import Found, raise_alert
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    WorkshopFactory,
)
from tests.support.on_call import going_on, later, minutes_ago, waiting
from tests.support.plants import (
    a_broken_promise,
    nobody_knows_whether_it_arrived,
    too_many_people,
    two_of_twenty_fail,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("told_nobody")]


# ---- A batch that stands still ------------------------------------------------------------


def test_a_large_batch_that_moves_is_not_late():
    log = InvitationLogFactory()
    waiting(log, minutes=60, count=2)
    InvitationLogEntryFactory(log=log, status=EntryStatus.SUCCESS, changed_at=minutes_ago(1))

    alerting.watch()

    assert going_on() == {}


def test_the_batch_behind_one_that_moves_waits_in_line():
    first, second = InvitationLogFactory(), InvitationLogFactory()
    waiting(first, minutes=60)
    waiting(second, minutes=60)
    InvitationLogEntryFactory(log=first, status=EntryStatus.SUCCESS, changed_at=minutes_ago(1))

    alerting.watch()

    assert going_on() == {}


def test_five_minutes_are_late_and_ten_stand_still():
    log = InvitationLogFactory()
    waiting(log, minutes=60, count=3)
    moved = InvitationLogEntryFactory(
        log=log, status=EntryStatus.SUCCESS, changed_at=minutes_ago(7.5)
    )

    alerting.watch()
    assert going_on() == {"queue_age": {"minutes": 7, "waiting": 3}}

    InvitationLogEntry.objects.filter(pk=moved.pk).update(changed_at=minutes_ago(12.5))
    alerting.watch()
    assert going_on() == {
        "queue_age": {"minutes": 12, "waiting": 3},
        "stalled_log": {"minutes": 12, "waiting": 3},
    }
    assert Alert.objects.get(kind="stalled_log").log == log


@pytest.mark.parametrize("obstacle", ["paused", "stopped", "chapter stopped", "held", "not due"])
def test_what_may_not_leave_is_not_late(obstacle):
    log = InvitationLogFactory()
    waiting(log, minutes=60)
    match obstacle:
        case "paused":
            InvitationLog.objects.update(status=LogStatus.PAUSED)
        case "stopped":
            switches.stop()
        case "chapter stopped":
            switches.stop(log.chapter)
        case "held":
            holds.hold(reason="421")
        case "not due":
            log.entries.update(due_at=timezone.now() + timedelta(minutes=5))

    alerting.watch()

    assert going_on().keys() - {"held"} == set()


def test_a_log_that_nobody_prepares():
    log = InvitationLogFactory(status=LogStatus.PREPARING, created_at=minutes_ago(12.5))
    InvitationLogFactory(status=LogStatus.PREPARING, created_at=minutes_ago(3))
    InvitationLogFactory(
        status=LogStatus.PREPARING, created_at=minutes_ago(600), send_at=minutes_ago(3)
    )

    alerting.watch()

    assert Alert.objects.get().log == log
    assert going_on() == {"stalled_log": {"minutes": 12, "waiting": 0}}


def test_sending_that_was_just_resumed_alarms_nobody(on_call, sink, pager):
    log = InvitationLogFactory(status=LogStatus.PAUSED)
    waiting(log, minutes=60)
    InvitationLog.objects.update(status=LogStatus.RUNNING)
    sweeping.sweep()
    telling.tell()
    log.entries.update(status=EntryStatus.SKIPPED, changed_at=timezone.now())

    sweeping.sweep()
    telling.tell()

    assert not Alert.objects.exists()
    assert (sink.letters, pager.posted) == ([], [])


# ---- Letters that fail --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failed", "tried", "is_many"),
    [(1, 20, False), (2, 20, True), (2, 19, False), (2, 40, False), (3, 40, True), (20, 20, True)],
)
def test_more_than_one_in_twenty(failed, tried, is_many):
    log = InvitationLogFactory()
    InvitationLogEntryFactory.create_batch(failed, log=log, status=EntryStatus.FAILED)
    InvitationLogEntryFactory.create_batch(tried - failed, log=log, status=EntryStatus.SUCCESS)
    InvitationLogEntryFactory.create_batch(5, log=log, status=EntryStatus.SKIPPED)

    alerting.watch()

    assert ("failure_rate" in going_on()) is is_many


@pytest.mark.parametrize(
    ("failed", "arrived", "is_news"), [(5, 0, True), (4, 0, False), (5, 1, False)]
)
def test_a_small_batch_of_which_none_arrived(failed, arrived, is_news):
    log = InvitationLogFactory()
    InvitationLogEntryFactory.create_batch(failed, log=log, status=EntryStatus.FAILED)
    InvitationLogEntryFactory.create_batch(arrived, log=log, status=EntryStatus.SUCCESS)

    alerting.watch()

    assert ("failure_rate" in going_on()) is is_news


@pytest.mark.parametrize(
    ("failed", "arrived", "percent"), [(5, 94, 5), (5, 95, None), (4, 0, None), (6, 0, 100)]
)
def test_single_letters_of_the_last_hour(failed, arrived, percent):
    create = InvitationLogEntryFactory.create_batch
    create(failed, log=None, status=EntryStatus.FAILED)
    create(arrived, log=None, status=EntryStatus.SUCCESS)
    create(5, log=None, status=EntryStatus.FAILED, changed_at=minutes_ago(61))
    create(5, log=None, status=EntryStatus.SUCCESS, changed_at=minutes_ago(61))

    alerting.watch()

    numbers = {"failed": failed, "letters": failed + arrived, "percent": percent}
    assert going_on() == ({"failure_rate": numbers} if percent else {})
    assert list(Alert.objects.values_list("key", flat=True)) == ["single"] * bool(percent)


def test_a_batch_of_yesterday_is_no_longer_news():
    two_of_twenty_fail()
    InvitationLog.objects.update(status=LogStatus.COMPLETED, finished_at=minutes_ago(25 * 60))

    alerting.watch()

    assert "failure_rate" not in going_on()


def test_letters_in_doubt_and_given_up_of_two_logs_are_two_alerts():
    first, second = InvitationLogFactory(), InvitationLogFactory()
    InvitationLogEntryFactory.create_batch(2, log=first, status=EntryStatus.UNKNOWN)
    InvitationLogEntryFactory(log=second, status=EntryStatus.UNKNOWN)
    InvitationLogEntryFactory(log=None, status=EntryStatus.UNKNOWN)
    InvitationLogEntryFactory(log=second, status=EntryStatus.FAILED, tries=7)

    alerting.watch()

    found = Alert.objects.values_list("kind", "key", "log", "numbers__letters")
    assert set(found) == {
        ("in_doubt", str(first.pk), first.pk, 2),
        ("in_doubt", str(second.pk), second.pk, 1),
        ("in_doubt", "single", None, 1),
    }


# ---- What the guard, the audit and the preparing say --------------------------------------


def test_the_guard_is_over_after_a_day():
    too_many_people()
    Alert.objects.update(began_at=minutes_ago(24 * 60 + 1), tell_at=minutes_ago(24 * 60 + 1))

    alerting.watch()

    assert going_on() == {}


def test_what_the_guard_says_while_somebody_looks_is_told(on_call, pager, monkeypatch):
    log = InvitationLogFactory(status=LogStatus.FAILED)

    def meanwhile() -> alerting.Findings:
        raise_alert("guard", log=log, numbers={"letters": 700, "seen": 70})
        return {}

    monkeypatch.setattr(alerting, "RULES", [*alerting.RULES, meanwhile])

    alerting.watch()
    telling.tell()

    assert going_on() == {"guard": {"letters": 700, "seen": 70}}
    assert [one["kind"] for one in pager.posted[0].json["alerts"]] == ["guard"]


def test_a_batch_that_failed_again_is_not_in_its_place():
    log = InvitationLogFactory(status=LogStatus.FAILED, prepare_tries=5)
    again = InvitationLogFactory(workshop=log.workshop, status=LogStatus.FAILED, prepare_tries=5)

    alerting.watch()

    keys = Alert.objects.filter(kind="prepare_failed").values_list("key", flat=True)
    assert set(keys) == {str(log.pk), str(again.pk)}


def test_a_batch_that_was_refused_by_a_rule_alarms_nobody():
    InvitationLogFactory(status=LogStatus.FAILED, prepare_tries=1, reason="It was cancelled.")

    alerting.watch()

    assert going_on() == {}


def test_people_who_wait_for_a_click_are_no_breach():
    AuditRun.objects.create(
        finished_at=timezone.now(), breaches=[{"kind": "not_invited", "is_open": True}]
    )

    alerting.watch()

    assert going_on() == {}


def test_a_breach_that_nobody_repairs_hides_no_later_one(on_call, sink, chat):
    old = {"kind": "duplicate", "is_open": False, "workshop": 3, "log": 7}
    new = {"kind": "stuck", "is_open": False, "workshop": None, "log": 8}
    AuditRun.objects.create(finished_at=timezone.now(), breaches=[old, old])
    alerting.watch()
    telling.tell()
    later(timedelta(hours=24))
    audit = AuditRun.objects.create(finished_at=timezone.now(), breaches=[old, new])

    alerting.watch()
    telling.tell()

    assert [[one["key"] for one in post.json["alerts"]] for post in chat.posted] == [
        ["duplicate workshop 3"],
        ["stuck log 8"],
    ]
    text = sink.letters[1].message.get_body(("plain",)).get_content()
    assert f"Audit {audit.pk} found broken promises: 1 (stuck log 8)." in text


def test_an_audit_at_work_says_nothing_yet():
    a_broken_promise()
    AuditRun.objects.create(started_at=timezone.now())

    alerting.watch()

    assert going_on()["audit"]["breaches"] == 1


@pytest.mark.parametrize(
    ("finished_hours", "asked_minutes", "found"),
    [
        (None, None, {}),
        (25.5, None, {}),
        (26.5, None, {"audit": {"hours": 26, "minutes": 0}}),
        (3.5, 29.5, {}),
        (3.5, 31.5, {"audit": {"hours": 3, "minutes": 31}}),
        (None, 31.5, {"audit": {"hours": 0, "minutes": 31}}),
    ],
)
def test_an_audit_that_does_not_come_to_its_end(finished_hours, asked_minutes, found):
    if finished_hours:
        AuditRun.objects.create(finished_at=minutes_ago(60 * finished_hours))
    if asked_minutes:
        AuditRun.objects.create(asked_at=minutes_ago(asked_minutes), started_at=timezone.now())

    alerting.watch()

    assert going_on() == found
    assert list(Alert.objects.values_list("key", flat=True)) == ["late"] * len(found)


def test_four_errors_are_not_many():
    for _ in range(alerting.MOST_ERRORS - 1):
        tallies.count(tallies.SERVER_ERRORS)

    alerting.watch()

    assert going_on() == {}


# ---- What must not stop the sweep ---------------------------------------------------------


def test_a_broker_that_is_away_is_not_known_to_be_well(settings, own_broker):
    raise_alert("broker_memory", numbers={"percent": 91})
    settings.BROKER_URL = own_broker.url
    own_broker.stop()

    alerting.watch()

    assert going_on() == {"broker_memory": {"percent": 91}}


def test_a_rule_that_breaks_leaves_the_others_to_work(monkeypatch, caplog):
    def broken() -> alerting.Findings:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(alerting, "RULES", [broken, *alerting.RULES])
    nobody_knows_whether_it_arrived()

    sweeping.sweep()

    assert going_on().keys() == {"in_doubt"}
    assert "a rule of alerts broke: broken" in caplog.text


def test_a_step_that_breaks_leaves_the_others_to_work(monkeypatch, caplog):
    def broken() -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(sweeping, "STEPS", [broken, *sweeping.STEPS])
    nobody_knows_whether_it_arrived()

    sweeping.sweep()

    assert going_on().keys() == {"in_doubt"}
    assert "a step of the sweep broke: broken" in caplog.text
    assert heartbeats.SWEEP not in heartbeats.ages()


def test_instruments_that_cannot_be_read_hide_no_alert(caplog):
    Reading.objects.create(minute=minutes_ago(2), totals={"at": "never"})
    nobody_knows_whether_it_arrived()

    sweeping.sweep()

    assert going_on().keys() == {"in_doubt"}
    assert "a step of the sweep broke: _look_whether_all_is_well" in caplog.text
    assert heartbeats.SWEEP not in heartbeats.ages()


@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_lost_its_connection_stops(monkeypatch):
    after: list[str] = []

    def killed() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(sweeping, "STEPS", [killed, lambda: after.append("went on")])

    with pytest.raises(Error):
        sweeping.sweep()

    connection.close()
    assert after == []


@pytest.mark.parametrize("is_on", [True, False])
def test_a_switch_that_somebody_turned_is_as_it_should_be(is_on):
    Switch.objects.filter(chapter=None).update(is_on=is_on)
    switches.stop(WorkshopFactory().chapter)

    alerting.watch()

    assert going_on() == {}


def test_a_switch_that_cannot_be_read_is_told():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE logs_switch RENAME TO logs_switch_of_before")

    assert alerting._switch() == {"switch": {"": Found()}}


def test_it_asks_as_little_of_three_logs_as_of_one():
    alerting.watch()
    questions = []
    for logs in (1, 3):
        for _ in range(logs):
            log = InvitationLogFactory()
            InvitationLogEntryFactory.create_batch(3, log=log, status=EntryStatus.SUCCESS)
            waiting(log, minutes=1, count=3)
        questions.append(_questions())

    assert questions[0] == questions[1] < 20


def _questions() -> int:
    with CaptureQueriesContext(connection) as asked:
        alerting.watch()
    return len(asked)


# ---- The dead man's file ------------------------------------------------------------------


def test_each_sweep_touches_the_file(settings, tmp_path: Path):
    settings.DEADMAN_FILE = str(tmp_path / "sweep")

    sweeping.sweep()

    assert (tmp_path / "sweep").exists()


def test_a_file_that_cannot_be_touched_stops_no_sweep(settings, tmp_path: Path, caplog):
    settings.DEADMAN_FILE = str(tmp_path / "nowhere" / "sweep")

    sweeping.sweep()

    assert "DEADMAN_FILE cannot be touched" in caplog.text
    assert heartbeats.ages()[heartbeats.SWEEP] < timedelta(seconds=5)
