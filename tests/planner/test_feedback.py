"""Links that ask how a workshop was still work; what was said leads to nobody."""

import pytest

from invitations.models import Feedback, FeedbackRequest
from invitations.queries import feedback
from logs.models import InvitationLogEntry
from tests.planner import network
from tests.planner.network import (
    ASHA,
    BEN,
    CLEO,
    HELD,
    LAST_YEAR,
    TO_COME,
    bring,
    counts,
    findings,
    invitation,
    naive,
)
from tests.support.planner import Planner

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(planner: Planner) -> Planner:
    network.fill(planner)
    planner.insert(
        "workshop_invitations",
        *(invitation(10 + who, who, HELD, attending=True) for who in (ASHA, BEN, CLEO)),
    )
    return planner


def asked(number: int, member: int, **values):
    return {
        "id": number,
        "member_id": member,
        "workshop_id": HELD,
        "token": f"asked-{number}",
        "submited": False,
        "created_at": naive(LAST_YEAR),
        **values,
    }


def said(number: int, **values):
    return {
        "id": number,
        "workshop_id": HELD,
        "coach_id": ASHA,
        "tutorial_id": 3,
        "rating": 4,
        "request": "Good.",
        "suggestions": "More tea.",
        **values,
    }


def test_links_and_whether_they_are_used(client, planner):
    planner.insert("feedback_requests", asked(1, BEN), asked(2, CLEO, submited=True))

    bring(planner)

    requests = FeedbackRequest.objects.order_by("invitation")
    assert list(requests.values_list("invitation__member", "token", "answered_on")) == [
        (BEN, "asked-1", None),
        (CLEO, "asked-2", LAST_YEAR.date()),
    ]
    assert "form" in client.get("/feedback/asked-1").context
    assert "form" not in client.get("/feedback/asked-2").context


def test_nobody_is_asked_again(planner):
    planner.insert("feedback_requests", asked(1, BEN))

    bring(planner)

    letters = InvitationLogEntry.objects.values_list("member", "action", "status", "is_settled")
    assert list(letters) == [(BEN, "feedback", "success", True)]
    assert not feedback.to_ask(HELD).exists()


def test_odd_requests(planner):
    planner.execute("UPDATE members SET email = ' BEN@people.example ' WHERE id = %s", CLEO)
    planner.insert(
        "feedback_requests",
        asked(1, BEN, token=None),
        asked(2, CLEO, submited=True),
        asked(3, 99),
        asked(4, ASHA, workshop_id=TO_COME),
        asked(5, ASHA, token="asked-2"),
    )

    bring(planner)

    tokens = dict(FeedbackRequest.objects.values_list("pk", "token"))
    assert len(tokens) == 2
    assert "asked-2" in tokens.values()
    assert findings("feedback_requests") == [
        ("asked_twice", 1, "merged", 2),
        ("invitation_is_not_here", 3, "left_out", None),
        ("invitation_is_not_here", 4, "left_out", None),
        ("link_of_another", 5, "kept", None),
    ]
    assert counts("feedback_requests") == (5, 2, 1, 2)


def test_what_was_said(planner):
    planner.insert("tutorials", {"id": 3, "title": "HTML 1"})
    planner.insert(
        "feedbacks",
        said(1),
        said(2, coach_id=99, tutorial_id=None, request=None, suggestions=None),
        said(3, rating=None),
        said(4, rating=6),
        said(5, workshop_id=99),
    )

    bring(planner)

    fields = ("workshop", "role", "rating", "coach", "tutorial", "how_it_was", "suggestions")
    assert list(Feedback.objects.order_by("coach").values_list(*fields, "given_on")) == [
        (HELD, "student", 4, ASHA, "HTML 1", "Good.", "More tea.", LAST_YEAR.date()),
        (HELD, "student", 4, None, "", "", "", LAST_YEAR.date()),
    ]
    assert not Feedback.objects.filter(pk__lte=5).exists()
    assert findings("feedbacks", "tutorials") == [
        ("coach_is_not_there", 2, "kept", None),
        ("rating_unknown", 3, "left_out", None),
        ("rating_unknown", 4, "left_out", None),
        ("workshop_is_not_here", 5, "left_out", None),
        ("only_its_title", 3, "left_out", None),
    ]
