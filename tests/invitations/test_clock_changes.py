"""Evenings around the night when clocks change: everywhere the hours on the chapter's clocks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from chapters.models import Role
from invitations import mails, moulds
from invitations.models import Answer
from logs.models import Action, Audience
from tests.factories import ChapterFactory, InvitationFactory, SponsorFactory, WorkshopFactory

pytestmark = pytest.mark.django_db

# The zone, the start of the evening on its clocks, the same in UTC, and how the zone is named.
DAYS = [
    ("Europe/London", "2027-03-27 18:30", "2027-03-27 18:30", "GMT", "GMT"),
    ("Europe/London", "2027-03-28 18:30", "2027-03-28 17:30", "GMT+01:00", "BST"),
    ("Europe/London", "2027-10-30 18:30", "2027-10-30 17:30", "GMT+01:00", "BST"),
    ("Europe/London", "2027-10-31 18:30", "2027-10-31 18:30", "GMT", "GMT"),
    ("Europe/Berlin", "2027-03-28 18:30", "2027-03-28 16:30", "GMT+02:00", "CEST"),
    ("Europe/Berlin", "2027-10-31 18:30", "2027-10-31 17:30", "GMT+01:00", "CET"),
    ("America/New_York", "2027-03-14 18:30", "2027-03-14 22:30", "GMT-04:00", "EDT"),
    ("America/New_York", "2027-11-07 18:30", "2027-11-07 23:30", "GMT-05:00", "EST"),
]
THE_DAY = pytest.mark.parametrize(("zone", "local", "utc", "away", "name"), DAYS)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def workshop_in(zone: str, *, starts_at: datetime, hours: float = 2, **fields):
    chapter = ChapterFactory(name="Here", city="Here", time_zone=zone)
    ends_at = starts_at + timedelta(hours=hours)
    return WorkshopFactory(
        chapter=chapter, host=SponsorFactory(), starts_at=starts_at, ends_at=ends_at, **fields
    )


@THE_DAY
def test_a_letter_tells_the_hours_of_that_day(zone, local, utc, away, name):
    workshop = workshop_in(zone, starts_at=moment(utc), rsvp_closes_at=moment(utc))
    day = f"{datetime.fromisoformat(local):%A %-d %B}"

    draft = mails.draft(workshop, action=Action.INVITE, role=Role.STUDENT)

    assert f"{day}, 18:30 to 20:30\nHere time ({away})\n" in draft.text


@THE_DAY
def test_the_pages_tell_the_hours_of_that_day(zone, local, utc, away, name):
    workshop = workshop_in(zone, starts_at=moment(utc))
    invitation = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    day = f"{datetime.fromisoformat(local):%A %-d %B %Y}"

    for path in (
        reverse("invitation", args=[invitation.token]),
        reverse("workshop", args=[workshop.pk]),
    ):
        page = " ".join(Client().get(path).content.decode().split())
        assert day in page
        assert re.search("18:30(?: to |.)20:30", page)
        assert f"Here time, {name}" in page


@THE_DAY
def test_a_calendar_entry_begins_at_that_moment(zone, local, utc, away, name):
    workshop = workshop_in(zone, starts_at=moment(utc))

    draft = mails.draft(workshop, action=Action.CONFIRMATION, role=Role.STUDENT)
    zoe = moulds.Recipient(
        member_id=1, address="zoe@people.example", name="Zoë", token="t", message_id=None
    )
    calendar = Calendar.from_ical(draft.calendar_for(zoe))
    (event,) = calendar.events
    (described,) = calendar.timezones

    wall = datetime.fromisoformat(local)
    assert event["DTSTART"].to_ical() == f"{wall:%Y%m%dT%H%M%S}".encode()
    assert event.decoded("DTSTART") == moment(utc)
    assert described.to_tz().utcoffset(wall) == wall.replace(tzinfo=ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize(
    ("starts", "hours", "said"),
    [
        # At 01:00 it becomes 02:00: two hours on the way to three on the wall.
        ("2027-03-28 00:30", 2, "Sunday 28 March, 00:30 to 03:30"),
        # At 02:00 it becomes 01:00 again: two hours on the way to one on the wall.
        ("2027-10-30 23:30", 2, "Sunday 31 October, 00:30 to 01:30"),
    ],
)
def test_a_night_across_the_change_is_told_by_the_clocks_on_the_wall(starts, hours, said):
    workshop = workshop_in("Europe/London", starts_at=moment(starts), hours=hours)

    assert said in mails.draft(workshop, action=Action.INVITE, role=Role.STUDENT).text


def test_a_deadline_before_the_change_is_told_by_the_clocks_of_its_own_day():
    workshop = workshop_in(
        "Europe/Berlin",
        starts_at=moment("2027-03-28 16:30"),
        rsvp_closes_at=moment("2027-03-27 17:00"),
    )

    draft = mails.draft(workshop, action=Action.INVITE, role=Role.STUDENT)

    assert "until 18:00 on Saturday 27 March." in " ".join(draft.text.split())


@pytest.mark.parametrize(
    ("zone", "starts", "at", "subject"),
    [
        # 22 hours before on the day that has 23, and 26 before on the one that has 25.
        ("Europe/London", "2027-03-28 17:30", "2027-03-27 19:30", "Tomorrow: "),
        ("Europe/London", "2027-03-28 17:30", "2027-03-28 00:30", "Today: "),
        ("Europe/Berlin", "2027-10-31 17:30", "2027-10-30 21:59", "Tomorrow: "),
        ("Europe/Berlin", "2027-10-31 17:30", "2027-10-30 22:00", "Today: "),
        ("America/New_York", "2027-11-07 23:30", "2027-11-06 22:00", "Tomorrow: "),
        ("America/New_York", "2027-11-07 23:30", "2027-11-07 05:30", "Today: "),
    ],
)
def test_a_reminder_says_today_and_tomorrow_by_the_calendar_of_the_chapter(
    zone, starts, at, subject
):
    draft = mails.draft(
        workshop_in(zone, starts_at=moment(starts)),
        action=Action.REMINDER,
        role=Role.STUDENT,
        audience=Audience.ATTENDING,
        at=moment(at),
    )

    assert draft.subject.startswith(subject)
