"""The waiting list on a member's page: joining, seeing where one is, and leaving."""

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role
from invitations.models import Answer, Invitation
from tests.factories import BanFactory, InvitationFactory, WorkshopFactory, in_days, subscribe
from tests.support.places import full_workshop, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    return Client()


def with_token(invitation: Invitation) -> Invitation:
    invitation.refresh_from_db()
    return invitation


def post(visitor, name, invitation, **form):
    return visitor.post(reverse(name, args=[invitation.token]), form)


def content(response) -> str:
    text = " ".join(response.content.decode().split())
    return text.partition("<main")[2].partition("</main>")[0]


def page(visitor, invitation) -> str:
    return content(visitor.get(with_token(invitation).get_absolute_url()))


def test_where_all_is_full_the_button_joins_the_line(visitor):
    workshop, _ = full_workshop()
    waiting(workshop, minutes_ago=5)
    invitation = with_token(InvitationFactory(workshop=workshop))
    assert "Full. You would be number 2 on the waiting list." in page(visitor, invitation)

    response = post(visitor, "waiting_list", invitation, role="student", tutorial="HTML lesson 2")

    assert (response.status_code, response.url) == (302, invitation.get_absolute_url())
    text = page(visitor, invitation)
    assert "You are in line." in text
    assert "You are 2nd of 2 in line" in text
    assert "HTML lesson 2" in text
    assert "Leave the waiting list" in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "Du bist 2. von 2 auf der Warteliste"),
        ("fr", "Tu es au 2<sup>e</sup> rang sur 2 dans la file"),
    ],
)
def test_the_place_in_line_is_a_number_of_its_language(language, said):
    workshop, _ = full_workshop()
    waiting(workshop, minutes_ago=5)
    last = waiting(workshop, minutes_ago=1)

    assert said in page(Client(HTTP_ACCEPT_LANGUAGE=language), last)


def test_a_yes_where_all_is_full_is_answered_with_the_line(visitor):
    workshop, _ = full_workshop()
    invitation = with_token(InvitationFactory(workshop=workshop))

    response = post(visitor, "accept", invitation, role="student", note="Vegan")

    text = content(response)
    assert response.status_code == 409
    assert "There is no free place for students. You can join the waiting list." in text
    assert reverse("waiting_list", args=[invitation.token]) in text
    assert 'value="Vegan"' in text


def test_where_nothing_is_full_no_line_is_offered(visitor):
    assert "waiting_list" not in page(visitor, InvitationFactory())


def test_leaving_the_line_and_coming_back(visitor):
    workshop, _ = full_workshop()
    invitation = with_token(waiting(workshop, minutes_ago=5))

    response = post(visitor, "leave_line", invitation)

    assert (response.status_code, response.url) == (302, invitation.get_absolute_url())
    text = page(visitor, invitation)
    assert "Thank you for telling us." in text
    assert "Join the waiting list" in text
    post(visitor, "waiting_list", invitation, role="student")
    assert "You are 1st of 1 in line" in page(visitor, invitation)


def test_an_old_page_that_leaves_the_line_gives_no_place_back(visitor):
    _, moved_up = full_workshop()

    post(visitor, "leave_line", with_token(moved_up))

    text = page(visitor, moved_up)
    assert "You have moved up: you have a place now." in text
    assert "You have a place as a student." in text


def test_what_was_told_is_changed_without_losing_the_place_in_line(visitor):
    workshop, _ = full_workshop()
    first = with_token(waiting(workshop, minutes_ago=10))
    waiting(workshop, minutes_ago=5)

    post(visitor, "waiting_list", first, role="student", note="I come late", tutorial="Git")

    assert "You are 1st of 2 in line" in page(visitor, first)
    first.refresh_from_db()
    assert (first.note, first.tutorial, first.answer_number) == ("I come late", "Git", 1)


def test_text_that_is_too_long_comes_back_with_a_sentence(visitor):
    workshop, _ = full_workshop()
    invitation = with_token(waiting(workshop, minutes_ago=10))

    response = post(visitor, "waiting_list", invitation, role="student", tutorial="x" * 201)

    assert response.status_code == 400
    assert "That is 201 characters. 200 fit" in content(response)
    assert "x" * 201 in content(response)
    assert with_token(invitation).tutorial == ""


def test_a_free_place_in_the_other_role_is_one_tap(visitor):
    workshop, _ = full_workshop()
    invitation = with_token(waiting(workshop, minutes_ago=10, note="Vegan"))
    assert "Could you coach instead?" not in page(visitor, invitation)
    subscribe(invitation.member, workshop.chapter, Role.COACH)

    text = page(visitor, invitation)
    assert "Could you coach instead?" in text
    assert "20 places for coaches are free" in text
    post(visitor, "accept", invitation, role="coach", note="Vegan")

    invitation.refresh_from_db()
    assert (invitation.answer, invitation.role) == (Answer.ATTENDING, Role.COACH)


def test_somebody_in_line_is_offered_the_place_that_is_free(visitor):
    """Planner showed the button, refused it, and let nobody leave the line (R9)."""
    invitation = with_token(waiting(WorkshopFactory(), minutes_ago=10))

    text = page(visitor, invitation)
    assert "A place is free now" in text
    assert "Leave the waiting list" in text
    post(visitor, "accept", invitation, role="student", note="", tutorial="")

    assert with_token(invitation).is_attending


def test_nobody_waits_in_vain_without_being_told(visitor):
    workshop, _ = full_workshop()
    busy = waiting(workshop, minutes_ago=20)
    elsewhere = WorkshopFactory(starts_at=workshop.starts_at, chapter__name="Worthing")
    InvitationFactory(member=busy.member, workshop=elsewhere, answer=Answer.ATTENDING)
    banned = waiting(workshop, minutes_ago=10)
    BanFactory(member=banned.member)

    text = page(visitor, busy)
    assert "There is a place at codebar Worthing on the same day already." in text
    assert "others move up past you" in text
    assert "A suspended account cannot take a place." in page(visitor, banned)


def test_after_the_deadline_the_line_stands_still(visitor):
    workshop, _ = full_workshop(rsvp_closes_at=in_days(-1))

    text = page(visitor, waiting(workshop, minutes_ago=10))

    assert "The line does not move any more." in text
    assert "Answers are closed. If your plans change, write to" in text
    assert "<form" not in text


def test_queries_do_not_grow_with_the_line(visitor, django_assert_num_queries):
    workshop, _ = full_workshop()
    invitation = with_token(waiting(workshop, minutes_ago=60))
    for people in (1, 3):
        for _ in range(people):
            waiting(workshop, minutes_ago=5)
        with django_assert_num_queries(8):
            visitor.get(invitation.get_absolute_url())


@pytest.mark.parametrize("name", ["waiting_list", "leave_line"])
def test_a_browser_that_sends_no_token_of_the_form_changes_nothing(name):
    workshop, _ = full_workshop()
    invitation = with_token(InvitationFactory(workshop=workshop))

    response = post(Client(enforce_csrf_checks=True), name, invitation, role="student")

    assert response.status_code == 403
    assert with_token(invitation).answer == Answer.NONE
