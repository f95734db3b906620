"""The page behind the link in the letter."""

import logging

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role, Subscription
from invitations.models import Answer, Invitation
from logs.models import InvitationLogEntry
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    SponsorFactory,
    WorkshopFactory,
    in_days,
    subscribe,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    return Client()


def invited(**fields) -> Invitation:
    """An invitation as a letter knows it: with the token that the database made."""
    invitation = InvitationFactory(**fields)
    invitation.refresh_from_db()
    return invitation


def words(response) -> str:
    return " ".join(response.content.decode().split())


def page(invitation) -> str:
    return reverse("invitation", args=[invitation.token])


def accept(visitor, invitation, **form):
    return visitor.post(reverse("accept", args=[invitation.token]), form)


def decline(visitor, invitation):
    return visitor.post(reverse("decline", args=[invitation.token]))


def answer_of(invitation) -> str:
    return Invitation.objects.get(pk=invitation.pk).answer


def test_it_says_when_and_where(visitor):
    host = SponsorFactory(name="Silicon Beach Studio", accessibility_info="Step-free")
    invitation = invited(
        workshop=WorkshopFactory(host=host, chapter__name="Brighton"), member__name="Amina"
    )

    text = words(visitor.get(page(invitation)))

    assert "Amina, come and code with us" in text
    assert "18:30 to 20:30 <small>Brighton time, GMT</small>" in text
    assert "Silicon Beach Studio" in text
    assert "3rd floor, 1 Example Street, London, EX1 1EX" in text
    assert "Accessibility: Step-free" in text


def test_times_are_those_of_the_chapter(visitor):
    workshop = WorkshopFactory(chapter__name="Berlin", chapter__time_zone="Europe/Berlin")

    text = words(visitor.get(page(invited(workshop=workshop))))

    assert "19:30 to 21:30 <small>Berlin time, CET</small>" in text


def test_how_to_join_a_call_is_told_to_those_who_come(visitor):
    workshop = WorkshopFactory(virtual=True)
    coming = invited(workshop=workshop, answer=Answer.ATTENDING)
    undecided = invited(workshop=workshop)

    assert "https://chat.example/workshops" in words(visitor.get(page(coming)))
    assert "https://chat.example/workshops" not in words(visitor.get(page(undecided)))


def test_yes_gives_the_place(visitor):
    invitation = invited()

    response = accept(visitor, invitation, role="student", note="Vegan")

    assert (response.status_code, response.url) == (302, page(invitation))
    assert answer_of(invitation) == Answer.ATTENDING
    text = words(visitor.get(page(invitation)))
    assert "See you there!" in text
    assert "You have a place as a student." in text


def test_no_is_noted(visitor):
    invitation = invited(answer=Answer.ATTENDING)

    response = decline(visitor, invitation)

    assert (response.status_code, response.url) == (302, page(invitation))
    assert answer_of(invitation) == Answer.DECLINED


def test_a_browser_that_sends_no_token_of_the_form_changes_nothing():
    strict = Client(enforce_csrf_checks=True)
    invitation = invited()

    response = accept(strict, invitation, role="student")

    assert response.status_code == 403
    assert "Your answer did not arrive" in words(response)
    assert answer_of(invitation) == Answer.NONE


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("link", ["invitation", "accept", "decline"])
def test_opening_a_link_changes_nothing(visitor, method, link):
    invitation = invited()
    before = Invitation.objects.values().get()

    getattr(visitor, method)(reverse(link, args=[invitation.token]), follow=True)

    assert Invitation.objects.values().get() == before
    assert not InvitationLogEntry.objects.exists()
    assert "sessionid" not in visitor.cookies


def test_answering_signs_nobody_in(visitor):
    invitation = invited()

    accept(visitor, invitation, role="student")

    assert "sessionid" not in visitor.cookies
    assert visitor.get(reverse("portal")).status_code == 302


def test_both_roles_are_offered_to_those_in_both_groups(visitor):
    invitation = invited(role=Role.COACH)
    assert 'value="student"' not in words(visitor.get(page(invitation)))

    subscribe(invitation.member, invitation.workshop.chapter, Role.STUDENT)

    text = words(visitor.get(page(invitation)))
    assert 'value="student"' in text
    assert 'value="coach"' in text


def test_a_full_workshop_refuses_and_keeps_the_note(visitor):
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    late = invited(workshop=workshop)

    response = accept(visitor, late, role="student", note="I need a lift")

    assert response.status_code == 409
    text = words(response)
    assert "There is no free place for students." in text
    assert 'value="I need a lift"' in text


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"role": "student", "note": "x" * 101}, "That is 101 characters. 100 fit"),
        ({"note": "Vegan"}, "Say whether you come as a student or as a coach."),
        ({"role": "king", "note": "Vegan"}, "Say whether you come as a student or as a coach."),
        ({"role": "student", "note": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_bad_input_gets_a_sentence_and_loses_nothing(visitor, form, sentence):
    invitation = invited()

    response = accept(visitor, invitation, **form)

    assert response.status_code == 400
    assert sentence in words(response)
    assert form["note"].replace("\x00", "") in words(response).replace("\x00", "")
    assert answer_of(invitation) == Answer.NONE


def test_what_people_write_is_escaped(visitor):
    invitation = invited(member__name="<script>alert(1)</script>", note='"><b>hi')

    text = words(visitor.get(page(invitation)))

    assert "<script>alert" not in text
    assert "<b>hi" not in text


@pytest.mark.parametrize(
    ("workshop", "sentence"),
    [
        ({"cancelled": True}, "This workshop is cancelled"),
        ({"past": True}, "This workshop has begun"),
        ({"rsvp_closes_at": in_days(-1)}, "Answers are closed."),
    ],
)
def test_when_no_answer_is_taken_the_page_says_why(visitor, workshop, sentence):
    invitation = invited(workshop=WorkshopFactory(**workshop))

    text = words(visitor.get(page(invitation)))

    assert sentence in text
    assert "<form" not in text


def test_a_late_answer_is_refused_in_words(visitor):
    invitation = invited(workshop=WorkshopFactory(cancelled=True))

    decline(visitor, invitation)

    assert "This workshop is cancelled." in words(visitor.get(page(invitation)))


def test_a_banned_member_can_only_decline(visitor):
    invitation = invited()
    BanFactory(member=invitation.member)

    text = words(visitor.get(page(invitation)))

    assert "A suspended account cannot take a place" in text
    assert "ll be there" not in text
    assert "t this time" in text


def test_a_member_who_left_the_groups_is_told(visitor):
    invitation = invited()
    Subscription.objects.all().delete()

    assert "You are not subscribed to a group of" in words(visitor.get(page(invitation)))


@pytest.mark.parametrize("link", ["invitation", "accept", "decline"])
def test_an_unknown_token_reveals_nothing(visitor, link):
    url = reverse(link, args=["no-such-token"])

    response = visitor.get(url, follow=True)

    assert response.status_code == 404
    assert "There is nothing here" in words(response)
    assert visitor.post(url).status_code in (404, 405)


def test_the_page_is_not_kept_and_its_address_not_passed_on(visitor):
    response = visitor.get(page(invited()))

    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"
    assert "script-src" not in response["Content-Security-Policy"]
    assert "default-src 'self'" in response["Content-Security-Policy"]


def test_the_token_reaches_no_log(visitor):
    invitation = invited(workshop=WorkshopFactory(cancelled=True))
    handler = logging.getLogger().handlers[0]
    lines: list[str] = []
    handler.emit = lambda record: lines.append(handler.format(record))

    Client(enforce_csrf_checks=True).post(reverse("accept", args=[invitation.token]))
    accept(visitor, invitation, role="student")
    visitor.post(page(invitation))
    del handler.emit

    assert len(lines) == 3
    assert not [line for line in lines if invitation.token in line]


def test_queries_do_not_grow_with_the_people(visitor, django_assert_num_queries):
    workshop = WorkshopFactory()
    invitation = invited(workshop=workshop)
    for people in (1, 3):
        InvitationFactory.create_batch(people, workshop=workshop, answer=Answer.ATTENDING)
        with django_assert_num_queries(5):
            visitor.get(page(invitation))


def test_a_closed_accounts_old_link_leads_nowhere(visitor):
    invitation = invited()
    old = page(invitation)
    Invitation.objects.filter(pk=invitation.pk).update(token="replaced")
    Member.objects.filter(pk=invitation.member_id).update(name="Closed account")

    assert visitor.get(old).status_code == 404


def test_an_address_that_no_database_could_hold_is_not_there(client):
    assert client.get("/invitation/%00").status_code == 404
