"""One workshop, for those who organise it."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role, WorkshopSponsor
from invitations.models import Answer
from logs.models import Audience, EntryStatus, InvitationLog, LogStatus
from members.models import Member
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

QUERIES = 18


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


def test_a_cancelled_workshop_says_so_and_offers_nothing_that_is_over():
    workshop = WorkshopFactory(chapter=chapter_with(students=1), cancelled=True)

    text = page(workshop)

    assert "This workshop is cancelled" in text
    for name in ("send_invites", "write", "workshop_edit", "door"):
        assert reverse(name, args=[workshop.pk]) + '"' not in text
    for name in ("attendance", "changes"):
        assert reverse(name, args=[workshop.pk]) + '"' in text


def test_everything_one_can_do_is_one_click_away():
    workshop = WorkshopFactory(chapter=chapter_with(students=1))

    text = page(workshop)

    for name in (
        *("workshop_edit", "send_invites", "write", "attendance", "door", "changes"),
        *("rsvp", "workshop_sponsors"),
    ):
        assert f'href="{reverse(name, args=[workshop.pk])}"' in text


def test_who_is_missing_is_named():
    chapter = chapter_with()
    for n in range(12):
        subscribe(MemberFactory(name=f"Ada{n:02}", surname=""), chapter, Role.STUDENT)
    workshop = WorkshopFactory(chapter=chapter)

    text = page(workshop)

    assert text.count(">Ada") == 10
    assert "and 2 more." in text


def invited(workshop, *audiences: Audience, status: LogStatus = LogStatus.COMPLETED) -> None:
    for audience in audiences:
        InvitationLogFactory(workshop=workshop, audience=audience, status=status)


@pytest.mark.parametrize("audiences", [[Audience.EVERYONE], [Audience.STUDENTS, Audience.COACHES]])
def test_after_everybody_was_invited_one_click_invites_exactly_those_who_are_missing(audiences):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    invited(workshop, *audiences)
    client = signed_in(organiser_of(workshop.chapter))
    invite = f"{reverse('invite', args=[workshop.pk])}?for=everyone"

    assert f'action="{invite}"' in words(client.get(address(workshop)))
    client.post(invite, {"seen_count": 3})

    log = InvitationLog.objects.latest("pk")
    assert (log.audience, log.seen_count) == ("everyone", 3)
    assert f'action="{invite}"' not in words(client.get(address(workshop)))


def test_a_double_tap_on_that_click_makes_one_log():
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    invited(workshop, Audience.EVERYONE)
    client = signed_in(organiser_of(workshop.chapter))
    key = re.search(r'name="request_key" value="([^"]+)"', words(client.get(address(workshop))))
    assert key
    typed = {"seen_count": 3, "request_key": key.group(1)}
    invite = f"{reverse('invite', args=[workshop.pk])}?for=everyone"

    first = client.post(invite, typed)
    InvitationLog.objects.update(status=LogStatus.COMPLETED)
    second = client.post(invite, typed)

    assert first["Location"] == second["Location"]
    assert InvitationLog.objects.count() == 2


@pytest.mark.parametrize("audiences", [[], [Audience.STUDENTS], [Audience.COACHES]])
def test_before_that_the_button_leads_to_the_numbers(audiences):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    invited(workshop, *audiences)

    text = page(workshop)

    assert "Invite these 3" in text
    assert reverse("invite", args=[workshop.pk]) + "?" not in text


def test_free_places_while_somebody_waits_want_a_look():
    workshop = WorkshopFactory(student_spaces=3)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.WAITING)

    assert "3 student places are free and 2 wait" in page(workshop)


def test_the_evening_is_told_with_address_answers_sponsors_and_organisers():
    workshop = WorkshopFactory(
        chapter__time_zone="Europe/Berlin",
        host=SponsorFactory(name="The Hall", flat="", street="1 High Street", postal_code="E1"),
        starts_at=datetime(2031, 6, 9, 16, tzinfo=UTC),
        rsvp_opens_at=datetime(2031, 6, 1, 16, tzinfo=UTC),
        rsvp_closes_at=datetime(2031, 6, 9, 10, tzinfo=UTC),
    )
    WorkshopSponsor.objects.create(workshop=workshop, sponsor=SponsorFactory(name="Pizza Ltd"))
    workshop.organisers.add(MemberFactory(name="Maya", surname="Osei"))

    text = page(workshop)

    assert "The Hall <small>1 High Street, London, E1</small>" in text
    assert "from 1 June, 18:00 until 9 June, 12:00" in text
    assert "Pizza Ltd" in text
    assert "Maya Osei" in text


def test_of_many_who_come_ten_are_shown_and_all_are_one_click_away():
    workshop = WorkshopFactory(student_spaces=30)
    InvitationFactory.create_batch(12, workshop=workshop, answer=Answer.ATTENDING)

    response = signed_in(organiser_of(workshop.chapter)).get(address(workshop))

    assert len(response.context["coming"]) == 10
    assert "All 12 people who are coming" in words(response)
    assert words(response).count("first time") == 10


def test_an_organiser_of_this_workshop_only_meets_no_page_of_the_chapter():
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    helper = MemberFactory()
    workshop.organisers.add(helper)

    text = page(workshop, helper)

    assert reverse("chapter", args=[workshop.chapter_id]) not in text
    assert reverse("chapter", args=[workshop.chapter_id]) in page(workshop)


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
        with django_assert_num_queries(QUERIES):
            client.get(address(workshop))
