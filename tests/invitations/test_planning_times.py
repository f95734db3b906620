"""Times as organisers type them: on the clocks of the chapter, on odd nights, and by mistake."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from chapters.models import Chapter
from invitations.forms.clocks import on_the_clock
from invitations.forms.planning import WorkshopForm
from tests.factories import ChapterFactory, SponsorFactory

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")

pytestmark = pytest.mark.django_db


def form_for(chapter: Chapter, **typed: object) -> WorkshopForm:
    usual = {
        "chapter": chapter.pk,
        "date": "2027-05-19",
        "begins": "18:30",
        "ends": "20:30",
        "place": "venue",
        "is_invitable": "on",
    }
    return WorkshopForm(usual | typed, chapters=Chapter.objects.all())


def errors(form: WorkshopForm) -> dict[str, list[str]]:
    return {field: list(messages) for field, messages in form.errors.items()}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def wall(shown: str) -> datetime:
    """What a clock on the wall shows; it knows of no zone."""
    return datetime.fromisoformat(shown)


@pytest.mark.parametrize(
    ("zone", "shown", "moment"),
    [
        (LONDON, wall("2027-01-13 18:30"), utc(2027, 1, 13, 18, 30)),
        (LONDON, wall("2027-07-14 18:30"), utc(2027, 7, 14, 17, 30)),
        (NEW_YORK, wall("2027-07-14 18:30"), utc(2027, 7, 14, 22, 30)),
        (LONDON, wall("2027-03-28 00:59"), utc(2027, 3, 28, 0, 59)),
        (LONDON, wall("2027-03-28 02:00"), utc(2027, 3, 28, 1, 0)),
        (LONDON, wall("2026-10-25 00:59"), utc(2026, 10, 24, 23, 59)),
        (LONDON, wall("2026-10-25 02:00"), utc(2026, 10, 25, 2, 0)),
    ],
)
def test_a_time_is_that_of_the_clocks_there(zone, shown, moment):
    assert on_the_clock(shown, zone) == moment


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (
            wall("2027-03-28 01:30"),
            "There is no 01:30 on Sunday 28 March 2027: the clocks go forward."
            " Choose another time.",
        ),
        (
            wall("2026-10-25 01:30"),
            "01:30 comes twice on Sunday 25 October 2026: the clocks go back. Choose another time.",
        ),
    ],
)
def test_a_time_that_clocks_skip_or_show_twice_is_refused(shown, sentence):
    with pytest.raises(ValidationError) as refusal:
        on_the_clock(shown, LONDON)

    assert refusal.value.messages == [sentence]


def test_an_evening_in_summer_time():
    form = form_for(ChapterFactory())

    assert errors(form) == {}
    plan = form.plan()
    assert (plan.starts_at, plan.ends_at) == (utc(2027, 5, 19, 17, 30), utc(2027, 5, 19, 19, 30))


def test_the_zone_is_that_of_the_chosen_chapter():
    ChapterFactory()
    form = form_for(ChapterFactory(time_zone="America/New_York"))

    assert errors(form) == {}
    assert form.plan().starts_at == utc(2027, 5, 19, 22, 30)


def test_an_end_before_the_start_is_on_the_next_day():
    form = form_for(ChapterFactory(), begins="19:00", ends="00:30")

    assert errors(form) == {}
    assert form.plan().ends_at == utc(2027, 5, 19, 23, 30)


def test_a_night_over_the_change_of_clocks_is_an_hour_shorter():
    form = form_for(ChapterFactory(), date="2027-03-27", begins="22:00", ends="04:00")

    assert errors(form) == {}
    plan = form.plan()
    assert (plan.ends_at - plan.starts_at).total_seconds() == 5 * 3600


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"ends": "18:30"}, {"ends": ["The end must be after the start."]}),
        (
            {"ends": "17:30"},
            {
                "ends": [
                    "17:30 is before 18:30, and until then on the next day it would be more than"
                    " 12 hours. Check both times."
                ]
            },
        ),
        (
            {"date": "2027-02-31"},
            {"date": ["There is no such day. Choose another, or write it like 2027-01-31."]},
        ),
        (
            {"date": "soon"},
            {"date": ["There is no such day. Choose another, or write it like 2027-01-31."]},
        ),
        ({"date": ""}, {"date": ["Say on which day."]}),
        ({"date": "9999-12-31"}, {"date": ["Check the year: 9999 is too far away."]}),
        ({"date": "0001-01-01"}, {"date": ["Check the year: 1 is too far away."]}),
        ({"begins": "25:00"}, {"begins": ["There is no such time. Write it like 18:30."]}),
        ({"begins": ""}, {"begins": ["Say at what time."]}),
        (
            {"date": "2027-03-28", "begins": "01:30", "ends": "03:30"},
            {
                "begins": [
                    "There is no 01:30 on Sunday 28 March 2027: the clocks go forward."
                    " Choose another time."
                ]
            },
        ),
        (
            {"date": "2026-10-24", "begins": "20:00", "ends": "01:30"},
            {
                "ends": [
                    "01:30 comes twice on Sunday 25 October 2026: the clocks go back."
                    " Choose another time."
                ]
            },
        ),
        (
            {"closes": "2027-05-19T18:30"},
            {"closes": ["Answers must close before the workshop begins."]},
        ),
        (
            {"opens": "2027-05-19T19:00"},
            {"opens": ["Answers must open before the workshop begins."]},
        ),
        (
            {"opens": "2027-05-18T19:00", "closes": "2027-05-18T18:00"},
            {"opens": ["Answers must open before they close."]},
        ),
        (
            {"closes": "2027-02-30T12:00"},
            {"closes": ["There is no such day or time. Write it like 2027-01-31 18:30."]},
        ),
        (
            {"opens": "2027-03-28T01:15"},
            {
                "opens": [
                    "There is no 01:15 on Sunday 28 March 2027: the clocks go forward."
                    " Choose another time."
                ]
            },
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(typed, found):
    assert errors(form_for(ChapterFactory(), **typed)) == found


def test_when_answers_open_and_close_is_on_the_clocks_of_the_chapter():
    form = form_for(ChapterFactory(), opens="2027-05-10T09:00", closes="2027-05-19T15:00")

    assert errors(form) == {}
    plan = form.plan()
    assert (plan.rsvp_opens_at, plan.rsvp_closes_at) == (
        utc(2027, 5, 10, 8),
        utc(2027, 5, 19, 14),
    )


def test_a_call_needs_spaces_and_a_way_in():
    assert errors(form_for(ChapterFactory(), place="call", student_spaces="0")) == {
        "student_spaces": ["Say how many students can join the call."],
        "coach_spaces": ["Say how many coaches can join the call."],
        "slack_channel": ["Name the channel in which people meet."],
        "slack_channel_link": ["Give the link by which people join."],
    }


def test_a_call_has_no_venue():
    form = form_for(
        ChapterFactory(),
        place="call",
        host=SponsorFactory().pk,
        student_spaces="20",
        coach_spaces="10",
        slack_channel="workshops",
        slack_channel_link="chat.example/workshops",
    )

    assert errors(form) == {}
    plan = form.plan()
    assert (plan.host, plan.is_virtual) == (None, True)
    assert (plan.student_spaces, plan.coach_spaces) == (20, 10)
    assert plan.slack_channel_link == "https://chat.example/workshops"


def test_the_venue_is_no_sponsor_besides():
    venue, other = SponsorFactory(), SponsorFactory()

    form = form_for(ChapterFactory(), host=venue.pk, sponsors=[venue.pk, other.pk])

    assert errors(form) == {}
    plan = form.plan()
    assert (plan.host, plan.sponsors) == (venue, {other})


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (
            {"host": "999999"},
            {"host": ["Choose a venue from this list. The one you sent is not in it."]},
        ),
        ({"host": "\x00"}, {"host": ["Null characters are not allowed."]}),
        (
            {"sponsors": ["999999"]},
            {"sponsors": ["Choose companies from this list. The one you sent is not in it."]},
        ),
        (
            {"sponsors": ["x"]},
            {"sponsors": ["Choose companies from this list. The one you sent is not in it."]},
        ),
        (
            {"place": "moon"},
            {"place": ["Say whether people meet at a venue or in a call."]},
        ),
        (
            {"slack_channel_link": "javascript:alert(1)"},
            {"slack_channel_link": ["That is no address. Write it like https://company.example."]},
        ),
        (
            {"slack_channel_link": "ftp://files.example"},
            {"slack_channel_link": ["That is no address. Write it like https://company.example."]},
        ),
        (
            {"description": "a" * 10_001},
            {"description": ["That is 10001 characters. 10000 fit; please shorten."]},
        ),
        ({"description": "a\x00b"}, {"description": ["Null characters are not allowed."]}),
        (
            {"student_spaces": "10001"},
            {"student_spaces": ["Ensure this value is less than or equal to 10000."]},
        ),
    ],
)
def test_foreign_and_broken_values_are_refused_with_a_sentence(typed, found):
    assert errors(form_for(ChapterFactory(), **typed)) == found


def test_line_breaks_are_those_of_the_database():
    form = form_for(ChapterFactory(), description="Doors open at 18:00.\r\nThere is food.")

    assert errors(form) == {}
    assert form.plan().description == "Doors open at 18:00.\nThere is food."
