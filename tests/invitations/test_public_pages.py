"""What everybody may look at: home, workshops, chapters, and what there is to read."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.guides import GUIDES
from invitations.models import Answer
from invitations.queries import public
from invitations.services import asking, rules
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support.names import case

pytestmark = pytest.mark.django_db

HOME = 4
LIST = 4
CHAPTER = 8
SITEMAP = 4
GUIDES_BY_NAME = [guide.name for guide in GUIDES]


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def show(name: str, *args: object, member: Member | None = None, **query: object):
    client = signed_in(member) if member else Client()
    return client.get(reverse(name, args=args), query)


def shown(response) -> list[object]:
    return [listing.workshop for day in response.context["days"] for listing in day.workshops]


# ---- Home ------------------------------------------------------------------------------------


def test_home_tells_a_stranger_what_is_on_and_how_to_join():
    workshop = WorkshopFactory(chapter__name="Brighton", chapter__slug="brighton")

    response = show("home")

    text = words(response)
    assert reverse("account_signup") in text
    assert shown(response) == [workshop]
    assert f'href="{reverse("workshop", args=[workshop.pk])}">Brighton</a>' in text
    assert 'href="/brighton">Brighton</a>' in text


def test_home_without_anything_still_welcomes():
    text = words(show("home"))

    assert "Nothing is planned right now" in text
    assert "The first one is about to begin." in text


def test_home_shows_only_what_one_can_come_to():
    open_one = WorkshopFactory()
    WorkshopFactory(cancelled=True)
    WorkshopFactory(past=True)
    WorkshopFactory(chapter__is_active=False, chapter__name="Asleep")

    response = show("home")

    assert shown(response) == [open_one]
    assert "Asleep" not in words(response)


def test_home_shows_whole_days_only():
    chapter = ChapterFactory()
    first = [WorkshopFactory(starts_at=in_days(1), chapter=chapter) for _ in range(6)]
    [WorkshopFactory(starts_at=in_days(3), chapter=chapter) for _ in range(5)]

    response = show("home")

    assert shown(response) == first
    assert "All workshops to come" in words(response)


def test_a_day_with_more_than_fit_is_shown_as_it_is():
    chapter = ChapterFactory()
    for _ in range(12):
        WorkshopFactory(starts_at=in_days(1), chapter=chapter)

    assert len(shown(show("home"))) == 9


def test_days_are_those_of_the_chapters_own_calendar():
    midnight_in_london = datetime(2030, 1, 10, 0, 30, tzinfo=UTC)
    auckland = WorkshopFactory(
        chapter__time_zone="Pacific/Auckland", starts_at=midnight_in_london - timedelta(hours=14)
    )
    boston = WorkshopFactory(chapter__time_zone="America/New_York", starts_at=midnight_in_london)

    days = public.by_day(public.listed([auckland, boston], at=timezone.now()))

    assert [(str(day.date), [each.workshop for each in day.workshops]) for day in days] == [
        ("2030-01-09", [auckland, boston])
    ]


def test_members_see_home_with_their_own_way_around():
    member = MemberFactory(name="Amina")

    text = words(show("home", member=member))

    assert "Sign out" in text
    assert "Join codebar" not in text
    assert ">Organise<" not in text
    assert ">Organise<" in words(show("home", member=organiser_of(ChapterFactory())))


@pytest.mark.parametrize("count", [1, 3])
def test_home_asks_the_same_for_one_and_for_many(count, django_assert_num_queries):
    for _ in range(count):
        WorkshopFactory(chapter=chapter_with(students=2))

    with django_assert_num_queries(HOME):
        show("home")


# ---- Lists -----------------------------------------------------------------------------------


def test_events_lead_to_those_to_come():
    assert Client().get("/events").headers["Location"] == "/events/upcoming"
    assert reverse("past") == "/events/past"


def test_the_next_comes_first_and_the_last_comes_first_among_the_past():
    chapter = ChapterFactory()
    later, sooner = (WorkshopFactory(chapter=chapter, starts_at=in_days(n)) for n in (9, 2))
    older, newer = (WorkshopFactory(chapter=chapter, starts_at=in_days(-n)) for n in (9, 2))
    WorkshopFactory(chapter=chapter, starts_at=in_days(-3), cancelled=True)

    assert shown(show("upcoming")) == [sooner, later]
    assert shown(show("past")) == [newer, older]


def test_a_workshop_that_is_on_is_neither_past_nor_open():
    WorkshopFactory(starts_at=timezone.now() - timedelta(minutes=5))

    assert len(shown(show("upcoming"))) == 1
    assert "on now" in words(show("upcoming"))
    assert shown(show("past")) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "places free"),
        ({"student_spaces": 1, "rsvp_opens_at": in_days(-1)}, "places free"),
        ({"is_invitable": False, "rsvp_opens_at": in_days(-1)}, "places free"),
        ({"is_invitable": False}, "places later"),
        ({"rsvp_opens_at": in_days(1)}, "places later"),
        ({"host": None}, "places later"),
        ({"rsvp_closes_at": in_days(-1)}, ""),
        ({"is_virtual": True, "student_spaces": 1, "coach_spaces": 1}, "places free"),
    ],
    ids=case,
)
def test_a_list_says_what_the_page_of_the_workshop_says(fields, said):
    workshop = WorkshopFactory(**fields)

    (listing,) = public.listed([workshop], at=timezone.now())

    statuses = re.findall(r'class="status [^"]*">([^<]*)<', show("upcoming").content.decode())
    assert statuses == [said] * bool(said)
    assert listing.is_open == is_open(workshop)


def is_open(workshop) -> bool:
    try:
        asking.check_open(workshop, at=timezone.now())
    except rules.Refused:
        return False
    return True


def test_a_full_workshop_in_a_list_has_a_waiting_list():
    workshop = WorkshopFactory(virtual=True, student_spaces=1, coach_spaces=1)
    for role in Role:
        InvitationFactory(workshop=workshop, role=role, answer=Answer.ATTENDING)

    text = words(show("upcoming"))

    assert "waiting list" in text
    assert "Full; you can wait for a place" in text


def test_empty_lists_say_what_will_be_here():
    assert "Nothing is planned right now" in words(show("upcoming"))
    assert "Nothing was held yet" in words(show("past"))


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "1 OR 1=1", "1.5", "\x00", "9" * 400])
@pytest.mark.parametrize("name", ["upcoming", "past"])
def test_a_page_that_is_none_is_the_first_or_the_last(name, page):
    WorkshopFactory(past=name == "past")

    response = show(name, page=page)

    assert response.status_code == 200
    assert response.context["page"].number == 1


def test_a_page_is_a_list_too():
    assert Client().get("/events/past?page[]=2&page=").status_code == 200


def test_long_lists_have_pages_with_an_address_each():
    chapter = ChapterFactory()
    for day in range(25):
        WorkshopFactory(chapter=chapter, starts_at=in_days(day + 1))

    second = show("upcoming", page=2)

    assert len(shown(second)) == 5
    assert f'rel="canonical" href="{settings.SITE_URL}/events/upcoming?page=2"' in words(second)
    assert "21 to 25 of 25" in words(second)


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_asks_the_same_for_one_and_for_many(count, django_assert_num_queries):
    for _ in range(count):
        WorkshopFactory()

    with django_assert_num_queries(LIST):
        show("upcoming")


# ---- A chapter -------------------------------------------------------------------------------


def test_a_chapter_says_what_it_does_and_who_makes_it_happen():
    brighton = chapter_with(name="Brighton", slug="brighton", description="We meet by the sea.")
    asha = MemberFactory(name="Asha", surname="Verma")
    brighton.organisers.add(asha)
    coming = WorkshopFactory(chapter=brighton)
    held = WorkshopFactory(chapter=brighton, past=True)
    held.workshop_sponsors.update(sponsor=SponsorFactory(name="Silicon Beach Studio"))
    WorkshopFactory()

    response = show("chapter_page", "brighton")

    text = words(response)
    assert "We meet by the sea." in text
    assert asha.name in text
    assert asha.surname not in text
    assert asha.email not in text
    assert "Silicon Beach Studio" in text
    assert "Students" in text
    assert [listing.workshop for listing in response.context["coming"]] == [coming]
    assert [listing.workshop for listing in response.context["held"]] == [held]


def test_a_member_sees_which_groups_they_are_in():
    chapter = chapter_with()
    member = subscribe(MemberFactory(), chapter, Role.STUDENT)

    assert "you are in it" in words(show("chapter_page", chapter.slug, member=member))
    assert "you are in it" not in words(show("chapter_page", chapter.slug, member=MemberFactory()))


def test_a_new_chapter_has_a_page_that_says_so():
    chapter = ChapterFactory()

    text = words(show("chapter_page", chapter.slug))

    assert "Nothing is planned right now" in text
    assert "This chapter has no group yet." in text


@pytest.mark.parametrize("name", ["chapter_page", "chapter_feed"])
def test_chapters_that_sleep_or_never_were_have_no_page(name):
    asleep = ChapterFactory(is_active=False)

    for slug in (asleep.slug, "nowhere", "x" * 300):
        assert show(name, slug).status_code == 404
    assert Client().get("/a%00b").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_a_chapter_asks_the_same_for_one_and_for_many(count, django_assert_num_queries):
    chapter = chapter_with()
    for _ in range(count):
        WorkshopFactory(chapter=chapter)
        WorkshopFactory(chapter=chapter, past=True)
        chapter.organisers.add(MemberFactory())

    with django_assert_num_queries(CHAPTER):
        show("chapter_page", chapter.slug)


# ---- What there is to read, and what machines read ---------------------------------------------


@pytest.mark.parametrize("name", GUIDES_BY_NAME)
def test_a_guide_says_what_it_is_called_and_asks_nothing(name, django_assert_num_queries):
    (guide,) = (guide for guide in GUIDES if guide.name == name)

    with django_assert_num_queries(0):
        response = show(name)

    assert f"<h1>{guide.title}</h1>" in words(response)
    assert f'name="description" content="{guide.description}"' in words(response)


def test_the_guides_are_where_planner_had_them():
    assert {guide.address for guide in GUIDES} == {
        *("code-of-conduct", "breach-code-of-conduct", "attendance-policy", "student-guide"),
        *("effective-teacher-guide", "faq", "volunteer", "privacy-policy", "cookie-policy"),
        "codebar-stories-podcast",
    }
    assert Client().get("/how-to-support-us").headers["Location"] == "/volunteer"


@pytest.mark.parametrize("address", ["/donate", "/donations/new", "/fundraise"])
def test_planners_pages_about_money_lead_to_what_we_say_of_it(address):
    response = Client().get(address)

    assert response.headers["Location"] == "/volunteer#donate"
    assert '<h2 id="donate">Give money</h2>' in words(show("volunteer"))


def test_the_cookies_that_are_told_of_are_those_there_are():
    text = words(show("cookie_policy"))

    for name in (
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
    ):
        assert f"<code>{name}</code>" in text


def test_every_public_page_can_be_found_and_shared():
    workshop = WorkshopFactory()
    pages = [
        *("/", "/events/upcoming", "/events/past", "/faq"),
        f"/{workshop.chapter.slug}",
        f"/workshops/{workshop.pk}",
    ]
    for path in pages:
        text = words(Client().get(path))
        assert f'<link rel="canonical" href="{settings.SITE_URL}{path}">' in text
        for name in ("og:title", "og:description", "og:url", "og:image"):
            assert text.count(f'property="{name}"') == 1, path


def test_pages_of_one_person_are_not_shared():
    invitation = InvitationFactory()

    response = Client().get(invitation.get_absolute_url())

    assert "og:" not in words(response)
    assert 'rel="canonical"' not in words(response)
    assert response.headers["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("path", ["/", "/events/upcoming", "/faq"])
def test_no_cache_keeps_who_is_signed_in(path):
    response = Client().get(path)

    kept = {part.strip() for part in response.headers["Cache-Control"].split(",")}
    assert kept == {"private", "no-cache"}


def test_the_sitemap_names_what_is_the_same_for_everybody():
    workshop = WorkshopFactory()
    over = WorkshopFactory(past=True, chapter=workshop.chapter)
    asleep = ChapterFactory(is_active=False)
    invitation = InvitationFactory(workshop=workshop)

    text = Client().get("/sitemap.xml").content.decode()

    for path in ("/", "/events/upcoming", "/code-of-conduct", f"/{workshop.chapter.slug}"):
        assert f"<loc>{settings.SITE_URL}{path}</loc>" in text
    assert f"<loc>{settings.SITE_URL}/workshops/{workshop.pk}</loc>" in text
    assert f"/workshops/{over.pk}<" not in text
    assert asleep.slug not in text
    assert invitation.token not in text


@pytest.mark.parametrize("count", [1, 3])
def test_the_sitemap_asks_the_same_for_one_and_for_many(count, django_assert_num_queries):
    for _ in range(count):
        WorkshopFactory()

    with django_assert_num_queries(SITEMAP):
        Client().get("/sitemap.xml")


def test_robots_are_told_where_the_sitemap_is_and_what_to_leave():
    response = Client().get("/robots.txt")

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().splitlines() == [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /staff/",
        "Disallow: /accounts/login/",
        "",
        f"Sitemap: {settings.SITE_URL}/sitemap.xml",
    ]


def test_looking_around_starts_no_session():
    workshop = WorkshopFactory()
    client = Client()

    for path in ("/", "/events/past", f"/{workshop.chapter.slug}", f"/workshops/{workshop.pk}"):
        client.get(path)

    assert settings.SESSION_COOKIE_NAME not in client.cookies


def test_every_link_of_every_public_page_leads_somewhere():
    workshop = WorkshopFactory(chapter=chapter_with(), description="See /nowhere")
    WorkshopFactory(chapter=workshop.chapter, past=True)
    client, seen, to_see = Client(), {}, {"/"}
    while to_see:
        path = to_see.pop()
        response = client.get(path)
        seen[path] = response.status_code
        if response.status_code == 200 and "html" in response.headers["Content-Type"]:
            found = re.findall(r'href="(/[^"#]*)', response.content.decode())
            to_see |= {link for link in found if not link.startswith("/static/")} - seen.keys()

    assert {path for path, status in seen.items() if status >= 400} == set()
    assert {f"/workshops/{workshop.pk}", f"/{workshop.chapter.slug}/calendar.ics"} <= seen.keys()
    assert {f"/{guide.address}" for guide in GUIDES} <= seen.keys()


def test_the_page_of_a_mishap_needs_neither_database_nor_request(django_assert_num_queries):
    with django_assert_num_queries(0):
        text = render_to_string("500.html")

    assert "Sign in" not in text
    assert 'href="/"' in text
