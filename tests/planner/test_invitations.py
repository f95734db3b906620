"""Invitations keep their numbers, tokens and answers; of two of one person one is left."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chapters.models import Workshop
from invitations.models import FormerToken, Invitation
from tests.planner import network
from tests.planner.network import (
    ASHA,
    BEN,
    CLEO,
    HELD,
    LAST_YEAR,
    TODAY,
    bring,
    counts,
    findings,
    invitation,
    naive,
)
from tests.support.planner import Planner

pytestmark = pytest.mark.django_db

YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def planner(planner: Planner) -> Planner:
    network.fill(planner)
    return planner


def brought(*fields: str) -> list[tuple]:
    return list(Invitation.objects.order_by("pk").values_list("pk", *fields))


def place(number: int, of: int, **values):
    return {"id": number, "invitation_id": of, "auto_rsvp": True, **values}


def test_an_invitation_is_what_it_was(planner):
    planner.insert(
        "workshop_invitations",
        invitation(
            70,
            BEN,
            workshop=HELD,
            attending=True,
            attended=True,
            rsvp_time=naive(YESTERDAY),
            note="I like CSS.",
            tutorial="HTML",
            last_overridden_by_id=ASHA,
            created_at=naive(LAST_YEAR),
        ),
    )

    bring(planner)

    assert Invitation.objects.values().get() == {
        "id": 70,
        "workshop_id": HELD,
        "member_id": BEN,
        "role": "student",
        "token": "token-70",
        "answer": "attending",
        "answer_number": 1,
        "answered_at": YESTERDAY,
        "note": "I like CSS.",
        "tutorial": "HTML",
        "answered_by_id": ASHA,
        "override_reason": "",
        "attended_at": LAST_YEAR,
        "created_at": LAST_YEAR,
    }
    assert findings("workshop_invitations") == []


def test_every_answer(planner):
    planner.insert(
        "workshop_invitations",
        invitation(1, ASHA, role="Coach", attending=True, updated_at=naive(YESTERDAY)),
        invitation(2, BEN, attending=False, updated_at=naive(YESTERDAY)),
        invitation(3, CLEO),
        invitation(4, BEN, workshop=HELD),
    )
    planner.insert("waiting_lists", place(1, 4, created_at=naive(LAST_YEAR)))

    bring(planner)

    assert brought("role", "answer", "answer_number", "answered_at") == [
        (1, "coach", "attending", 1, YESTERDAY),
        (2, "student", "declined", 1, YESTERDAY),
        (3, "student", "", 0, None),
        (4, "student", "waiting", 1, LAST_YEAR),
    ]


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ({"attending": False}, {"attending": True}, 2),
        ({}, {"attending": False}, 2),
        ({"attending": False}, {"waits": True}, 2),
        ({"waits": True}, {"attending": True}, 2),
        ({}, {"attended": True}, 2),
        ({"attending": True}, {"attending": True}, 1),
        ({}, {}, 1),
    ],
)
def test_of_two_invitations_the_answered_one_wins_and_both_links_work(
    client, planner, first, second, winner
):
    waiting = [number for number, said in ((1, first), (2, second)) if said.pop("waits", None)]
    planner.insert("workshop_invitations", invitation(1, BEN, **{"attending": None} | first))
    planner.insert("workshop_invitations", invitation(2, BEN, role="Coach", **second))
    for number in waiting:
        planner.insert("waiting_lists", place(number, number))

    bring(planner)

    loser = 3 - winner
    kept = Invitation.objects.get()
    assert kept.pk == winner
    assert findings("workshop_invitations")[:1] == [("two_invitations", loser, "merged", winner)]
    assert counts("workshop_invitations") == (2, 1, 1, 0)
    for token in ("token-1", "token-2"):
        assert client.get(f"/invitation/{token}").context["invitation"] == kept


def test_places_in_line(planner):
    planner.insert(
        "workshop_invitations",
        invitation(1, ASHA, attending=True),
        invitation(2, BEN),
        invitation(3, CLEO),
        invitation(4, CLEO, role="Coach"),
    )
    planner.insert(
        "waiting_lists",
        place(1, 1),
        place(2, 2, auto_rsvp=False),
        place(3, 3, created_at=naive(YESTERDAY)),
        place(4, 3, created_at=naive(LAST_YEAR)),
        place(5, 4, created_at=naive(TODAY)),
        place(6, 99),
        place(7, None),
    )

    bring(planner)

    assert brought("answer", "answered_at")[1:] == [
        (2, "", None),
        (3, "waiting", LAST_YEAR),
    ]
    assert findings("waiting_lists") == [
        ("has_a_place", 1, "merged", 1),
        ("not_a_place_in_line", 2, "left_out", None),
        ("twice_in_line", 3, "merged", 4),
        ("twice_in_line", 5, "merged", 4),
        ("invitation_is_not_here", 6, "left_out", None),
        ("invitation_is_not_here", 7, "left_out", None),
    ]
    assert counts("waiting_lists") == (7, 1, 3, 3)


def test_tokens_that_are_missing_or_of_two(planner):
    planner.insert(
        "workshop_invitations",
        invitation(1, ASHA, token=None),
        invitation(2, BEN, token="  "),
        invitation(3, CLEO, token="x" * 65),
        invitation(4, ASHA, workshop=HELD, token="same"),
        invitation(5, BEN, workshop=HELD, token="same", attending=True),
    )

    bring(planner)

    tokens = dict(Invitation.objects.values_list("pk", "token"))
    assert tokens[5] == "same"
    assert len(set(tokens.values())) == 5
    assert [len(tokens[number]) for number in (1, 2, 3, 4)] == [43] * 4
    assert findings("workshop_invitations") == [
        ("link_missing", 1, "kept", None),
        ("link_missing", 2, "kept", None),
        ("link_missing", 3, "kept", None),
        ("link_of_another", 4, "kept", None),
    ]


def test_a_link_that_two_of_one_person_share_opens_the_one_that_is_left(planner):
    planner.insert(
        "workshop_invitations",
        invitation(1, BEN, token="same"),
        invitation(2, BEN, role="Coach", token="same"),
    )

    bring(planner)

    assert brought("token") == [(1, "same")]
    assert not FormerToken.objects.exists()


def test_a_role_that_is_missing_is_that_of_the_groups(planner):
    planner.insert(
        "workshop_invitations",
        invitation(1, ASHA, role=None),
        invitation(2, BEN, role="Participant"),
        invitation(3, CLEO, role=" coach "),
    )

    bring(planner)

    assert brought("role") == [(1, "coach"), (2, "student"), (3, "coach")]
    assert findings("workshop_invitations") == [
        ("role_unknown", 1, "kept", None),
        ("role_unknown", 2, "kept", None),
    ]


def test_orphans_are_left_out(planner):
    planner.insert(
        "workshop_invitations",
        invitation(1, 99),
        invitation(2, None),
        invitation(3, BEN, workshop=99),
        invitation(4, BEN, workshop=None),
    )
    planner.insert("waiting_lists", place(1, 1))

    bring(planner)

    assert not Invitation.objects.exists()
    assert counts("workshop_invitations") == (4, 0, 0, 4)
    assert counts("waiting_lists") == (1, 0, 0, 1)


def test_who_answered_for_somebody_may_be_gone(planner):
    planner.insert(
        "workshop_invitations", invitation(1, BEN, attending=True, last_overridden_by_id=99)
    )

    bring(planner)

    assert brought("answered_by") == [(1, None)]


def test_texts_that_are_too_long_are_cut(planner):
    planner.insert("workshop_invitations", invitation(1, BEN, note="n" * 101, tutorial="t" * 201))

    bring(planner)

    assert brought("note", "tutorial") == [(1, "n" * 99 + "…", "t" * 199 + "…")]
    assert findings("workshop_invitations") == [("text_cut", 1, "kept", None)] * 2


def test_a_deleted_account_holds_no_place_and_says_nothing(planner):
    planner.execute(
        "UPDATE members SET email = 'deleted_user_1700000000@codebar.io', name = 'Deleted',"
        " surname = 'User' WHERE id = %s",
        BEN,
    )
    planner.insert(
        "workshop_invitations",
        invitation(1, BEN, attending=True, note="Call me Ben."),
        invitation(2, BEN, workshop=HELD, attending=True, attended=True, note="Ben"),
    )

    bring(planner)

    assert brought("answer", "note") == [(1, "declined", ""), (2, "attending", "")]
    assert findings("workshop_invitations") == [("place_of_a_closed_account", 1, "kept", None)]


def test_two_accounts_of_one_person_have_one_invitation(planner):
    planner.execute("UPDATE members SET email = ' BEN@people.example ' WHERE id = %s", CLEO)
    planner.insert("workshop_invitations", invitation(1, BEN), invitation(2, CLEO, attending=True))

    bring(planner)

    kept = Invitation.objects.get()
    assert (kept.pk, kept.answer) == (2, "attending")
    assert findings("workshop_invitations") == [("two_invitations", 1, "merged", 2)]


def test_naive_moments_are_read_in_the_stated_zone(planner):
    planner.execute("UPDATE workshops SET date_and_time = '2030-07-01 18:30', ends_at = NULL")

    bring(planner, "--zone", "London")

    starts = Workshop.objects.values_list("starts_at", flat=True)
    assert {start.isoformat() for start in starts} == {"2030-07-01T17:30:00+00:00"}


def test_three_cost_as_many_statements_as_one(planner):
    def statements(*members: int) -> int:
        planner.insert("workshop_invitations", *(invitation(who, who) for who in members))
        with CaptureQueriesContext(connection) as asked:
            bring(planner, "--dry-run")
        return len(asked)

    assert statements(ASHA) == statements(BEN, CLEO)
