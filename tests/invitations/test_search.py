"""Finding members and workshops, from every page."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role
from invitations.queries import searches
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

DECEMBER_9 = datetime(2026, 12, 9, 18, 30, tzinfo=UTC)


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def search(user: Member, text: str):
    return signed_in(user).get(reverse("search"), {"q": text})


def members_found(user: Member, text: str) -> list[Member]:
    return list(search(user, text).context["members"])


def workshops_found(user: Member, text: str):
    return list(search(user, text).context["workshops"])


@pytest.fixture
def chapter():
    return ChapterFactory(name="Brighton")


@pytest.fixture
def organiser(chapter):
    return organiser_of(chapter)


def in_chapter(chapter, **fields) -> Member:
    return subscribe(MemberFactory(**fields), chapter, Role.STUDENT)


# ---- Members -------------------------------------------------------------------------------


def test_members_are_found_by_any_part_of_their_name(chapter, organiser):
    ada = in_chapter(chapter, name="Ada", surname="Lovelace")
    grace = in_chapter(chapter, name="Grace", surname="Hopper")

    assert members_found(organiser, "ada love") == [ada]
    assert members_found(organiser, "HOPP") == [grace]


def test_members_are_found_by_their_address(chapter, organiser):
    ada = in_chapter(chapter, email="countess@people.example")

    assert members_found(organiser, "countess@") == [ada]


def test_signs_of_the_database_are_letters_like_any_other(chapter, organiser):
    in_chapter(chapter, name="Ada")
    percent = in_chapter(chapter, name="Per%cent_")

    assert members_found(organiser, "r%c") == [percent]
    assert members_found(organiser, "%%") == []
    assert members_found(organiser, "t_") == [percent]


def test_only_members_one_may_see_are_found(chapter, organiser):
    elsewhere = in_chapter(ChapterFactory(), name="Ada")
    invited = InvitationFactory(
        workshop__chapter=chapter, member__name="Ada", subscribed=False
    ).member

    assert members_found(organiser, "Ada") == [invited]
    assert set(members_found(MemberFactory(superuser=True), "Ada")) == {elsewhere, invited}


def test_an_organiser_of_one_workshop_cannot_probe_for_addresses():
    invitation = InvitationFactory(member__name="Ada", member__email="secret@people.example")
    helper = MemberFactory()
    invitation.workshop.organisers.add(helper)

    assert members_found(helper, "Ada") == [invitation.member]
    assert members_found(helper, "secret@") == []


def test_closed_accounts_are_not_found(chapter, organiser):
    in_chapter(chapter, name="Gone", closed=True)

    assert members_found(organiser, "Gone") == []


def test_the_first_twenty_are_shown_and_the_page_says_so(chapter, organiser):
    for _ in range(21):
        in_chapter(chapter, name="Zoe")

    text = search(organiser, "Zoe").content.decode()

    assert text.count("Zoe Tester") == 20
    assert "These are the first 20." in text


# ---- Workshops -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "9 December",
        "9 dec",
        "9th December 2026",
        "Wednesday 9 December",
        "December 9, 2026",
        "2026-12-09",
        "2026-12-9",
        "9.12.2026",
        "09/12/2026",
        "9/12",
        "december 2026",
        "Brighton 9 December",
        "9 December brighton",
        "bright",
        "silicon beach",
        "studio 2026-12-09",
    ],
)
def test_a_workshop_is_found_by_chapter_venue_or_date(chapter, organiser, typed):
    wanted = WorkshopFactory(
        chapter=chapter, starts_at=DECEMBER_9, host=SponsorFactory(name="Silicon Beach Studio")
    )
    oxford = ChapterFactory(name="Oxford")
    oxford.organisers.add(organiser)
    WorkshopFactory(chapter=oxford, starts_at=datetime(2026, 11, 10, 18, tzinfo=UTC))

    assert workshops_found(organiser, typed) == [wanted]


@pytest.mark.parametrize("typed", ["31 February", "99/99", "2026-13-40", "0/0/1000", "May"])
def test_a_date_that_does_not_exist_finds_nothing(chapter, organiser, typed):
    WorkshopFactory(chapter=chapter, starts_at=DECEMBER_9)

    assert workshops_found(organiser, typed) == []


def test_a_date_is_that_of_the_chapters_clocks(organiser):
    sydney = ChapterFactory(name="Sydney", time_zone="Australia/Sydney")
    sydney.organisers.add(organiser)
    early = WorkshopFactory(chapter=sydney, starts_at=datetime(2026, 12, 8, 20, tzinfo=UTC))

    assert workshops_found(organiser, "9 December") == [early]
    assert workshops_found(organiser, "8 December") == []


def test_times_of_several_chapters_name_their_zone(organiser):
    sydney = ChapterFactory(name="Sydney", time_zone="Australia/Sydney")
    sydney.organisers.add(organiser)
    WorkshopFactory(chapter=sydney, starts_at=datetime(2026, 12, 8, 8, tzinfo=UTC))

    page = signed_in(organiser).get(reverse("search"), {"q": "Sydney"})

    assert "Tuesday, 19:00 to 21:00 AEDT" in page.content.decode()


def test_the_latest_workshop_stands_first(chapter, organiser):
    past = WorkshopFactory(chapter=chapter, past=True)
    coming = WorkshopFactory(chapter=chapter)

    assert workshops_found(organiser, "Brighton") == [coming, past]


def test_foreign_workshops_are_not_found_and_those_one_helps_with_are(organiser):
    WorkshopFactory(chapter__name="Oxford")
    helped = WorkshopFactory(chapter__name="Oxford West")
    helped.organisers.add(organiser)

    assert workshops_found(organiser, "Oxford") == [helped]


def test_what_was_typed_is_read_as_a_date_and_words():
    assert searches.read("Brighton, 9 Dec 2026") == searches.Remembered(
        date={"day": 9, "month": 12, "year": 2026}, words=["Brighton"]
    )


# ---- The page ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type what you look for."),
        ("a", "Type at least two letters."),
        ("x" * 101, "100 characters fit."),
        ("a\x00b", "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_searched_comes_back_with_a_sentence(organiser, typed, sentence):
    response = search(organiser, typed)

    assert response.status_code == 400
    assert sentence in response.content.decode()


def test_the_page_opens_with_an_empty_field(organiser):
    response = signed_in(organiser).get(reverse("search"))

    assert response.status_code == 200
    assert "Search" in response.content.decode()
    assert 'role="alert"' not in response.content.decode()


def test_when_nothing_is_found_the_page_says_so_and_keeps_what_was_typed(organiser):
    text = search(organiser, "<Nobody>").content.decode()

    assert "No member of your chapters is called “&lt;Nobody&gt;”." in text
    assert "No workshop fits “&lt;Nobody&gt;”." in text
    assert 'value="&lt;Nobody&gt;"' in text


def test_a_plain_member_has_no_search_and_a_visitor_signs_in():
    assert signed_in(MemberFactory()).get(reverse("search")).status_code == 404
    assert Client().get(reverse("search"))["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow_with_what_is_found(
    rows, chapter, organiser, django_assert_num_queries
):
    for _ in range(rows):
        in_chapter(chapter, name="Brighton Ada")
        WorkshopFactory(chapter=chapter)
    client = signed_in(organiser)

    with django_assert_num_queries(6):
        client.get(reverse("search"), {"q": "Brighton"})


def test_organisers_find_the_search_on_every_page_and_plain_members_do_not(organiser):
    address = f'action="{reverse("search")}"'

    assert address in signed_in(organiser).get(reverse("portal")).content.decode()
    assert address not in signed_in(MemberFactory()).get(reverse("portal")).content.decode()
