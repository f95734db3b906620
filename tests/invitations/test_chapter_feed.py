"""A chapter's workshops in the calendar of whoever subscribes to it (RFC 5545, 7986)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from invitations.models import Answer
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
)

pytestmark = pytest.mark.django_db

QUERIES = 4


@pytest.fixture(autouse=True)
def our_address(settings):
    settings.SITE_URL = "https://codebar.example"


def ask(chapter, **headers: str):
    return Client().get(reverse("chapter_feed", args=[chapter.slug]), headers=headers)


def entries(chapter) -> list:
    return list(Calendar.from_ical(ask(chapter).content).walk("VEVENT"))


def test_a_workshop_stands_in_it_with_everything_one_needs_to_come():
    chapter = ChapterFactory(name="Brighton", slug="brighton")
    workshop = WorkshopFactory(
        chapter=chapter,
        starts_at=datetime(2030, 7, 3, 17, 30, tzinfo=UTC),
        sequence=3,
        host=SponsorFactory(
            name="Lantern; Labs, Ltd", flat="", street="1 Bridge\nStreet", city="Brighton"
        ),
    )

    (entry,) = entries(chapter)

    assert entry["UID"] == f"workshop-{workshop.pk}@codebar.example"
    assert entry["SEQUENCE"] == 3
    assert entry.decoded("DTSTART") == workshop.starts_at
    assert entry.decoded("DTEND") == workshop.ends_at
    assert entry["SUMMARY"] == "codebar Brighton workshop"
    assert entry["LOCATION"] == "Lantern; Labs, Ltd, 1 Bridge Street, Brighton, EX1 1EX"
    assert entry["STATUS"] == "CONFIRMED"
    assert entry["URL"] == f"https://codebar.example/workshops/{workshop.pk}"


def test_a_cancelled_workshop_stays_and_says_so():
    workshop = WorkshopFactory(cancelled=True)

    (entry,) = entries(workshop.chapter)

    assert entry["STATUS"] == "CANCELLED"


def test_what_is_long_past_or_of_another_chapter_is_left_out():
    chapter = ChapterFactory()
    coming, held = WorkshopFactory(chapter=chapter), WorkshopFactory(chapter=chapter, past=True)
    WorkshopFactory(chapter=chapter, starts_at=in_days(-400))
    WorkshopFactory()

    assert [entry["UID"].partition("@")[0] for entry in entries(chapter)] == [
        f"workshop-{held.pk}",
        f"workshop-{coming.pk}",
    ]


def test_a_call_and_a_missing_venue_are_named():
    chapter = ChapterFactory()
    WorkshopFactory(chapter=chapter, virtual=True, starts_at=in_days(3))
    WorkshopFactory(chapter=chapter, host=None, starts_at=in_days(4))

    assert [entry["LOCATION"] for entry in entries(chapter)] == ["Online", "Not settled yet"]


def test_it_is_a_calendar_that_can_be_subscribed_to():
    chapter = ChapterFactory(name="Brighton", slug="brighton")

    response = ask(chapter)

    calendar = Calendar.from_ical(response.content)
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert calendar["VERSION"] == "2.0"
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "codebar Brighton"
    assert "METHOD" not in calendar
    assert calendar.decoded("REFRESH-INTERVAL") == timedelta(hours=12)
    lines = response.content.split(b"\r\n")
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT12H" in lines
    assert max(len(line) for line in lines) <= 75


def test_nobody_stands_in_it():
    chapter = chapter_with(students=1)
    workshop = WorkshopFactory(chapter=chapter)
    invitation = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, note="Vegan")
    organiser = MemberFactory(name="Organiserella")
    workshop.organisers.add(organiser)
    chapter.organisers.add(organiser)

    text = ask(chapter).content.decode()

    for secret in (invitation.token, invitation.member.email, "Vegan", "Organiserella", "ATTENDEE"):
        assert secret not in text
    assert "mailto:" not in text


def test_asked_again_it_says_that_nothing_changed_until_something_does():
    workshop = WorkshopFactory()
    first = ask(workshop.chapter)

    again = ask(workshop.chapter, if_none_match=first.headers["ETag"])
    workshop.starts_at += timedelta(hours=1)
    workshop.ends_at += timedelta(hours=1)
    workshop.sequence += 1
    workshop.save()
    moved = ask(workshop.chapter, if_none_match=first.headers["ETag"])

    assert (again.status_code, again.content) == (304, b"")
    assert moved.status_code == 200
    assert "max-age=3600" in first.headers["Cache-Control"]


def test_it_starts_no_session_and_sets_no_cookie():
    assert not ask(ChapterFactory()).cookies


@pytest.mark.parametrize("count", [1, 3])
def test_it_asks_the_same_for_one_and_for_many(count, django_assert_num_queries):
    chapter = ChapterFactory()
    for _ in range(count):
        WorkshopFactory(chapter=chapter)

    with django_assert_num_queries(QUERIES):
        ask(chapter)
