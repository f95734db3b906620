"""How it was: whom we ask, by a link that works once, and an answer that leads to nobody."""

import logging
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, Subscription, Workshop
from codebar.discretion import HideTokens
from invitations import mails
from invitations.models import Answer, Feedback, FeedbackRequest
from invitations.queries import feedback as answers
from invitations.services import feedback, preparing, sweeping
from logs.models import Action, Audience, EntryStatus, InvitationLog
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    WorkshopFactory,
)
from tests.support.here import send_here, send_once_here
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

START = datetime(2026, 12, 9, 18, 30, tzinfo=UTC)
SAID = {
    "rating": "4",
    "coach": "",
    "tutorial": "HTML 1",
    "how_it_was": "Calm, and a lot of cake.",
    "suggestions": "More tea.",
}


def hours_ago(hours: float) -> datetime:
    return timezone.now() - timedelta(hours=hours)


def evening(*, ended_hours_ago: float = 2, **fields) -> Workshop:
    starts_at = hours_ago(ended_hours_ago + 2)
    return WorkshopFactory(starts_at=starts_at, **fields)


def guest(workshop: Workshop, *, hours_before_now: float | None = 3, **fields):
    """Somebody who came, unless no hour is given."""
    came = None if hours_before_now is None else hours_ago(hours_before_now)
    return InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, attended_at=came, **fields)


def request_of(workshop: Workshop | None = None, **fields) -> FeedbackRequest:
    return FeedbackRequest.objects.create(invitation=guest(workshop or evening(), **fields))


def address_of(request: FeedbackRequest) -> str:
    return reverse("feedback", args=[request.token])


def asked() -> set[Member]:
    return {request.invitation.member for request in FeedbackRequest.objects.all()}


# ---- Whom we ask ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended_hours_ago", "is_due"), [(-1, False), (0.01, True), (71.9, True), (72.1, False)]
)
def test_from_the_end_of_a_workshop_until_three_days_later(ended_hours_ago, is_due):
    workshop = guest(evening(ended_hours_ago=ended_hours_ago), hours_before_now=1).workshop

    assert list(answers.due(timezone.now())) == ([workshop] if is_due else [])


def test_students_who_came_and_nobody_else():
    workshop = evening()
    came = guest(workshop).member
    guest(workshop, role=Role.COACH)
    guest(workshop, hours_before_now=None)
    guest(workshop, member__closed=True)
    guest(workshop, member__unreachable=True)
    BanFactory(member=guest(workshop).member)
    Subscription.objects.filter(member=guest(workshop).member).delete()

    (log,) = feedback.ask_where_due(timezone.now())

    assert asked() == {came}
    assert (log.action, log.audience, log.occasion, log.source) == (
        Action.FEEDBACK,
        Audience.ATTENDED,
        "",
        InvitationLog.Source.SCHEDULE,
    )


def test_where_nobody_was_marked_nobody_is_asked():
    guest(evening(), hours_before_now=None)

    assert feedback.ask_where_due(timezone.now()) == []


def test_nobody_is_asked_about_a_cancelled_workshop():
    workshop = guest(evening(cancelled=True)).workshop

    assert feedback.ask_where_due(timezone.now()) == []
    assert feedback.ask(workshop, at=timezone.now()) is None


def test_while_somebody_ticks_off_the_list_nobody_is_asked():
    workshop = guest(evening()).workshop
    guest(workshop, hours_before_now=0.4)

    assert feedback.ask_where_due(timezone.now()) == []
    (log,) = feedback.ask_where_due(timezone.now() + timedelta(minutes=10))
    assert len(asked()) == 2
    assert log.workshop == workshop


def test_whoever_is_marked_the_next_day_is_asked_then_and_the_others_not_again(station):
    workshop = guest(evening()).workshop
    send_here(*feedback.ask_where_due(timezone.now()))
    late = guest(workshop, hours_before_now=1).member

    logs = feedback.ask_where_due(timezone.now())
    send_here(*logs)

    assert [entry.status for entry in logs[0].entries.order_by("status")] == ["skipped", "success"]
    assert station.sink.recipients == {
        member.email: 1 for member in (workshop.invitations.exclude(member=late).get().member, late)
    }


@pytest.mark.parametrize("workshops", [1, 3])
def test_one_statement_where_nothing_is_due(workshops, django_assert_num_queries):
    for _ in range(workshops):
        guest(evening())
    feedback.ask_where_due(timezone.now())

    with django_assert_num_queries(1):
        assert feedback.ask_where_due(timezone.now()) == []


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_the_same_moment_ask_once():
    workshop = guest(evening()).workshop

    made = at_once(*[lambda: feedback.ask(workshop, at=timezone.now())] * 4)

    assert sum(log is not None for log in made) == 1
    assert FeedbackRequest.objects.count() == 1


def test_each_letter_has_a_link_of_its_own(station):
    workshop = evening()
    for _ in range(3):
        guest(workshop)

    send_here(*feedback.ask_where_due(timezone.now()))

    found = {letter.recipient: letter.message for letter in station.sink.letters}
    tokens = {
        request.invitation.member.email: request.token for request in FeedbackRequest.objects.all()
    }
    assert found.keys() == tokens.keys()
    for recipient, message in found.items():
        text = message.get_body(("plain",)).get_content()
        assert f"/feedback/{tokens[recipient]}\r\n" in text
        assert workshop.invitations.get(member__email=recipient).token not in text
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda i: BanFactory(member=i.member), "is banned"),
        (lambda i: i.member.subscriptions.all().delete(), "is no longer subscribed"),
        (lambda i: type(i).objects.update(attended_at=None), "is not marked as here any more"),
        (
            lambda i: Workshop.objects.update(cancelled_at=timezone.now()),
            "The workshop was cancelled.",
        ),
    ],
)
def test_at_the_claim_it_counts_what_is_true_then(station, change, reason):
    invitation = guest(evening())
    (log,) = feedback.ask_where_due(timezone.now())
    preparing.prepare(log.pk)
    change(invitation)

    send_once_here()

    assert [(entry.status, entry.reason) for entry in log.entries.all()] == [
        (EntryStatus.SKIPPED, reason)
    ]


def test_the_sweep_asks(station):
    workshop = guest(evening()).workshop

    sweeping.sweep()

    assert [log.action for log in workshop.invitation_logs.all()] == [Action.FEEDBACK]


def test_the_letter_promises_what_the_page_keeps():
    workshop = WorkshopFactory(starts_at=START)

    draft = mails.draft(
        workshop, action=Action.FEEDBACK, role=Role.STUDENT, audience=Audience.ATTENDED
    )

    assert draft.subject == "How was our workshop on Wednesday 9 December?"
    for text in (draft.html, " ".join(draft.text.split())):
        assert "thank you for coming on Wednesday 9 December. How was it?" in text
        assert "kept without your name, and your coach does not see it" in text
        assert "Say how it was" in text


# ---- The page ------------------------------------------------------------------------------


def test_an_answer_is_kept_without_a_name(client):
    request = request_of()
    coach = guest(request.invitation.workshop, role=Role.COACH).member

    response = client.post(address_of(request), SAID | {"coach": coach.pk})

    assert (response.status_code, response.headers["Location"]) == (302, address_of(request))
    assert list(
        Feedback.objects.values_list(
            "workshop", "role", "rating", "coach", "tutorial", "how_it_was", "suggestions"
        )
    ) == [
        (
            request.invitation.workshop_id,
            Role.STUDENT,
            4,
            coach.pk,
            "HTML 1",
            "Calm, and a lot of cake.",
            "More tea.",
        )
    ]
    request.refresh_from_db()
    assert request.answered_on == timezone.now().date()
    assert "You have told us, thank you" in client.get(address_of(request)).content.decode()


def test_only_the_first_question_needs_an_answer(client):
    request = request_of()

    assert client.post(address_of(request), {"rating": "1"}).status_code == 302
    assert [(given.rating, given.coach) for given in Feedback.objects.all()] == [(1, None)]


def test_nothing_of_an_answer_leads_to_who_gave_it(client):
    """Neither a date, which may be that of one answer alone, nor the order of the numbers."""
    workshop = evening(ended_hours_ago=30)
    requests = [request_of(workshop, hours_before_now=31) for _ in range(12)]
    for rating, request in enumerate(requests):
        client.post(address_of(request), {"rating": rating % 5 + 1, "how_it_was": f"{rating:02}"})

    given = list(Feedback.objects.order_by("pk").values_list("how_it_was", flat=True))
    days = set(Feedback.objects.values_list("given_on", flat=True))

    assert sorted(given) != given
    assert days == {workshop.local_start.date()}
    people = {"members_member", "invitations_invitation", "invitations_feedbackrequest"}
    relations = connection.introspection.get_relations(connection.cursor(), Feedback._meta.db_table)
    assert {column: table for column, (_, table, *_) in relations.items() if table in people} == {
        "coach_id": "members_member"
    }


def test_the_second_tap_is_thanked_and_changes_nothing(client):
    request = request_of()
    client.post(address_of(request), SAID)

    response = client.post(address_of(request), SAID | {"rating": "1"}, follow=True)

    assert "You have told us, thank you" in response.content.decode()
    assert [given.rating for given in Feedback.objects.all()] == [4]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_is_kept():
    request = request_of()

    def give(rating: int) -> bool:
        said = feedback.Answer(rating, coach=None, tutorial="", how_it_was="", suggestions="")
        try:
            feedback.give(request, said, at=timezone.now())
        except feedback.AlreadyGiven:
            return False
        return True

    kept = at_once(*[partial(give, rating) for rating in (1, 2, 3, 4)])

    assert sum(kept) == 1
    assert [given.rating for given in Feedback.objects.all()] == [kept.index(True) + 1]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rating": ""}, "Choose a number from 1 to 5."),
        ({"rating": "6"}, "Choose a number from 1 to 5."),
        ({"rating": "five"}, "Choose a number from 1 to 5."),
        ({"coach": "0"}, "Choose one of the coaches who were there."),
        ({"coach": "x"}, "Choose one of the coaches who were there."),
        ({"coach": "9" * 40}, "Choose one of the coaches who were there."),
        ({"tutorial": "x" * 201}, "That is 201 characters. 200 fit; please shorten."),
        ({"how_it_was": "x" * 3001}, "That is 3001 characters. 3000 fit; please shorten."),
        ({"suggestions": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_bad_input_comes_back_with_what_was_typed_and_keeps_nothing(client, changes, sentence):
    request = request_of()
    guest(request.invitation.workshop, role=Role.COACH)

    response = client.post(address_of(request), SAID | changes)

    page = response.content.decode()
    assert response.status_code == 400
    assert sentence in page
    assert SAID["how_it_was"] in page or "how_it_was" in changes
    assert not Feedback.objects.exists()
    request.refresh_from_db()
    assert request.answered_on is None


def test_a_coach_of_another_evening_or_one_who_did_not_come_cannot_be_named(client):
    request = request_of()
    workshop = request.invitation.workshop
    there = guest(workshop, role=Role.COACH).member
    elsewhere = guest(evening(chapter=workshop.chapter), role=Role.COACH).member
    missing = guest(workshop, role=Role.COACH, hours_before_now=None).member
    student = guest(workshop).member

    codes = {
        person.pk: client.post(address_of(request), SAID | {"coach": person.pk}).status_code
        for person in (elsewhere, missing, student, there)
    }

    assert codes == {elsewhere.pk: 400, missing.pk: 400, student.pk: 400, there.pk: 302}


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client, method):
    request = request_of()

    response = getattr(client, method)(address_of(request))

    request.refresh_from_db()
    assert (response.status_code, request.answered_on) == (200, None)
    assert "sessionid" not in response.cookies
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "ä"])
def test_a_wrong_token_is_a_404_that_reveals_nothing(client, token):
    request_of()

    assert client.get(f"/feedback/{token}").status_code == 404
    assert client.post(f"/feedback/{token}", SAID).status_code == 404
    assert not Feedback.objects.exists()


def test_the_token_of_an_invitation_opens_nothing_here(client):
    token = request_of().invitation.token

    assert client.get(reverse("feedback", args=[token])).status_code == 404


def test_no_log_holds_the_token():
    record = logging.makeLogRecord({"msg": "Not Found: %s", "args": ("/feedback/Ab-_9?x=1",)})

    HideTokens().filter(record)

    assert record.getMessage() == "Not Found: /feedback/…?x=1"


def test_a_form_that_comes_from_elsewhere_is_refused():
    request = request_of()

    response = Client(enforce_csrf_checks=True).post(address_of(request), SAID)

    assert response.status_code == 403
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("coaches", [1, 3])
def test_the_page_asks_as_often_whatever_the_number_of_coaches(
    client, coaches, django_assert_num_queries
):
    request = request_of()
    for _ in range(coaches):
        guest(request.invitation.workshop, role=Role.COACH)

    with django_assert_num_queries(3):
        client.get(address_of(request))
