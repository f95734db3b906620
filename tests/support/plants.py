"""What an alert is about, made wrong by hand, and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from invitations.services import alerting
from logs.models import (
    AuditRun,
    EntryStatus,
    Heartbeat,
    Hold,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Switch,
    Tally,
)
from logs.services import heartbeats, holds, slots, switches, tallies
from logs.services.alerts import raise_alert
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
)
from tests.support.on_call import minutes_ago

Cure = Callable[[], object]
PLANTS: dict[str, Callable[[], Cure]] = {}


def plant(kind: str) -> Callable[[Callable[[], Cure]], Callable[[], Cure]]:
    """This function makes wrong what the alert is about, and gives back what mends it."""

    def remember(planting: Callable[[], Cure]) -> Callable[[], Cure]:
        PLANTS[kind] = planting
        return planting

    return remember


@plant("stalled_log")
def nobody_prepares_it() -> Cure:
    log = InvitationLogFactory(status=LogStatus.PREPARING, created_at=minutes_ago(11.5))
    return lambda: InvitationLog.objects.filter(pk=log.pk).update(status=LogStatus.RUNNING)


@plant("queue_age")
def a_confirmation_waits() -> Cure:
    entry = InvitationLogEntryFactory(log=None, due_at=minutes_ago(6.5))
    return lambda: InvitationLogEntry.objects.filter(pk=entry.pk).update(status="skipped")


@plant("failure_rate")
def two_of_twenty_fail() -> Cure:
    log = InvitationLogFactory()
    InvitationLogEntryFactory.create_batch(18, log=log, status=EntryStatus.SUCCESS)
    InvitationLogEntryFactory.create_batch(2, log=log, status=EntryStatus.FAILED, reason="550")
    failed = log.entries.filter(status=EntryStatus.FAILED)
    return lambda: failed.update(status=EntryStatus.SKIPPED)


@plant("in_doubt")
def nobody_knows_whether_it_arrived() -> Cure:
    entry = InvitationLogEntryFactory(status=EntryStatus.UNKNOWN, reason="?")
    unknown = InvitationLogEntry.objects.filter(pk=entry.pk)
    return lambda: unknown.update(status=EntryStatus.SUCCESS, is_settled=True)


@plant("retries_exhausted")
def eight_times_not_now() -> Cure:
    entry = InvitationLogEntryFactory(status=EntryStatus.FAILED, tries=slots.MOST_TRIES)
    return lambda: InvitationLogEntry.objects.filter(pk=entry.pk).update(status="skipped")


@plant("prepare_failed")
def five_tries_to_prepare() -> Cure:
    log = InvitationLogFactory(status=LogStatus.FAILED, prepare_tries=5)
    return lambda: InvitationLogFactory(workshop=log.workshop, status=LogStatus.COMPLETED)


@plant("guard")
def too_many_people() -> Cure:
    log = InvitationLogFactory(status=LogStatus.FAILED)
    raise_alert("guard", log=log, numbers={"letters": 700, "seen": 70})
    return lambda: InvitationLogFactory(workshop=log.workshop, status=LogStatus.COMPLETED)


@plant("audit")
def a_broken_promise() -> Cure:
    AuditRun.objects.create(
        started_at=timezone.now(),
        finished_at=timezone.now(),
        found={"duplicate": 1, "not_invited": 1},
        breaches=[
            {"kind": "duplicate", "is_open": False},
            {"kind": "not_invited", "is_open": True},
        ],
    )
    return lambda: AuditRun.objects.create(finished_at=timezone.now())


@plant("server_errors")
def five_errors() -> Cure:
    for _ in range(alerting.MOST_ERRORS):
        tallies.count(tallies.SERVER_ERRORS)
    return lambda: Tally.objects.update(minute=minutes_ago(10))


@plant("held")
def refused_for_minutes() -> Cure:
    holds.hold(reason="535 5.7.8 authentication failed")
    Hold.objects.update(since=minutes_ago(3.5), next_probe_at=timezone.now() + timedelta(hours=1))
    return holds.lift


@plant("sweep_silent")
def no_sweep_for_minutes() -> Cure:
    heartbeats.beat(heartbeats.SWEEP)
    Heartbeat.objects.filter(name=heartbeats.SWEEP).update(at=minutes_ago(6.5))
    return lambda: None  # the sweep that found it is the cure


@plant("switch")
def the_switch_is_gone() -> Cure:
    Switch.objects.filter(chapter=None).delete()
    return switches.resume
