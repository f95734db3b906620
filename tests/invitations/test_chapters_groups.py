"""The mailing groups of a chapter."""

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Group, Role
from invitations.services import grouping
from logs.models import Activity
from members.models import Member
from tests.factories import (
    ChapterFactory,
    GroupFactory,
    MemberFactory,
    SubscriptionFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

EVENING = {"name": "Evening coaches", "role": "coach", "description": "After work."}


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def groups_of(chapter) -> list[tuple[str, str, str]]:
    return list(chapter.groups.order_by("name").values_list("name", "role", "description"))


def history(chapter) -> list[tuple[str, dict]]:
    return list(
        Activity.objects.filter(chapter=chapter).order_by("pk").values_list("did", "changes")
    )


def test_each_group_says_how_many_of_its_people_can_be_invited():
    chapter = chapter_with(students=2, coaches=1)
    subscribe(MemberFactory(banned=True), chapter, Role.STUDENT)

    text = words(signed_in(organiser_of(chapter)).get(reverse("chapter_groups", args=[chapter.pk])))

    assert "2 eligible of 3 subscribed" in text
    assert "1 eligible of 1 subscribed" in text


def test_a_chapter_without_groups_says_what_to_do():
    chapter = ChapterFactory()

    text = words(signed_in(organiser_of(chapter)).get(reverse("chapter_groups", args=[chapter.pk])))

    assert "There is no group yet" in text


def test_the_statements_are_the_same_for_one_group_and_three(django_assert_num_queries):
    chapter = chapter_with(students=1)
    client = signed_in(organiser_of(chapter))
    address = reverse("chapter_groups", args=[chapter.pk])
    client.get(address)
    with django_assert_num_queries(6):
        client.get(address)
    SubscriptionFactory(group=GroupFactory(chapter=chapter))

    with django_assert_num_queries(6):
        client.get(address)


def test_an_organiser_adds_a_group():
    chapter = ChapterFactory()

    response = signed_in(organiser_of(chapter)).post(
        reverse("chapter_groups", args=[chapter.pk]), EVENING, follow=True
    )

    assert "The chapter has the group “Evening coaches” now." in words(response)
    assert groups_of(chapter) == [("Evening coaches", "coach", "After work.")]
    assert history(chapter) == [("added the group Evening coaches", {})]


def test_a_double_tap_adds_one_group():
    chapter = ChapterFactory()
    client = signed_in(organiser_of(chapter))

    answers = [client.post(reverse("chapter_groups", args=[chapter.pk]), EVENING) for _ in "12"]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert len(groups_of(chapter)) == 1
    assert len(history(chapter)) == 1


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({"name": ""}, 400, "Name the group."),
        ({"name": "a\x00b"}, 400, "Null characters are not allowed."),
        ({"role": "organiser"}, 400, "Say whether the group is for students or for coaches."),
        ({"role": ""}, 400, "Say whether the group is for students or for coaches."),
        ({"description": "x" * 1001}, 400, "That is 1001 characters. 1000 fit; please shorten."),
        ({"name": "COACHES"}, 409, "This chapter already has a group of that name."),
    ],
)
def test_what_cannot_be_a_group_is_refused_with_what_was_typed(typed, status, sentence):
    chapter = chapter_with()
    before = groups_of(chapter)

    response = signed_in(organiser_of(chapter)).post(
        reverse("chapter_groups", args=[chapter.pk]), EVENING | typed
    )

    assert response.status_code == status
    assert sentence in words(response)
    assert groups_of(chapter) == before
    assert history(chapter) == []


def test_two_chapters_may_have_groups_of_one_name():
    chapter_with()
    chapter = ChapterFactory()

    grouping.add(chapter, name="Coaches", role=Role.COACH, description="", by=MemberFactory())

    assert groups_of(chapter) == [("Coaches", "coach", "")]


def test_a_group_is_renamed_and_described_and_keeps_its_people():
    group = SubscriptionFactory(group__name="Coaches", group__role=Role.COACH).group

    response = signed_in(organiser_of(group.chapter)).post(
        reverse("chapter_group", args=[group.chapter_id, group.pk]),
        {"name": "Evening coaches", "description": "After work.", "role": "student"},
    )

    assert response.headers["Location"] == reverse("chapter_groups", args=[group.chapter_id])
    assert groups_of(group.chapter) == [("Evening coaches", "coach", "After work.")]
    assert group.subscriptions.count() == 1
    assert history(group.chapter) == [
        (
            "changed the group Coaches",
            {"Name": ["Coaches", "Evening coaches"], "Description": ["", "After work."]},
        )
    ]


def test_a_group_may_be_written_in_other_letters_but_not_as_another_one():
    chapter = chapter_with()
    coaches = chapter.groups.get(role=Role.COACH)
    client = signed_in(organiser_of(chapter))
    address = reverse("chapter_group", args=[chapter.pk, coaches.pk])

    assert client.post(address, {"name": "COACHES"}).status_code == 302
    refused = client.post(address, {"name": "students"})

    assert refused.status_code == 409
    assert "This chapter already has a group of that name." in words(refused)
    assert groups_of(chapter) == [("COACHES", "coach", ""), ("Students", "student", "")]


def test_an_empty_group_is_deleted_and_a_second_tap_is_harmless():
    group = GroupFactory(name="Nobody")
    client = signed_in(organiser_of(group.chapter))
    address = reverse("chapter_group_delete", args=[group.chapter_id, group.pk])

    texts = [words(client.post(address, follow=True)) for _ in range(2)]

    assert "The group “Nobody” is deleted." in texts[0]
    assert "This chapter has no such group any more." in texts[1]
    assert not Group.objects.exists()
    assert history(group.chapter) == [("deleted the group Nobody", {})]


def test_a_group_with_people_stays():
    group = SubscriptionFactory().group

    response = signed_in(organiser_of(group.chapter)).post(
        reverse("chapter_group_delete", args=[group.chapter_id, group.pk]), follow=True
    )

    assert "People are subscribed to this group, so it cannot be deleted." in words(response)
    assert Group.objects.get() == group
    assert history(group.chapter) == []


def test_a_foreign_group_is_not_there():
    mine, foreign = ChapterFactory(), GroupFactory(name="Theirs")
    client = signed_in(organiser_of(mine))

    asked = client.get(reverse("chapter_group", args=[mine.pk, foreign.pk]))
    client.post(reverse("chapter_group_delete", args=[mine.pk, foreign.pk]))
    pressed = client.post(reverse("chapter_group_delete", args=[foreign.chapter_id, foreign.pk]))

    assert (asked.status_code, pressed.status_code) == (404, 404)
    assert Group.objects.get() == foreign
