"""R19: what leaves by itself leaves once, though two sweep at once and whoever sends is killed."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import Count
from django.utils import timezone

from chapters.models import Workshop
from invitations.models import Answer, FeedbackRequest
from invitations.services import feedback, reminding, rsvps, sweeping
from logs.models import Action, InvitationLog, InvitationLogEntry
from tests.factories import InvitationFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_invariants, assert_settled
from tests.support.places import waiting
from tests.support.processes import Station, kill_one
from tests.support.together import at_once
from tests.support.waiting import wait_until

COMING, IN_LINE, CAME = 40, 20, 40


def two_evenings() -> tuple[Workshop, Workshop]:
    """One in twenty hours, of which people are to be reminded, and one since as long over."""
    now = timezone.now()
    tomorrow = WorkshopFactory(
        chapter=chapter_with(), starts_at=now + timedelta(hours=20), student_spaces=COMING
    )
    yesterday = WorkshopFactory(chapter=chapter_with(), starts_at=now - timedelta(hours=20))
    long_ago = now - timedelta(days=2)
    for workshop, people, fields in (
        (tomorrow, COMING, {"answer": Answer.ATTENDING}),
        (tomorrow, IN_LINE, {"answer": Answer.WAITING}),
        (yesterday, CAME, {"answer": Answer.ATTENDING, "attended_at": yesterday.starts_at}),
    ):
        InvitationFactory.create_batch(people, workshop=workshop, answered_at=long_ago, **fields)
    return tomorrow, yesterday


def scheduled_logs() -> list[InvitationLog]:
    return list(InvitationLog.objects.filter(source=InvitationLog.Source.SCHEDULE).order_by("pk"))


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_r19_two_beats_and_senders_killed_midway_write_to_everybody_once(
    station: Station, pool: str
):
    chance = random.Random(19)
    two_evenings()
    station.sink.delay_seconds = 0.1
    station.start_beat()
    station.start_beat()
    workers = [station.start_worker(pool=pool), station.start_worker(pool=pool)]
    wait_until(lambda: len(scheduled_logs()) == 3, what="the sweep to make its logs")

    killed = kills = 0
    while kills < 6:
        time.sleep(chance.uniform(0.2, 0.6))
        assert_invariants(station.sink)
        victim = chance.randrange(len(workers))
        workers[victim] = station.revive(workers[victim])
        senders = workers[victim].senders
        if not senders:
            continue  # it still starts
        kills += 1
        if kills % 3:
            killed += kill_one(senders, chance)
        else:
            killed += len(senders)
            workers[victim].kill()
            workers[victim] = station.revive(workers[victim])

    logs = scheduled_logs()
    station.wait_until_quiet(*logs)
    faults = killed + station.mishaps
    audiences = {Action.REMINDER + "attending": COMING, Action.REMINDER + "waiting": IN_LINE}
    for log in logs:
        people = audiences.get(log.action + log.audience, CAME)
        assert_settled(station.sink, log, audience=people, faults=faults)
    assert Counter((log.action, log.audience) for log in scheduled_logs()) == {
        (Action.REMINDER, "attending"): 1,
        (Action.REMINDER, "waiting"): 1,
        (Action.FEEDBACK, "attended"): 1,
    }
    assert FeedbackRequest.objects.count() == CAME
    letters = InvitationLogEntry.objects.values("workshop", "member", "action", "occasion")
    assert not letters.annotate(rows=Count("pk")).filter(rows__gt=1).exists()


def test_r19_the_schedule_run_many_times_at_once_makes_each_log_once(ledger: None):
    two_evenings()

    def remind() -> int:
        return len(reminding.remind_where_due(timezone.now()))

    def ask() -> int:
        return len(feedback.ask_where_due(timezone.now()))

    def sweep() -> int:
        sweeping.sweep()
        return 0

    at_once(*[remind] * 4, *[ask] * 4, *[sweep] * 2)
    at_once(remind, ask, sweep)

    assert sorted((log.action, log.audience) for log in scheduled_logs()) == [
        (Action.FEEDBACK, "attended"),
        (Action.REMINDER, "attending"),
        (Action.REMINDER, "waiting"),
    ]


def test_r19_whoever_moves_up_while_senders_die_is_told_so_once(station: Station):
    """Planner wrote to the whole line for one place, and forgot who was in it (R10)."""
    chance = random.Random(20)
    workshop = WorkshopFactory(student_spaces=6)
    held = InvitationFactory.create_batch(6, workshop=workshop, answer=Answer.ATTENDING)
    line = [waiting(workshop, minutes_ago=60 - place) for place in range(8)]
    station.sink.delay_seconds = 0.2
    station.start_beat()
    worker = station.start_worker()

    killed = 0
    for leaving in held:
        rsvps.decline(leaving, at=timezone.now())
        time.sleep(chance.uniform(0.2, 0.5))
        worker = station.revive(worker)
        killed += kill_one(worker.senders, chance)
    station.wait_until_quiet()

    assert [invitation.pk for invitation in workshop.invitations.waiting()] == [
        invitation.pk for invitation in line[6:]
    ]
    assert_invariants(station.sink)
    told = InvitationLogEntry.objects.filter(action=Action.PLACE)
    assert sorted(told.values_list("member", flat=True)) == sorted(
        invitation.member_id for invitation in line[:6]
    )
    assert set(told.values_list("status", flat=True)) <= {"success", "unknown"}
    copies = station.sink.recipients
    assert all(copies[invitation.member.email] == 0 for invitation in line[6:])
    assert sum(copies.values()) <= 12 + killed + station.mishaps
