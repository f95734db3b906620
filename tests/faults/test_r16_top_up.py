"""R16 and R29: exactly the missing are written to, and doing it twice is nothing more."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from chapters.models import Role, Workshop
from invitations.queries import audiences
from invitations.services.manager import InvitationManager
from logs.models import Audience, EntryStatus, InvitationLog, InvitationLogEntry, LogStatus
from logs.services import steering
from members.models import Member
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    subscribe,
)
from tests.support.here import send_here
from tests.support.ledger import assert_settled
from tests.support.processes import Station
from tests.support.together import at_once

PEOPLE = 6
UNLUCKY = 3


@pytest.fixture
def workshop(station: Station) -> Workshop:
    return WorkshopFactory(chapter=chapter_with(students=PEOPLE))


@pytest.fixture
def log(station: Station, workshop: Workshop) -> InvitationLog:
    """Three of six letters were refused; now the mail server would take anything."""
    students = Member.objects.filter(groups__chapter=workshop.chapter).order_by("pk")
    unlucky = set(students.values_list("email", flat=True)[:UNLUCKY])
    station.sink.script = lambda step, recipient: (
        "550 5.2.1 disabled" if step == "rcpt" and recipient in unlucky else None
    )
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    send_here(log)
    assert set(failed_in(log)) == unlucky
    assert log.status == LogStatus.COMPLETED
    station.sink.script = None
    station.sink.letters.clear()
    return log


def test_r16_all_who_failed_are_tried_again_and_nobody_else(station: Station, log: InvitationLog):
    unlucky = failed_in(log)

    assert steering.retry_failed(log) == []
    log.refresh_from_db()
    assert (log.status, log.finished_at) == (LogStatus.RUNNING, None)
    send_here(log)

    assert station.sink.recipients == Counter(unlucky)
    assert log.status == LogStatus.COMPLETED
    assert log.entries.filter(status="success").count() == PEOPLE
    assert steering.retry_failed(log) == []
    send_here(log)
    assert station.sink.recipients == Counter(unlucky)
    assert log.status == LogStatus.COMPLETED


def test_r16_one_alone(station: Station, log: InvitationLog):
    chosen = log.entries.filter(status="failed").latest("pk")
    sent = log.entries.filter(status="success").latest("pk")

    steering.retry_failed(log, entries=[chosen, sent])
    send_here(log)

    assert station.sink.recipients == Counter([chosen.member.email])
    assert len(failed_in(log)) == UNLUCKY - 1


def test_r16_from_the_command_line(
    station: Station, log: InvitationLog, capsys: pytest.CaptureFixture[str]
):
    unlucky = failed_in(log)
    alone, *rest = log.entries.filter(status="failed")

    call_command("delivery", "retry", str(log.pk), "--entry", str(alone.pk))
    send_here(log)
    assert station.sink.recipients == Counter([alone.member.email])

    call_command("delivery", "retry", str(log.pk))
    assert f"Log {log.pk} is sending: {PEOPLE - len(rest)} sent, {len(rest)} to go" in (
        capsys.readouterr().out
    )
    send_here(log)
    assert station.sink.recipients == Counter(unlucky)


def test_r16_whoever_another_log_invited_since_is_left_and_named(
    station: Station, workshop: Workshop, log: InvitationLog, capsys: pytest.CaptureFixture[str]
):
    unlucky = log.entries.filter(status="failed").order_by("member_id")
    both = subscribe(unlucky[0].member, workshop.chapter, Role.COACH)
    coaches = InvitationManager().send_workshop_emails(workshop, "coaches", MemberFactory())
    send_here(coaches)
    assert station.sink.recipients == Counter([both.email])

    call_command("delivery", "retry", str(log.pk))
    send_here(log)

    left = log.entries.get(member=both)
    said = capsys.readouterr().out
    assert f"Entry {left.pk} was invited by another log since; left as it is." in said
    assert left.status == EntryStatus.FAILED
    assert station.sink.recipients == Counter(unlucky_and(both, log))
    assert [entry.pk for entry in steering.retry_failed(log)] == [left.pk]
    log.refresh_from_db()
    assert log.status == LogStatus.COMPLETED


def test_r16_not_while_another_log_writes_to_the_same_people(
    station: Station, workshop: Workshop, log: InvitationLog
):
    another = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    with pytest.raises(CommandError, match=f"Log {another.pk} writes to the same people now"):
        call_command("delivery", "retry", str(log.pk))

    assert len(failed_in(log)) == UNLUCKY
    send_here(another)
    assert station.sink.recipients == Counter(failed_in(log))


def test_r16_the_next_click_reaches_exactly_whoever_failed_or_came_later(
    station: Station, workshop: Workshop, log: InvitationLog
):
    unlucky = failed_in(log)
    late = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    forgiven = subscribe(MemberFactory(without_terms=True), workshop.chapter, Role.STUDENT)
    assert not log.entries.filter(member__in=[late, forgiven]).exists()
    Member.objects.filter(pk=forgiven.pk).update(accepted_terms_at=log.created_at)
    assert audiences.reach(workshop, Audience.STUDENTS).to_invite == UNLUCKY + 2

    for _ in range(2):
        again = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
        send_here(again)
        assert_settled(station.sink, again, audience=PEOPLE + 2, faults=0)
        assert station.sink.recipients == Counter([*unlucky, late.email, forgiven.email])

    assert audiences.reach(workshop, Audience.STUDENTS).to_invite == 0


def test_r16_finishing_never_closes_what_a_retry_has_just_opened(ledger: None):
    for retry_first in (True, False) * 15:
        log = InvitationLogFactory(status=LogStatus.RUNNING)
        entry = InvitationLogEntryFactory(log=log, status=EntryStatus.FAILED)
        steps = [
            lambda log=log: steering.retry_failed(log),
            lambda log=log: steering.finish(log.pk),
        ]

        at_once(*(steps if retry_first else reversed(steps)))

        log.refresh_from_db()
        entry.refresh_from_db()
        assert (entry.status, log.status) == (EntryStatus.PENDING, LogStatus.RUNNING)
        assert log.finished_at is None


def test_r16_two_retries_at_once_are_one(ledger: None):
    log = InvitationLogFactory(status=LogStatus.COMPLETED)
    InvitationLogEntryFactory.create_batch(20, log=log, status=EntryStatus.FAILED)

    at_once(*[lambda: steering.retry_failed(log)] * 6)

    assert InvitationLogEntry.objects.filter(status=EntryStatus.PENDING).count() == 20


def failed_in(log: InvitationLog) -> list[str]:
    return list(log.entries.filter(status="failed").values_list("member__email", flat=True))


def unlucky_and(left: Member, log: InvitationLog) -> list[str]:
    """Those tried again, and the one whom the other log had written to."""
    tried = log.entries.filter(status="success", answer_code=250).exclude(member=left)
    return [left.email, *tried.order_by("member_id").values_list("member__email", flat=True)[:2]]
