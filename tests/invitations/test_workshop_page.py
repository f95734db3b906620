"""One workshop, for those who organise it."""

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role
from invitations.models import Answer
from logs.models import EntryStatus, LogStatus
from members.models import Member
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db


def address(workshop) -> str:
    return reverse("organiser_workshop", args=[workshop.pk])


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def page(workshop, member: Member | None = None) -> str:
    client = signed_in(member or organiser_of(workshop.chapter))
    return words(client.get(address(workshop)))


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_it_opens_with_who_is_not_invited_yet():
    workshop = WorkshopFactory(chapter=chapter_with(students=3, coaches=2))
    subscribe(MemberFactory(without_terms=True), workshop.chapter, Role.STUDENT)

    text = page(workshop)

    assert "5 eligible members are not invited yet" in text
    assert "Invite these 5" in text
    assert "1 subscriber gets no letter now" in text
    assert text.count("btn-primary") == 1


def test_when_all_are_invited_it_says_so_and_offers_no_button():
    workshop = WorkshopFactory()
    invited = InvitationFactory(workshop=workshop).member
    log = InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED)
    InvitationLogEntryFactory(log=log, member=invited, status=EntryStatus.SUCCESS)

    text = page(workshop)

    assert "Everyone eligible has been invited" in text
    assert "btn-primary" not in text


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (LogStatus.RUNNING, "Letters are leaving now"),
        (LogStatus.PAUSED, "Sending is paused"),
    ],
)
def test_while_letters_wait_it_says_how_they_do(status, sentence):
    workshop = WorkshopFactory()
    waiting = InvitationFactory(workshop=workshop).member
    log = InvitationLogFactory(workshop=workshop, status=status)
    InvitationLogEntryFactory(log=log, member=waiting)

    text = page(workshop)

    assert sentence in text
    assert "1 to go" in text
    assert reverse("invitation_log", args=[workshop.pk, log.pk]) in text


def test_right_after_the_click_nobody_is_asked_to_click_again():
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    InvitationLogFactory(workshop=workshop, status=LogStatus.PREPARING)

    text = page(workshop)

    assert "Letters are being prepared" in text
    assert "Invite these 3" not in text


def test_a_chapter_without_subscribers_has_nobody_to_invite():
    assert "There is nobody to invite" in page(WorkshopFactory())


@pytest.mark.parametrize(
    ("workshop", "why"),
    [
        ({"past": True}, "This workshop has already begun"),
        ({"cancelled": True}, "This workshop is cancelled"),
        ({"is_invitable": False}, "This workshop is not open for invitations."),
        ({"host": None}, "The venue is missing, so nobody can be invited."),
    ],
)
def test_it_says_why_nobody_can_be_invited(workshop, why):
    workshop = WorkshopFactory(chapter=chapter_with(students=1), **workshop)

    text = page(workshop)

    assert "Nobody can be invited now" in text
    assert why in text
    assert reverse("send_invites", args=[workshop.pk]) not in text


def test_times_are_those_of_the_chapter():
    workshop = WorkshopFactory(chapter__name="Berlin", chapter__time_zone="Europe/Berlin")

    assert "19:30 to 21:30 (Berlin time, CET)" in page(workshop)


def test_the_answers_are_counted_and_those_who_come_are_named():
    workshop = WorkshopFactory(student_spaces=30, coach_spaces=10)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, note="Vegan", member__name="Lena")
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, role=Role.COACH)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.DECLINED)
    InvitationFactory.create_batch(3, workshop=workshop)
    BanFactory(
        member=InvitationFactory(
            workshop=workshop, answer=Answer.ATTENDING, member__name="Banned"
        ).member
    )

    response = signed_in(organiser_of(workshop.chapter)).get(address(workshop))

    overview = response.context["overview"]
    assert [(places.name, places.taken, places.capacity) for places in overview.places] == [
        ("students", 1, 30),
        ("coaches", 1, 10),
    ]
    assert (overview.waiting, overview.declined, overview.unanswered) == (0, 2, 3)
    text = words(response)
    assert "Lena" in text
    assert "“Vegan”" in text
    assert "Banned Tester" not in text


def test_another_chapters_organiser_finds_nothing():
    workshop = WorkshopFactory()

    response = signed_in(organiser_of(ChapterFactory())).get(address(workshop))

    assert response.status_code == 404


def test_a_member_finds_nothing():
    response = signed_in(MemberFactory()).get(address(WorkshopFactory()))

    assert response.status_code == 404


def test_an_admin_may_look():
    assert "Nobody has been written to yet." in page(
        WorkshopFactory(), MemberFactory(superuser=True)
    )


def test_visitors_are_asked_to_sign_in():
    workshop = WorkshopFactory()

    response = Client().get(address(workshop))

    assert response.url == f"/accounts/login/?next={address(workshop)}"


def test_looking_is_all_one_can_do():
    workshop = WorkshopFactory()

    assert signed_in(organiser_of(workshop.chapter)).post(address(workshop)).status_code == 405


def test_queries_do_not_grow_with_the_lists(django_assert_num_queries):
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    for more in (1, 2):
        InvitationFactory.create_batch(more, workshop=workshop, answer=Answer.ATTENDING)
        log = InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED)
        InvitationLogEntryFactory.create_batch(more, log=log)
        client = signed_in(organiser)
        with django_assert_num_queries(14):
            client.get(address(workshop))
