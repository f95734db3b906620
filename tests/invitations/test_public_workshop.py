"""A workshop's page: when, where, and the way in for whoever looks."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role, WorkshopSponsor
from invitations.models import Answer
from members.models import Member
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support.names import case

pytestmark = pytest.mark.django_db

QUERIES, QUERIES_OF_A_MEMBER = 6, 14


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def page(workshop, member: Member | None = None) -> str:
    client = signed_in(member) if member else Client()
    response = client.get(reverse("workshop", args=[workshop.pk]))
    return " ".join(response.content.decode().split())


def test_a_workshop_says_when_and_where_by_the_clocks_of_its_chapter():
    workshop = WorkshopFactory(
        chapter__city="New York",
        chapter__time_zone="America/New_York",
        starts_at=datetime(2030, 7, 3, 22, 30, tzinfo=UTC),
        description="Bring <b>cake</b>, see https://cake.example",
        host=SponsorFactory(name="Lantern Labs", street="1 Bridge Road", directions="Ring twice."),
    )
    helper = SponsorFactory(name="Harbour Works", website="javascript:alert(1)")
    WorkshopSponsor.objects.create(workshop=workshop, sponsor=helper)
    beside = MemberFactory(name="Nia")
    workshop.organisers.add(beside)

    text = page(workshop)

    assert "Workshop at Lantern Labs" in text
    assert "Wednesday 3 July 2030, 18:30\N{EN DASH}20:30 EDT" in text
    assert "New York time, EDT" in text
    assert "1 Bridge Road" in text
    assert "Ring twice." in text
    assert "Harbour Works" in text
    assert "javascript:" not in text
    assert "Nia" in text
    assert beside.email not in text
    assert "Bring &lt;b&gt;cake&lt;/b&gt;" in text
    assert '<a href="https://cake.example" rel="nofollow">' in text


def test_how_to_join_a_call_is_told_to_those_who_have_a_place_only():
    workshop = WorkshopFactory(virtual=True)
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)

    for text in (
        page(workshop),
        page(workshop, member),
    ):
        assert "Workshop in a call" in text
        assert workshop.slack_channel_link not in text


def way_in(workshop, member: Member | None = None) -> str:
    """What stands under the first heading of the page."""
    text = page(workshop, member)
    return text[text.index('<h2 id="coming">') : text.index('id="about"')]


def test_visitors_are_asked_to_join_or_sign_in_and_come_back():
    workshop = WorkshopFactory()

    text = way_in(workshop)

    for name in ("account_signup", "account_login"):
        assert f'href="{reverse(name)}?next=/workshops/{workshop.pk}"' in text
    assert "<form" not in text


def test_members_come_in_the_roles_of_their_groups():
    workshop = WorkshopFactory()
    student = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    both = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT, Role.COACH)

    assert "Come as a student" in way_in(workshop, student)
    assert "Come as a coach" not in way_in(workshop, student)
    assert "Come as a student" in way_in(workshop, both)
    assert "Come as a coach" in way_in(workshop, both)
    assert way_in(workshop, both).count("btn-primary") == 1


def test_members_of_no_group_are_told_to_join_one():
    text = way_in(WorkshopFactory(chapter__name="Brighton"), MemberFactory())

    assert "You are in no group of codebar Brighton yet." in text
    assert "<form" not in text


def test_the_suspended_read_why_and_press_nothing():
    workshop = WorkshopFactory()
    student = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    BanFactory(member=student)

    text = way_in(workshop, student)

    assert "A suspended account cannot take a place." in text
    assert "<form" not in text


def test_where_there_is_a_place_comes_before_where_one_waits():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    both = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT, Role.COACH)

    text = way_in(workshop, both)

    assert text.index("Come as a coach") < text.index("Wait for a place as a student")


def test_its_organisers_are_led_behind_the_scenes_and_nobody_else_is():
    workshop = WorkshopFactory()
    behind = reverse("organiser_workshop", args=[workshop.pk])

    organiser = organiser_of(workshop.chapter)
    elsewhere = organiser_of(ChapterFactory())
    assert behind in page(workshop, organiser)
    assert behind not in page(workshop, elsewhere)
    assert behind not in page(workshop)


def test_a_full_workshop_offers_to_wait():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    student = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)

    text = way_in(workshop, student)

    assert "All places for students are taken. You can wait for one." in text
    assert "Wait for a place as a student" in text


@pytest.mark.parametrize(
    ("answer", "heading"),
    [
        (Answer.ATTENDING, "You have a place"),
        (Answer.WAITING, "You are on the waiting list"),
        (Answer.DECLINED, "You said that you cannot come"),
        (Answer.NONE, "You are invited"),
    ],
)
def test_whoever_is_invited_is_led_to_the_own_answer(answer, heading):
    invitation = InvitationFactory(answer=answer)

    text = way_in(invitation.workshop, invitation.member)

    assert heading in text
    assert invitation.get_absolute_url() in text
    assert invitation.token not in page(invitation.workshop)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cancelled": True}, "This workshop is cancelled"),
        ({"past": True}, "This workshop is over"),
        ({"is_invitable": False}, "Places are not given yet."),
        ({"host": None}, "The venue is not known yet."),
        ({"rsvp_closes_at": in_days(-1)}, "Answers are closed."),
        ({"rsvp_opens_at": in_days(1)}, "Places are given from"),
    ],
    ids=case,
)
@pytest.mark.parametrize("is_member", [True, False])
def test_a_workshop_that_gives_no_places_says_why(fields, said, is_member):
    workshop = WorkshopFactory(**fields)
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT) if is_member else None

    text = way_in(workshop, member)

    assert said in text
    assert "<form" not in text
    assert "Join and come" not in text


def test_a_workshop_of_a_chapter_that_sleeps_stays_where_it_was():
    workshop = WorkshopFactory(past=True, chapter__is_active=False)

    text = page(workshop)

    assert "This workshop is over" in text
    assert f'href="/{workshop.chapter.slug}"' not in text


@pytest.mark.parametrize("count", [1, 3])
def test_a_workshop_asks_the_same_for_few_and_for_many(count, django_assert_num_queries):
    workshop = WorkshopFactory()
    for _ in range(count):
        workshop.organisers.add(MemberFactory())
        WorkshopSponsor.objects.create(workshop=workshop, sponsor=SponsorFactory())
        InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)

    with django_assert_num_queries(QUERIES):
        page(workshop)
    client = signed_in(subscribe(MemberFactory(), workshop.chapter, Role.STUDENT, Role.COACH))
    with django_assert_num_queries(QUERIES_OF_A_MEMBER):
        client.get(reverse("workshop", args=[workshop.pk]))
