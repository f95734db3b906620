"""Who is subscribed to a chapter, and taking somebody out of a group."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chapters.models import Role, Subscription
from invitations.queries import audiences, subscribers
from invitations.queries.subscribers import Wanted
from logs.models import Activity
from members.models import Member
from tests.factories import (
    BanFactory,
    ChapterFactory,
    GroupFactory,
    MemberFactory,
    SubscriptionFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def address(chapter) -> str:
    return reverse("subscribers", args=[chapter.pk])


def page(chapter, **query) -> str:
    return words(signed_in(organiser_of(chapter)).get(address(chapter), query))


def shown(chapter, **query) -> list[str]:
    response = signed_in(organiser_of(chapter)).get(address(chapter), query)
    return [member.name for member in response.context["page"]]


def take_out(group, member: Member, *, by: Member, query: str = "", **options):
    pressed = reverse("subscriber_remove", args=[group.chapter_id, group.pk, member.pk])
    return signed_in(by).post(f"{pressed}{query}", **options)


def somebody(chapter, name: str, *roles: Role, **fields) -> Member:
    member: Member = MemberFactory(name=name, surname="", **fields)
    return subscribe(member, chapter, *(roles or (Role.STUDENT,)))


def test_everybody_is_named_once_with_their_groups():
    chapter = chapter_with()
    somebody(chapter, "Bruno", Role.STUDENT, Role.COACH)
    somebody(chapter, "Amina")
    somebody(ChapterFactory(), "Foreigner")

    text = page(chapter)

    assert shown(chapter) == ["Amina", "Bruno"]
    assert "2 subscribers" in text
    assert "Coaches, Students." in text
    assert "1 is in more than one group, and counted in each." in text


def test_whoever_is_not_eligible_has_the_first_reason():
    chapter = chapter_with()
    somebody(chapter, "Eligible")
    somebody(chapter, "Closed", closed=True, banned=True)
    somebody(chapter, "Banned", banned=True, without_terms=True)
    somebody(chapter, "Terms", without_terms=True, unreachable=True)
    somebody(chapter, "Unreachable", unreachable=True)
    BanFactory(member=somebody(chapter, "Again welcome"), expired=True)

    people = subscribers.find(chapter, Wanted()).people

    assert {member.name: member.reason for member in people} == {
        "Eligible": "",
        "Closed": "closed the account",
        "Banned": "is banned",
        "Terms": "has not accepted the terms",
        "Unreachable": "has an address we cannot use",
        "Again welcome": "",
    }
    eligible = Member.objects.able_to_be_invited()
    assert {member for member in people if not member.reason} == set(
        audiences.subscribed(chapter, *Role) & eligible
    )


def test_the_list_is_narrowed_and_each_link_says_how_many_it_leads_to():
    chapter = chapter_with()
    somebody(chapter, "Amina", Role.STUDENT, Role.COACH)
    somebody(chapter, "Bruno", Role.COACH, without_terms=True)
    somebody(chapter, "Chidi", without_terms=True)
    students, coaches = chapter.groups.order_by("-role")

    assert shown(chapter, group=coaches.pk) == ["Amina", "Bruno"]
    assert shown(chapter, show="eligible") == ["Amina"]
    assert shown(chapter, show="has not accepted the terms", group=students.pk) == ["Chidi"]
    assert shown(chapter, name="MIN") == ["Amina"]
    no_terms = Wanted(reason="has not accepted the terms")
    assert subscribers.find(chapter, no_terms).by_group == [(students, 1), (coaches, 1)]
    assert subscribers.find(chapter, Wanted(group=coaches.pk)).by_reason == [
        ("", 1),
        ("closed the account", 0),
        ("is banned", 0),
        ("has not accepted the terms", 1),
        ("has an address we cannot use", 0),
    ]


def test_nobody_found_is_said_with_the_way_back():
    chapter = chapter_with(students=1)

    text = page(chapter, name="Zoë <b>")

    assert "Nobody in this list is called “Zoë &lt;b&gt;”." in text
    assert "Show everybody" in text


@pytest.mark.parametrize(
    "query",
    [
        {"group": "x"},
        {"group": "9" * 40},
        {"show": "nonsense"},
        {"name": "x" * 101},
        {"name": "a\x00b"},
        {"page": "-3"},
        {"page": "x"},
    ],
)
def test_what_cannot_be_asked_shows_everybody(query):
    chapter = chapter_with()
    somebody(chapter, "Amina")

    assert shown(chapter, **query) == ["Amina"]


def test_a_group_of_another_chapter_has_nobody_here():
    chapter = chapter_with(students=1)
    foreign = SubscriptionFactory().group

    assert shown(chapter, group=foreign.pk) == []


def test_an_empty_chapter_says_so():
    assert "Nobody is subscribed yet" in page(ChapterFactory())


def test_fifty_fit_on_a_page():
    chapter = chapter_with(students=51)

    assert len(shown(chapter)) == 50
    assert len(shown(chapter, page=2)) == 1


def test_the_statements_are_the_same_for_one_person_and_three():
    chapter = chapter_with()
    client = signed_in(organiser_of(chapter))

    def statements() -> int:
        subscribe(MemberFactory(banned=True), chapter, *Role)
        with CaptureQueriesContext(connection) as captured:
            client.get(address(chapter))
        return len(captured)

    client.get(address(chapter))
    one, _, three = (statements() for _ in range(3))

    assert three == one


def test_an_organiser_takes_somebody_out_of_one_group_and_stays_where_they_were():
    chapter = chapter_with()
    amina = somebody(chapter, "Amina", Role.STUDENT, Role.COACH)
    students = chapter.groups.get(role=Role.STUDENT)
    olu = organiser_of(chapter)

    response = take_out(students, amina, by=olu, query="?name=min&page=2", follow=True)

    assert response.redirect_chain == [(f"{address(chapter)}?name=min&page=2", 302)]
    assert "Amina gets no more letters of Students." in words(response)
    assert [s.group.role for s in Subscription.objects.filter(member=amina)] == [Role.COACH]
    assert list(Activity.objects.values_list("did", "by", "member", "chapter")) == [
        ("took somebody out of the group Students", olu.pk, amina.pk, chapter.pk)
    ]


def test_a_second_tap_is_harmless():
    subscription = SubscriptionFactory()
    group, member = subscription.group, subscription.member
    olu = organiser_of(group.chapter)

    texts = [words(take_out(group, member, by=olu, follow=True)) for _ in range(2)]

    assert "gets no more letters" in texts[0]
    assert "Nobody was taken out" in texts[1]
    assert Activity.objects.count() == 1


def test_opening_the_address_changes_nothing():
    subscription = SubscriptionFactory()
    group = subscription.group
    pressed = reverse(
        "subscriber_remove", args=[group.chapter_id, group.pk, subscription.member_id]
    )

    assert signed_in(organiser_of(group.chapter)).get(pressed).status_code == 405
    assert Subscription.objects.get() == subscription


def test_the_people_of_another_chapter_stay_where_they_are():
    subscription = SubscriptionFactory()
    mine, foreign = GroupFactory(), subscription.group
    olu = organiser_of(mine.chapter)
    through_mine = reverse(
        "subscriber_remove", args=[mine.chapter_id, foreign.pk, subscription.member_id]
    )

    answers = [
        take_out(foreign, subscription.member, by=olu).status_code,
        signed_in(olu).post(through_mine).status_code,
    ]
    stranger = take_out(mine, subscription.member, by=olu, follow=True)

    assert answers == [404, 404]
    assert subscription.member.full_name not in words(stranger)
    assert Subscription.objects.get() == subscription
