"""Reminders: when, to whom, in which words, and once for each start."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django.utils.dateformat import format as format_date

from chapters.models import Role, Workshop
from invitations import mails
from invitations.models import Answer
from invitations.queries import reminders
from invitations.services import preparing, reminding, rsvps, sweeping
from logs.models import Action, Audience, EntryStatus, InvitationLog, LogStatus
from tests.factories import ChapterFactory, InvitationFactory, WorkshopFactory
from tests.support.here import send_here, send_once_here
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

START = datetime(2026, 12, 9, 18, 30, tzinfo=UTC)


def in_hours(hours: float) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def guest(
    workshop: Workshop, answer: Answer = Answer.ATTENDING, *, hours_ago: float = 48, **fields
):
    """Who answered so long ago, or so long before a start that is over."""
    answered_at = min(timezone.now(), workshop.starts_at) - timedelta(hours=hours_ago)
    return InvitationFactory(workshop=workshop, answer=answer, answered_at=answered_at, **fields)


def logs_of(workshop: Workshop) -> list[tuple[str, str, str, str]]:
    return list(
        workshop.invitation_logs.order_by("audience").values_list(
            "action", "audience", "occasion", "source"
        )
    )


def outcomes(log: InvitationLog) -> dict[str, tuple[str, str]]:
    return {
        entry.member.name: (entry.status, entry.reason)
        for entry in log.entries.select_related("member")
    }


# ---- When ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours_before", "is_due"),
    [(31, False), (30, True), (20, True), (4, True), (1.01, True), (1, False), (-1, False)],
)
def test_from_thirty_hours_before_the_start_to_one(hours_before, is_due):
    workshop = guest(WorkshopFactory(starts_at=START)).workshop

    found = reminders.due(START - timedelta(hours=hours_before))

    assert found == ([(workshop.pk, Audience.ATTENDING)] if is_due else [])


def test_a_sweep_writes_down_one_log_for_each_audience_and_no_second_one():
    workshop = guest(WorkshopFactory(starts_at=START)).workshop
    guest(workshop, Answer.WAITING)
    guest(workshop, Answer.DECLINED)
    at = START - timedelta(hours=29)

    made = [reminding.remind_where_due(at) for _ in range(30)]

    assert [len(logs) for logs in made] == [2] + [0] * 29
    assert logs_of(workshop) == [
        (Action.REMINDER, "attending", "2026-12-09T18:30:00Z", "schedule"),
        (Action.REMINDER, "waiting", "2026-12-09T18:30:00Z", "schedule"),
    ]


@pytest.mark.parametrize("status", [LogStatus.COMPLETED, LogStatus.CANCELLED, LogStatus.FAILED])
def test_a_log_of_this_start_is_enough_in_whatever_state_it_is(status):
    workshop = guest(WorkshopFactory(starts_at=START)).workshop
    at = START - timedelta(hours=10)
    reminding.remind_where_due(at)
    InvitationLog.objects.update(status=status)

    assert reminders.due(at) == []
    assert reminding.remind(workshop.pk, audience=Audience.ATTENDING) is None


def test_a_workshop_that_moved_is_reminded_of_its_new_start():
    workshop = guest(WorkshopFactory(starts_at=START)).workshop
    at = START - timedelta(hours=10)
    reminding.remind_where_due(at)
    later = START + timedelta(hours=1)
    Workshop.objects.update(starts_at=later, ends_at=later + timedelta(hours=2))

    assert len(reminding.remind_where_due(at)) == 1
    assert [occasion for _, _, occasion, _ in logs_of(workshop)] == [
        "2026-12-09T18:30:00Z",
        "2026-12-09T19:30:00Z",
    ]


def test_nobody_is_reminded_of_a_cancelled_workshop():
    workshop = guest(WorkshopFactory(starts_at=START, cancelled=True)).workshop

    assert reminders.due(START - timedelta(hours=10)) == []
    assert reminding.remind(workshop.pk, audience=Audience.ATTENDING) is None


@pytest.mark.parametrize(("closed_hours_before", "is_due"), [(11, False), (9, True), (None, True)])
def test_whoever_waits_is_reminded_as_long_as_places_pass_on(closed_hours_before, is_due):
    closes_at = None
    if closed_hours_before is not None:
        closes_at = START - timedelta(hours=closed_hours_before)
    workshop = WorkshopFactory(starts_at=START, rsvp_closes_at=closes_at)
    guest(workshop)
    guest(workshop, Answer.WAITING)

    found = reminders.due(START - timedelta(hours=10))

    assert [audience for _, audience in found] == (
        [Audience.ATTENDING, Audience.WAITING] if is_due else [Audience.ATTENDING]
    )


def test_whoever_answered_in_the_last_six_hours_makes_no_log():
    at = START - timedelta(hours=10)
    workshop = WorkshopFactory(starts_at=START)
    guest(workshop)
    workshop.invitations.update(answered_at=at - timedelta(hours=5, minutes=59))
    assert reminders.due(at) == []

    workshop.invitations.update(answered_at=at - timedelta(hours=6))
    assert reminders.due(at) == [(workshop.pk, Audience.ATTENDING)]


@pytest.mark.parametrize("workshops", [1, 3])
def test_one_statement_where_nothing_is_due(workshops, django_assert_num_queries):
    for _ in range(workshops):
        guest(WorkshopFactory(starts_at=START))
    at = START - timedelta(hours=10)
    reminding.remind_where_due(at)

    with django_assert_num_queries(1):
        assert reminding.remind_where_due(at) == []


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_the_same_moment_make_one_log():
    workshop = guest(WorkshopFactory(starts_at=START)).workshop

    made = at_once(*[lambda: reminding.remind(workshop.pk, audience=Audience.ATTENDING)] * 4)

    assert sum(log is not None for log in made) == 1
    assert InvitationLog.objects.count() == 1


# ---- To whom -------------------------------------------------------------------------------


def test_workers_write_to_those_who_come_and_to_those_in_line(station):
    workshop = WorkshopFactory(starts_at=in_hours(20))
    student = guest(workshop)
    coach = guest(workshop, role=Role.COACH)
    waiting = guest(workshop, Answer.WAITING)
    for answer in (Answer.NONE, Answer.DECLINED):
        guest(workshop, answer)

    send_here(*reminding.remind_where_due(timezone.now()))

    subjects = {letter.recipient: str(letter.message["Subject"]) for letter in station.sink.letters}
    day = format_date(workshop.local_start, "l j F")
    today = timezone.now().astimezone(workshop.chapter.time_zone).date()
    which_day = "Today" if workshop.local_start.date() == today else "Tomorrow"
    reminder = f"{which_day}: our workshop on {day}"
    assert subjects == {
        student.member.email: reminder,
        coach.member.email: reminder,
        waiting.member.email: f"You are on the waiting list for {day}",
    }
    assert len(station.sink.letters) == 3


def test_the_sweep_reminds(station):
    workshop = guest(WorkshopFactory(starts_at=in_hours(20))).workshop

    sweeping.sweep()

    assert [audience for _, audience, _, _ in logs_of(workshop)] == [Audience.ATTENDING]


def test_at_the_claim_it_counts_what_is_true_then(station):
    workshop = WorkshopFactory(starts_at=in_hours(20))
    guest(workshop, member__name="Comes")
    left = guest(workshop, member__name="Left")
    guest(workshop, member__name="Fresh", hours_ago=5)
    guest(workshop, member__name="Closed", member__closed=True)
    (log,) = reminding.remind_where_due(timezone.now())
    preparing.prepare(log.pk)
    rsvps.decline(left, at=timezone.now())

    send_once_here()

    assert outcomes(log) == {
        "Comes": (EntryStatus.SUCCESS, ""),
        "Left": (EntryStatus.SKIPPED, "has given another answer since"),
        "Fresh": (EntryStatus.SKIPPED, "has answered a few hours ago"),
        "Closed": (EntryStatus.SKIPPED, "closed the account"),
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cancelled_at": START}, "The workshop was cancelled."),
        ({"starts_at": in_hours(22), "ends_at": in_hours(24)}, "The workshop has moved since."),
        ({"starts_at": in_hours(-1), "ends_at": in_hours(1)}, "The workshop has begun."),
    ],
)
def test_a_reminder_that_has_not_left_stays_when_the_workshop_changes(station, change, reason):
    workshop = WorkshopFactory(starts_at=in_hours(20))
    guest(workshop, member__name="Comes")
    (log,) = reminding.remind_where_due(timezone.now())
    preparing.prepare(log.pk)
    Workshop.objects.update(**change)

    send_once_here()

    assert outcomes(log) == {"Comes": (EntryStatus.SKIPPED, reason)}
    assert station.sink.letters == []


def test_once_answers_are_closed_nobody_is_told_to_wait_on(station):
    workshop = WorkshopFactory(starts_at=in_hours(20))
    guest(workshop, Answer.WAITING, member__name="Waits")
    (log,) = reminding.remind_where_due(timezone.now())
    preparing.prepare(log.pk)
    Workshop.objects.update(rsvp_closes_at=timezone.now())

    send_once_here()

    assert outcomes(log) == {"Waits": (EntryStatus.SKIPPED, "Answers are closed.")}


def test_whoever_moves_up_after_the_reminder_is_not_reminded_twice(station):
    workshop = WorkshopFactory(starts_at=in_hours(20))
    promoted = guest(workshop, Answer.WAITING)
    guest(workshop, Answer.WAITING)
    send_here(*reminding.remind_where_due(timezone.now()))
    workshop.invitations.filter(pk=promoted.pk).update(answer=Answer.ATTENDING)

    send_here(*reminding.remind_where_due(timezone.now()))

    to_them = [x for x in station.sink.letters if x.recipient == promoted.member.email]
    assert len(to_them) == 1


# ---- In which words ------------------------------------------------------------------------


def subject_at(at: datetime, *, zone: str, starts_at: datetime = START) -> str:
    workshop = WorkshopFactory(
        starts_at=starts_at, chapter=ChapterFactory(time_zone=ZoneInfo(zone), city="Here")
    )
    return mails.draft(
        workshop, action=Action.REMINDER, role=Role.STUDENT, audience=Audience.ATTENDING, at=at
    ).subject


@pytest.mark.parametrize(
    ("at", "zone", "subject"),
    [
        ((8, 12), "Europe/London", "Tomorrow: our workshop on Wednesday 9 December"),
        ((9, 0), "Europe/London", "Today: our workshop on Wednesday 9 December"),
        ((8, 23), "Europe/London", "Tomorrow: our workshop on Wednesday 9 December"),
        # By the clocks of the chapter and not by Greenwich's.
        ((8, 23), "Europe/Berlin", "Today: our workshop on Wednesday 9 December"),
        ((9, 4), "America/New_York", "Tomorrow: our workshop on Wednesday 9 December"),
        ((9, 5), "America/New_York", "Today: our workshop on Wednesday 9 December"),
        ((8, 14), "Pacific/Auckland", "Tomorrow: our workshop on Thursday 10 December"),
        ((8, 10), "Pacific/Auckland", "Soon: our workshop on Thursday 10 December"),
    ],
)
def test_today_and_tomorrow_are_those_of_the_chapter(at, zone, subject):
    day, hour = at

    assert subject_at(datetime(2026, 12, day, hour, 30, tzinfo=UTC), zone=zone) == subject


def test_tomorrow_is_the_next_day_also_when_the_clocks_change_in_between():
    """Berlin's clocks go back on 25 October 2026 at 3:00; a day of 25 hours lies in between."""
    berlin = ZoneInfo("Europe/Berlin")
    starts_at = datetime(2026, 10, 25, 23, 30, tzinfo=berlin)

    the_night_before = subject_at(
        datetime(2026, 10, 24, 0, 30, tzinfo=berlin), zone="Europe/Berlin", starts_at=starts_at
    )

    assert the_night_before == "Tomorrow: our workshop on Sunday 25 October"


@pytest.mark.parametrize(
    ("audience", "sentence", "button"),
    [
        (
            Audience.ATTENDING,
            "our workshop is today, Wednesday 9 December, and you have a place as a coach.",
            "See or change your answer",
        ),
        (
            Audience.WAITING,
            "our workshop is today, Wednesday 9 December, and you are still on the waiting list.",
            "See where you are in line",
        ),
    ],
)
def test_both_say_when_and_where_one_stands(audience, sentence, button):
    draft = mails.draft(
        WorkshopFactory(starts_at=START),
        action=Action.REMINDER,
        role=Role.COACH,
        audience=audience,
        at=START - timedelta(hours=4),
    )

    for text in (draft.html, " ".join(draft.text.split())):
        assert sentence in text
        assert button in text
    assert draft.calendar == ""
    assert b"List-Unsubscribe" not in b"".join(draft.mould)
