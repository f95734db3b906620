"""What happened for a workshop: who did what, to whom, when and why."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from logs.models import Activity
from logs.services import activities
from tests.factories import ChapterFactory, MemberFactory, WorkshopFactory, organiser_of

pytestmark = pytest.mark.django_db


def page(workshop, by=None, **query):
    client = Client()
    client.force_login(by or organiser_of(workshop.chapter))
    return client.get(reverse("changes", args=[workshop.pk]), query)


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_a_line_says_who_did_what_to_whom_when_and_why():
    workshop = WorkshopFactory(chapter__time_zone="Europe/Berlin")
    activities.note(
        "gave a place as a student",
        by=MemberFactory(name="Asha", surname="Rao"),
        workshop=workshop,
        member=MemberFactory(name="Lena", surname="Fischer"),
        changes={"Starts": ("18:30", "19:00"), "Ends": ("", "21:00")},
        remark="<b>She</b> gives a talk",
    )
    Activity.objects.update(at=datetime(2026, 7, 1, 18, 5, tzinfo=UTC))

    text = words(page(workshop))

    assert "Asha Rao" in text
    assert "1 July 2026, 20:05" in text
    assert "Gave a place as a student: Lena Fischer" in text
    assert "“&lt;b&gt;She&lt;/b&gt; gives a talk”" in text
    assert "<del>18:30</del>" in text
    assert "<ins>19:00</ins>" in text
    assert "<i>nothing</i>" in text


def test_what_somebody_did_for_themselves_names_them_once():
    workshop = WorkshopFactory()
    member = MemberFactory(name="Lena", surname="Fischer")
    activities.note("is coming as a student", by=member, workshop=workshop, member=member)

    assert words(page(workshop)).count("Lena Fischer") == 1


def test_the_newest_comes_first_and_other_workshops_do_not():
    workshop = WorkshopFactory()
    for did in ("did the first thing", "did the second thing"):
        activities.note(did, by=None, workshop=workshop)
    activities.note("did something else", by=None, workshop=WorkshopFactory())

    shown = [activity.did for activity in page(workshop).context["page"]]

    assert shown == ["did the second thing", "did the first thing"]


def test_a_long_history_has_pages():
    workshop = WorkshopFactory()
    for _ in range(51):
        activities.note("did something", by=None, workshop=workshop)

    assert len(page(workshop).context["page"]) == 50
    assert len(page(workshop, page=2).context["page"]) == 1
    assert page(workshop, page="x\0").status_code == 200


def test_an_empty_history_says_what_will_be_there():
    assert "Nothing has happened yet" in words(page(WorkshopFactory()))


def test_another_chapters_organiser_finds_nothing():
    assert page(WorkshopFactory(), organiser_of(ChapterFactory())).status_code == 404


def test_queries_do_not_grow_with_the_history(django_assert_num_queries):
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    for more in (1, 2):
        for _ in range(more):
            activities.note("did it", by=MemberFactory(), workshop=workshop, member=MemberFactory())
        client = Client()
        client.force_login(organiser)
        with django_assert_num_queries(6):
            client.get(reverse("changes", args=[workshop.pk]))
