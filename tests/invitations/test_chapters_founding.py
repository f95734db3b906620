"""Founding a chapter, and changing what it says about itself."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Chapter, Role
from invitations.services import founding
from invitations.services.founding import Particulars
from logs.models import Activity
from members.models import Member
from tests.factories import ChapterFactory, MemberFactory, WorkshopFactory, in_days, organiser_of

pytestmark = pytest.mark.django_db

OXFORD = Particulars(
    name="Oxford",
    city="Oxford",
    email="oxford@codebar.example",
    time_zone=ZoneInfo("Europe/London"),
    description="We meet on Tuesdays.",
)
TYPED = {
    "name": "Oxford",
    "city": "Oxford",
    "email": "Oxford@codebar.example ",
    "time_zone": "Europe/London",
    "description": "We meet on Tuesdays.",
}


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def found_as_admin(**typed):
    return signed_in(MemberFactory(superuser=True)).post(reverse("chapter_new"), TYPED | typed)


def edit(chapter: Chapter, member: Member | None = None, **typed):
    client = signed_in(member or organiser_of(chapter))
    form = {
        "name": chapter.name,
        "city": chapter.city,
        "email": chapter.email,
        "time_zone": str(chapter.time_zone),
        "description": chapter.description,
        "is_active": "on",
    }
    return client.post(reverse("chapter_edit", args=[chapter.pk]), form | typed)


def history(chapter: Chapter) -> list[tuple[str, dict]]:
    return list(
        Activity.objects.filter(chapter=chapter).order_by("pk").values_list("did", "changes")
    )


def test_an_admin_founds_a_chapter_with_both_groups():
    response = found_as_admin()

    chapter = Chapter.objects.get()
    assert response.headers["Location"] == reverse("chapter", args=[chapter.pk])
    assert Particulars.of(chapter) == OXFORD
    assert chapter.slug == "oxford"
    assert set(chapter.groups.values_list("name", "role")) == {
        ("Students", Role.STUDENT),
        ("Coaches", Role.COACH),
    }
    assert history(chapter) == [("founded the chapter", {})]


def test_a_double_tap_founds_one_chapter():
    admin = MemberFactory(superuser=True)

    first, second = (founding.found(OXFORD, by=admin) for _ in range(2))

    assert first == second
    assert Chapter.objects.count() == 1
    assert Activity.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "Name the chapter."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "Ox\x00ford"}, "Null characters are not allowed."),
        ({"email": "oxford"}, "This is not an e-mail address"),
        ({"time_zone": "Europe/Oxford"}, "We know no such time zone."),
        ({"time_zone": "../etc/passwd"}, "We know no such time zone."),
        ({"description": "x" * 281}, "That is 281 characters. 280 fit; please shorten."),
        ({"description": "x" * 1_000_000}, "That is 1000000 characters."),
    ],
)
def test_what_is_missing_or_too_long_is_said_and_nothing_is_saved(typed, sentence):
    response = found_as_admin(**typed)

    assert response.status_code == 400
    assert sentence in words(response)
    assert 'value="Oxford"' in words(response), "what was typed comes back"
    assert not Chapter.objects.exists()


@pytest.mark.parametrize(
    ("taken", "sentence"),
    [
        ({"name": "OXFORD"}, "Another chapter has this name."),
        ({"email": "oxford@codebar.example"}, "Another chapter has this address."),
    ],
)
def test_a_name_or_address_of_another_chapter_is_refused(taken, sentence):
    ChapterFactory(**taken)

    response = found_as_admin()

    assert response.status_code == 409
    assert sentence in words(response)
    assert Chapter.objects.count() == 1


def test_a_zone_may_be_typed_by_its_city():
    found_as_admin(time_zone="new york")

    assert Chapter.objects.get().time_zone == ZoneInfo("America/New_York")


def test_the_address_of_a_page_gets_a_number_where_it_is_taken():
    ChapterFactory(name="Oxford!", slug="oxford", email="other@codebar.example")

    assert founding.found(OXFORD, by=MemberFactory()).slug == "oxford-2"


def test_an_organiser_changes_the_chapter_and_who_changed_what_is_written_down():
    chapter = ChapterFactory(name="Oxford", slug="oxford", description="Old.")
    organiser = organiser_of(chapter)

    response = edit(chapter, organiser, name="Oxford and Reading", description="One.\r\nTwo.")

    assert response.headers["Location"] == reverse("chapter", args=[chapter.pk])
    chapter.refresh_from_db()
    assert (chapter.name, chapter.slug) == ("Oxford and Reading", "oxford")
    assert history(chapter) == [
        (
            "changed the chapter",
            {"Name": ["Oxford", "Oxford and Reading"], "Description": ["Old.", "One.\nTwo."]},
        )
    ]
    assert Activity.objects.get().by == organiser


def test_saving_what_is_there_already_changes_nothing():
    chapter = ChapterFactory(description="One.\nTwo.")

    response = edit(chapter, description="One.\r\nTwo.")

    assert response.status_code == 302
    assert history(chapter) == []


def test_a_chapter_takes_a_rest():
    chapter = ChapterFactory()

    edit(chapter, is_active="")

    chapter.refresh_from_db()
    assert not chapter.is_active
    assert history(chapter) == [("changed the chapter", {"Active": ["yes", "no"]})]


def test_another_zone_leaves_workshops_at_their_moment_and_says_so():
    chapter = ChapterFactory()
    start = datetime(2035, 1, 10, 18, 30, tzinfo=UTC)
    workshop = WorkshopFactory(chapter=chapter, starts_at=start)
    client = signed_in(organiser_of(chapter))
    address = reverse("chapter_edit", args=[chapter.pk])

    asked = words(client.get(address))
    saved = words(
        client.post(
            address,
            {
                "name": chapter.name,
                "city": chapter.city,
                "email": chapter.email,
                "time_zone": "Berlin",
                "is_active": "on",
            },
            follow=True,
        )
    )

    workshop.refresh_from_db()
    assert workshop.starts_at == start
    assert "One upcoming workshop keeps its moment" in asked
    assert "the next, on 10 January, now begins at 19:30 (Europe/Berlin)" in saved


def test_without_upcoming_workshops_nothing_is_said_about_them():
    chapter = ChapterFactory()
    WorkshopFactory(chapter=chapter, starts_at=in_days(-3))
    client = signed_in(organiser_of(chapter))

    assert "keeps its moment" not in words(client.get(reverse("chapter_edit", args=[chapter.pk])))


def test_an_edit_to_the_name_of_another_chapter_is_refused_with_what_was_typed():
    ChapterFactory(name="Brighton")
    chapter = ChapterFactory(name="Oxford")

    response = edit(chapter, name="brighton")

    assert response.status_code == 409
    assert "Another chapter has this name." in words(response)
    assert 'value="brighton"' in words(response)
    chapter.refresh_from_db()
    assert chapter.name == "Oxford"


def test_organisers_found_no_chapters_and_edit_no_foreign_ones():
    mine, theirs = ChapterFactory(), ChapterFactory(name="Theirs")
    organiser = organiser_of(mine)

    assert signed_in(organiser).post(reverse("chapter_new"), TYPED).status_code == 404
    assert edit(theirs, organiser, name="Mine now").status_code == 404
    assert not Chapter.objects.filter(name__in=["Oxford", "Mine now"]).exists()
