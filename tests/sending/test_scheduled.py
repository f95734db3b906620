"""What leaves by itself, with a real beat, worker and mail server."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from chapters.models import Workshop
from invitations.models import Answer, FeedbackRequest
from invitations.services.manager import InvitationManager
from logs.models import Action, Audience, InvitationLog
from tests.factories import InvitationFactory, MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_invariants, wait_until_quiet
from tests.support.processes import Station
from tests.support.waiting import wait_until


def evening(*, starts_in_hours: float) -> Workshop:
    starts_at = timezone.now() + timedelta(hours=starts_in_hours)
    return WorkshopFactory(chapter=chapter_with(), starts_at=starts_at)


def guest(workshop: Workshop, answer: Answer = Answer.ATTENDING, **fields) -> str:
    two_days_ago = timezone.now() - timedelta(days=2)
    invitation = InvitationFactory(
        workshop=workshop, answer=answer, answered_at=two_days_ago, **fields
    )
    return invitation.member.email


def test_a_beat_and_a_worker_remind_and_ask_how_it_was(station: Station):
    tomorrow, yesterday = evening(starts_in_hours=20), evening(starts_in_hours=-20)
    came = timezone.now() - timedelta(hours=20)
    written_to = {
        guest(tomorrow),
        guest(tomorrow, Answer.WAITING),
        guest(yesterday, attended_at=came),
    }
    guest(tomorrow, Answer.DECLINED)
    guest(yesterday)

    station.start_worker()
    station.start_beat()
    wait_until(lambda: InvitationLog.objects.count() == 3, what="the sweep to make its logs")
    logs = list(InvitationLog.objects.all())
    wait_until_quiet(*logs)

    assert station.sink.recipients == dict.fromkeys(written_to, 1) or station.mishaps
    assert {(log.action, log.audience, log.source) for log in logs} == {
        (Action.REMINDER, Audience.ATTENDING, "schedule"),
        (Action.REMINDER, Audience.WAITING, "schedule"),
        (Action.FEEDBACK, Audience.ATTENDED, "schedule"),
    }
    assert FeedbackRequest.objects.count() == 1
    assert_invariants(station.sink)


def test_the_manager_sends_each_of_them_whenever_it_is_asked(station: Station):
    later, over = evening(starts_in_hours=200), evening(starts_in_hours=-4)
    coming, waiting = guest(later), guest(later, Answer.WAITING)
    came = guest(over, attended_at=timezone.now() - timedelta(hours=4))
    manager = InvitationManager()
    station.start_worker()
    station.start_beat()

    logs = [
        manager.send_workshop_attendance_reminders(later),
        manager.send_workshop_waiting_list_reminders(later),
        manager.send_feedback_requests(over),
    ]
    assert all(logs)
    again = [
        manager.send_workshop_attendance_reminders(later),
        manager.send_feedback_requests(over),
    ]
    wait_until_quiet(*[log for log in logs if log])

    assert again == [None, None]
    assert station.sink.recipients == dict.fromkeys((coming, waiting, came), 1) or station.mishaps


def test_a_nudge_of_the_manager_asks_the_silent(station: Station):
    workshop = evening(starts_in_hours=200)
    silent = guest(workshop, Answer.NONE)
    member = workshop.invitations.get().member
    log = InvitationLog.objects.create(
        workshop=workshop,
        chapter=workshop.chapter,
        audience=Audience.STUDENTS,
        initiator=MemberFactory(),
        status="completed",
    )
    log.entries.create(workshop=workshop, member=member, status="success", answer_code=250)
    station.start_worker()
    station.start_beat()

    wait_until_quiet(InvitationManager().send_nudge(workshop, MemberFactory()))

    assert station.sink.recipients == {silent: 1} or station.mishaps
