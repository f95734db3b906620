"""Workshops come over under their old numbers; what is odd about them is mended and said."""

from datetime import timedelta

import pytest

from chapters.models import Workshop, WorkshopSponsor
from tests.planner import network
from tests.planner.network import HELD, LAST_YEAR, NEXT_WEEK, TO_COME, bring, counts, findings
from tests.support.planner import Planner

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(planner: Planner) -> Planner:
    network.fill(planner)
    return planner


def test_a_workshop_is_what_it_was(planner):
    planner.execute("DELETE FROM workshops")
    planner.insert(
        "workshops",
        network.workshop(
            7,
            NEXT_WEEK,
            virtual=True,
            invitable=False,
            student_spaces=20,
            coach_spaces=10,
            slack_channel="london",
            slack_channel_link="https://slack.example/london",
            description="<p>Bring a laptop.</p>",
            rsvp_opens_at=network.naive(LAST_YEAR),
            rsvp_closes_at=network.naive(NEXT_WEEK - timedelta(hours=1)),
        ),
    )

    bring(planner)

    workshop = Workshop.objects.values().get()
    del workshop["request_key"], workshop["created_at"]
    assert workshop == {
        "id": 7,
        "chapter_id": 1,
        "starts_at": NEXT_WEEK,
        "ends_at": NEXT_WEEK + timedelta(hours=2),
        "rsvp_opens_at": LAST_YEAR,
        "rsvp_closes_at": NEXT_WEEK - timedelta(hours=1),
        "is_invitable": False,
        "is_virtual": True,
        "student_spaces": 20,
        "coach_spaces": 10,
        "slack_channel": "london",
        "slack_channel_link": "https://slack.example/london",
        "description": "Bring a laptop.",
        "cancelled_at": None,
        "sequence": 0,
    }
    assert findings("workshops") == []


def test_what_cannot_be_a_workshop_is_left_out_with_all_that_hangs_on_it(planner):
    planner.insert(
        "workshops",
        network.workshop(3, None),
        network.workshop(4, NEXT_WEEK, chapter_id=99),
        network.workshop(5, NEXT_WEEK, chapter_id=None),
    )
    planner.insert("workshop_sponsors", {"id": 1, "workshop_id": 3, "sponsor_id": 1, "host": True})
    planner.insert("workshop_invitations", network.invitation(1, 1, workshop=4))
    planner.insert("waiting_lists", {"id": 1, "invitation_id": 1, "auto_rsvp": True})
    planner.insert("invitation_logs", network.log(1, workshop=5))
    planner.insert("invitation_log_entries", network.entry(1, 1))

    bring(planner)

    assert set(Workshop.objects.values_list("pk", flat=True)) == {TO_COME, HELD}
    assert findings("workshops") == [
        ("workshop_without_start", 3, "left_out", None),
        ("workshop_without_chapter", 4, "left_out", None),
        ("workshop_without_chapter", 5, "left_out", None),
    ]
    assert counts("workshops") == (5, 2, 0, 3)
    hanging = ("workshop_sponsors", "workshop_invitations", "waiting_lists", "invitation_logs")
    assert {
        table: counts(table) for table in (*hanging, "invitation_log_entries")
    } == dict.fromkeys((*hanging, "invitation_log_entries"), (1, 0, 0, 1))


@pytest.mark.parametrize("hours", [None, 0, -3])
def test_an_evening_without_an_end_has_two_hours(planner, hours):
    end = None if hours is None else network.naive(NEXT_WEEK + timedelta(hours=hours))
    planner.insert("workshops", network.workshop(3, NEXT_WEEK, ends_at=end))

    bring(planner)

    assert Workshop.objects.get(pk=3).ends_at == NEXT_WEEK + timedelta(hours=2)
    assert findings("workshops") == [("end_made_up", 3, "kept", None)]


def test_a_call_without_spaces_has_as_many_as_people_come(planner):
    planner.insert(
        "workshops",
        network.workshop(3, NEXT_WEEK, virtual=True, student_spaces=0, coach_spaces=None),
        network.workshop(4, NEXT_WEEK, virtual=True, student_spaces=-5, coach_spaces=7),
        network.workshop(5, NEXT_WEEK, virtual=False, student_spaces=-5, coach_spaces=None),
    )
    planner.insert(
        "workshop_invitations",
        network.invitation(1, 2, workshop=3, attending=True),
        network.invitation(2, 3, workshop=3, attending=True),
        network.invitation(3, 1, workshop=3, attending=False, role="Coach"),
    )

    bring(planner)

    spaces = Workshop.objects.filter(pk__gte=3).order_by("pk")
    assert list(spaces.values_list("pk", "student_spaces", "coach_spaces")) == [
        (3, 2, 1),
        (4, 1, 7),
        (5, 0, 0),
    ]
    assert findings("workshops") == [
        ("spaces_made_up", 3, "kept", None),
        ("spaces_made_up", 3, "kept", None),
        ("spaces_made_up", 4, "kept", None),
    ]


def test_texts_that_are_too_long(planner):
    planner.insert(
        "workshops",
        network.workshop(
            3,
            NEXT_WEEK,
            slack_channel="x" * 101,
            slack_channel_link="https://x.example/" + "y" * 300,
        ),
    )

    bring(planner)

    workshop = Workshop.objects.get(pk=3)
    assert (workshop.slack_channel, workshop.slack_channel_link) == ("x" * 99 + "…", "")
    assert [rule for rule, *_ in findings("workshops")] == ["text_cut", "link_too_long"]


def test_of_several_hosts_the_first_with_an_address_is_the_host(planner):
    planner.insert(
        "sponsors",
        {"id": 8, "name": "Nowhere", "website": "https://nowhere.example"},
        {"id": 9, "name": "Somewhere", "website": "https://somewhere.example"},
    )
    planner.insert("addresses", {"id": 9, "sponsor_id": 9, "street": "Street 1", "city": "London"})
    planner.insert(
        "workshop_sponsors",
        {"id": 1, "workshop_id": TO_COME, "sponsor_id": 8, "host": True},
        {"id": 2, "workshop_id": TO_COME, "sponsor_id": 9, "host": True},
        {"id": 3, "workshop_id": TO_COME, "sponsor_id": 1, "host": True},
        {"id": 4, "workshop_id": TO_COME, "sponsor_id": 1, "host": None},
        {"id": 5, "workshop_id": HELD, "sponsor_id": 8, "host": True},
        {"id": 6, "workshop_id": HELD, "sponsor_id": 99, "host": None},
    )

    bring(planner)

    rows = WorkshopSponsor.objects.order_by("workshop", "sponsor")
    assert list(rows.values_list("workshop", "sponsor", "is_host")) == [
        (TO_COME, 1, False),
        (TO_COME, 8, False),
        (TO_COME, 9, True),
        (HELD, 8, True),
    ]
    assert findings("workshop_sponsors") == [
        ("one_host", 1, "kept", None),
        ("one_host", 3, "kept", None),
        ("sponsor_twice", 4, "merged", 3),
        ("sponsor_is_not_here", 6, "left_out", None),
    ]
    assert counts("workshop_sponsors") == (6, 4, 1, 1)
