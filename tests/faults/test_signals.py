"""What the instruments say of a batch while its senders are killed: neither more nor less."""

from __future__ import annotations

import json

from django.conf import settings
from structlog.contextvars import bound_contextvars

from invitations.services.manager import InvitationManager
from logs import instruments
from logs.models import EntryStatus, Heartbeat, InvitationLogEntry, Reading, Release, Slot
from logs.services import heartbeats, readings
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until

PEOPLE = 150


def test_every_letter_is_counted_once_whoever_is_killed(station: Station):
    station.sink.delay_seconds = 0.2
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    station.start_beat()
    worker = station.start_worker(concurrency=3)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    left_behind = 0
    while not left_behind:
        wait_until(lambda: _held_slots() and station.sink.letters, every=0.02, what="a sender")
        worker.kill()
        left_behind = _held_slots()
        worker = station.revive(worker)
    station.wait_until_quiet(log)

    accepted = InvitationLogEntry.objects.filter(status=EntryStatus.SUCCESS).count()
    passage = instruments.passage()
    assert passage.letters == accepted
    assert passage.expired >= left_behind
    assert 0 < passage.smtp_ms / passage.letters < 1000
    assert [line.pending + line.sending for line in instruments.lines().values()] == [0, 0]


def _held_slots() -> int:
    return Slot.objects.exclude(token=None).count()


def test_the_sweep_leaves_a_reading_and_a_heartbeat_of_its_release(station: Station):
    station.variables |= {"RELEASE": "1.0+signals", "WATCH_SECONDS": "0"}
    station.start_beat()
    station.start_worker(concurrency=1)

    wait_until(Reading.objects.exists, what="a reading")
    wait_until(Heartbeat.objects.filter(name=heartbeats.SWEEP).exists, what="the end of a sweep")
    assert readings.newest().release == "1.0+signals" != settings.RELEASE
    beats = dict(Heartbeat.objects.values_list("name", "release"))
    assert beats.keys() >= {heartbeats.BEAT, heartbeats.SWEEP}
    assert set(beats.values()) == {"1.0+signals"}
    assert Release.objects.get().name == "1.0+signals"


def test_the_lines_of_a_task_name_the_request_that_rang_for_it(station: Station):
    """And those of the tasks for which that one rings."""
    station.variables |= PATIENT | {"LOG_FORMAT": "json"}
    worker = station.start_worker(concurrency=2)
    wait_until(lambda: worker.senders and "ready." in worker.output, what="a worker")
    workshop = WorkshopFactory(chapter=chapter_with(students=3))

    with bound_contextvars(request_id="a1b2c3d4", task="what the request was at"):
        log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: "tasks.deliver" in worker.output, what="a bell")
    station.wait_until_quiet(log)

    ended = [
        line
        for line in map(json.loads, filter(_is_json, worker.output.splitlines()))
        if "succeeded" in line["event"]
    ]
    assert {line["task"] for line in ended} >= {
        "invitations.tasks.prepare",
        "invitations.tasks.deliver",
    }
    assert {line["request_id"] for line in ended} == {"a1b2c3d4"}
    assert {line["log_id"] for line in ended if line["task"].endswith("prepare")} == {log.pk}


def _is_json(line: str) -> bool:
    return line.startswith("{")
