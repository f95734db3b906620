"""The page behind the link in the letter."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from chapters.models import Role, Subscription
from invitations.models import Answer, Invitation
from logs.models import InvitationLogEntry
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    in_days,
    subscribe,
)

pytestmark = pytest.mark.django_db

WINTER_EVENING = datetime(2040, 1, 18, 18, 30, tzinfo=UTC)

LINKS = (
    *("invitation", "accept", "decline", "waiting_list", "leave_line", "calendar"),
    "old_invitation",
)


@pytest.fixture
def visitor() -> Client:
    return Client()


def invited(**fields) -> Invitation:
    """An invitation as a letter knows it: with the token that the database made."""
    invitation = InvitationFactory(**fields)
    invitation.refresh_from_db()
    return invitation


def in_minutes(minutes: int) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


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
    workshop = WorkshopFactory(host=host, chapter__name="Brighton", starts_at=WINTER_EVENING)
    invitation = invited(workshop=workshop, member__name="Amina")

    text = words(visitor.get(page(invitation)))

    assert "Amina, come and code with us" in text
    assert "18:30 to 20:30 <small> Brighton time, GMT </small>" in text
    assert "Silicon Beach Studio" in text
    assert "3rd floor, 1 Example Street, London, EX1 1EX" in text
    assert "Accessibility: Step-free" in text
    assert (
        "https://www.openstreetmap.org/search?query="
        "3rd%20floor%2C%201%20Example%20Street%2C%20London%2C%20EX1%201EX" in text
    )


@pytest.mark.parametrize("name", ["", " "])
@pytest.mark.parametrize(
    ("fields", "workshop", "sentence"),
    [
        ({}, {}, "Come and code with us"),
        ({"role": Role.COACH}, {}, "Come and coach with us"),
        ({"answer": Answer.ATTENDING}, {}, "We look forward to you"),
        ({"answer": Answer.DECLINED}, {}, "You are not coming"),
        ({}, {"rsvp_closes_at": in_days(-1)}, "You are invited"),
        ({"answer": Answer.DECLINED}, {"rsvp_closes_at": in_days(-1)}, "You are not coming"),
        ({"attended_at": timezone.now()}, {"past": True}, "Thank you for coming"),
        ({}, {"cancelled": True}, "We are sorry. There will be another one."),
    ],
)
def test_whoever_has_no_name_reads_whole_sentences(visitor, fields, workshop, sentence, name):
    """A heading said ", you are invited"."""
    if fields.get("attended_at"):
        fields = fields | {"answer": Answer.ATTENDING}
    invitation = invited(workshop=WorkshopFactory(**workshop), member__name=name, **fields)

    text = words(visitor.get(page(invitation)))

    assert f"> {sentence} <" in text


def test_nobody_is_promised_a_letter_once_it_is_over(visitor):
    """Whoever stopped our letters reads this page too."""
    text = words(visitor.get(page(invited(workshop=WorkshopFactory(past=True)))))

    assert "There will be another one. <" in text


def test_times_are_those_of_the_chapter(visitor):
    workshop = WorkshopFactory(
        chapter__name="Berlin", chapter__time_zone="Europe/Berlin", starts_at=WINTER_EVENING
    )

    text = words(visitor.get(page(invited(workshop=workshop))))

    assert "19:30 to 21:30 <small> Berlin time, CET </small>" in text


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
@pytest.mark.parametrize("link", LINKS)
def test_opening_a_link_changes_nothing(visitor, method, link):
    invitation = invited(answer=Answer.ATTENDING)
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
        ({"past": True}, "This workshop is over"),
        ({"rsvp_closes_at": in_days(-1)}, "Answers are closed."),
    ],
)
def test_when_no_answer_is_taken_the_page_says_why(visitor, workshop, sentence):
    invitation = invited(workshop=WorkshopFactory(**workshop))

    text = words(visitor.get(page(invitation)))

    assert sentence in text
    content = text.partition("<main")[2].partition("</main>")[0]
    assert invitation.token not in content  # no form, and no link


def test_a_late_answer_is_refused_in_words(visitor):
    invitation = invited(workshop=WorkshopFactory(cancelled=True))

    decline(visitor, invitation)

    assert "This workshop is cancelled." in words(visitor.get(page(invitation)))


def test_a_banned_member_can_only_decline(visitor):
    invitation = invited()
    BanFactory(member=invitation.member)

    text = words(visitor.get(page(invitation)))

    assert "A suspended account cannot take a place" in text
    assert reverse("attendance_policy") in text
    assert "ll be there" not in text
    assert "t this time" in text


def test_a_member_who_left_the_groups_is_told(visitor):
    invitation = invited()
    Subscription.objects.all().delete()

    text = words(visitor.get(page(invitation)))
    assert "You are not subscribed to a group of" in text
    assert reverse("subscriptions") in text


@pytest.mark.parametrize("link", LINKS)
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
        with django_assert_num_queries(6):
            visitor.get(page(invitation))


def test_a_closed_accounts_old_link_leads_nowhere(visitor):
    invitation = invited()
    old = page(invitation)
    Invitation.objects.filter(pk=invitation.pk).update(token="replaced")
    Member.objects.filter(pk=invitation.member_id).update(name="Closed account")

    assert visitor.get(old).status_code == 404


def test_an_address_that_no_database_could_hold_is_not_there(client):
    assert client.get("/invitation/%00").status_code == 404


@pytest.mark.parametrize("rest", ["", "/accept", "/reject", "/waiting_list"])
def test_planners_other_name_for_the_page_still_leads_there(visitor, rest):
    invitation = invited()

    response = visitor.get(f"/workshop_invitation/{invitation.token}{rest}")

    assert (response.status_code, response.url) == (302, page(invitation))


@pytest.mark.parametrize("ending", [".csv", ".json", ".ics"])
def test_there_is_no_list_of_other_people_behind_a_token(visitor, ending):
    assert visitor.get(page(invited()) + ending).status_code == 404


def test_before_places_are_given_the_page_says_when_and_takes_a_no(visitor):
    workshop = WorkshopFactory(
        starts_at=datetime(2049, 3, 3, 18, 30, tzinfo=UTC),
        rsvp_opens_at=datetime(2049, 2, 24, 12, 0, tzinfo=UTC),
    )
    invitation = invited(workshop=workshop)

    text = words(visitor.get(page(invitation)))
    assert "Places are given from Wednesday 24 February, 12:00." in text
    assert "ll be there" not in text
    decline(visitor, invitation)

    assert answer_of(invitation) == Answer.DECLINED
    assert "t this time" not in words(visitor.get(page(invitation)))


def test_after_the_deadline_one_writes_to_the_chapter(visitor):
    workshop = WorkshopFactory(rsvp_closes_at=in_days(-1), chapter__email="hello@town.example")
    coming = invited(workshop=workshop, answer=Answer.ATTENDING)

    text = words(visitor.get(page(coming)))

    assert "You have a place as a student." in text
    assert 'href="mailto:hello@town.example"' in text
    assert "t come any more" not in text


def test_somebody_without_the_terms_is_led_to_them(visitor):
    invitation = invited(member=MemberFactory(without_terms=True))

    text = words(visitor.get(page(invitation)))

    assert "Only members who have accepted the terms can take a place." in text
    assert reverse("terms") in text


def test_somebody_with_a_place_elsewhere_that_day_is_told_before_they_try(visitor):
    invitation = invited()
    elsewhere = WorkshopFactory(starts_at=invitation.workshop.starts_at, chapter__name="Worthing")
    InvitationFactory(member=invitation.member, workshop=elsewhere, answer=Answer.ATTENDING)

    text = words(visitor.get(page(invitation)))

    assert "There is a place at codebar Worthing on the same day already." in text
    assert "ll be there" not in text


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({"answer": Answer.ATTENDING}, ["It is on right now", "You have a place as a student."]),
        ({}, ["This workshop has begun"]),
    ],
)
def test_while_it_is_on(visitor, fields, sentences):
    workshop = WorkshopFactory(starts_at=in_minutes(-10))
    invitation = invited(workshop=workshop, **fields)

    text = words(visitor.get(page(invitation)))

    assert [sentence for sentence in sentences if sentence not in text] == []


def test_whoever_was_there_in_another_role_is_thanked_for_that_one(visitor):
    workshop = WorkshopFactory(past=True)
    invitation = invited(
        workshop=workshop,
        role=Role.COACH,
        answer=Answer.ATTENDING,
        attended_at=workshop.starts_at,
        member__name="Amina",
    )

    text = words(visitor.get(page(invitation)))

    assert "Amina, thank you for coming" in text
    assert "You were here as a coach." in text


def test_who_comes_in_the_other_role_sees_it_as_theirs(visitor):
    invitation = invited(role=Role.STUDENT)
    subscribe(invitation.member, invitation.workshop.chapter, Role.COACH)

    accept(visitor, invitation, role="coach", tutorial="Python")

    fresh = Invitation.objects.get()
    assert (fresh.role, fresh.tutorial) == (Role.COACH, "")
    text = words(visitor.get(page(invitation)))
    assert "You have a place as a coach." in text
    assert "This is your place." in text


def test_a_student_says_what_they_want_to_work_on(visitor):
    invitation = invited()

    accept(visitor, invitation, role="student", tutorial="Python: lists", note="")

    assert Invitation.objects.get().tutorial == "Python: lists"
    assert 'value="Python: lists"' in words(visitor.get(page(invitation)))


def test_a_coach_is_not_asked_for_a_tutorial(visitor):
    invitation = invited(role=Role.COACH)

    assert 'name="tutorial"' not in words(visitor.get(page(invitation)))


def test_a_second_tap_is_harmless(visitor):
    invitation = invited()

    accept(visitor, invitation, role="student", note="Vegan")
    accept(visitor, invitation, role="student", note="Vegan")

    assert Invitation.objects.get().answer_number == 1
    assert InvitationLogEntry.objects.count() == 1
    assert "Saved." in words(visitor.get(page(invitation)))


def test_the_page_speaks_the_language_of_whoever_reads_it(visitor):
    with translation.override("de"):
        expected = translation.gettext("Will you come?")

    text = words(visitor.get(page(invited()), headers={"accept-language": "de"}))

    assert expected in text
    assert 'lang="de"' in text


@pytest.mark.parametrize("workshop", [{"cancelled": True}, {"past": True}])
def test_when_there_is_nothing_left_to_answer_the_page_leads_on(visitor, workshop):
    invitation = invited(workshop=WorkshopFactory(**workshop))

    text = words(visitor.get(page(invitation)))

    assert '<a href="/events/upcoming">See the next workshops</a>' in text
