"""
Every public page in a real browser, as a visitor and as a member.

A new page is one more line among PAGES: its name, and what stands behind its address.
"""

import pytest
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, WorkshopSponsor
from invitations.guides import GUIDES
from invitations.models import Answer, Invitation
from members.models import Member
from tests.browser import test_pages
from tests.browser.test_pages import DESK, LONG_NAME, PHONE, Visit, what_axe_says, widest
from tests.factories import (
    BanFactory,
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

ENDLESS = "Bergerdorff-Featherstonehaugh " * 6
GUIDES_BY_NAME = [guide.name for guide in GUIDES]


def a_busy_chapter() -> dict[str, object]:
    """What stands in addresses, by its name there."""
    chapter = chapter_with(name="Llanfairpwllgwyngyllgogerychwyrndrobwll", description=ENDLESS)
    chapter.organisers.add(MemberFactory(), MemberFactory(**LONG_NAME))
    host = SponsorFactory(name=ENDLESS, directions=ENDLESS, accessibility_info=ENDLESS)
    workshop = WorkshopFactory(
        chapter=chapter, host=host, description=ENDLESS, starts_at=in_days(9)
    )
    workshop.organisers.add(MemberFactory(**LONG_NAME))
    WorkshopSponsor.objects.create(workshop=workshop, sponsor=SponsorFactory(name=ENDLESS))
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.ATTENDING)
    WorkshopFactory(chapter=chapter, host=None, starts_at=in_days(20))
    WorkshopFactory(chapter=chapter, starts_at=timezone.now())
    full = WorkshopFactory(chapter=chapter, student_spaces=1, starts_at=in_days(12))
    InvitationFactory(workshop=full, answer=Answer.ATTENDING)
    for day in range(1, 24):
        WorkshopFactory(chapter=chapter, host=host, starts_at=in_days(-day))
    return {"chapter_page": [chapter.slug], "workshop": [workshop.pk], "workshop_": workshop}


PAGES = ["home", "upcoming", "past", "chapter_page", "workshop"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("is_member", [False, True], ids=["visitor", "member"])
def test_a_public_page_suits_everybody(name, is_member, open_page):
    def visit() -> Visit:
        there = a_busy_chapter()
        member = MemberFactory(**LONG_NAME) if is_member else None
        if member:
            subscribe(member, there["workshop_"].chapter, Role.STUDENT, Role.COACH)
        return reverse(name, args=there.get(name, [])), member

    test_pages.test_a_page_suits_everybody(visit, open_page)


@pytest.mark.parametrize("name", ["home", "upcoming", "past"])
def test_an_empty_page_suits_everybody(name, open_page):
    test_pages.test_a_page_suits_everybody(lambda: (reverse(name), None), open_page)


def test_a_chapter_that_begins_suits_everybody(open_page):
    def chapter() -> Visit:
        return reverse("chapter_page", args=[ChapterFactory().slug]), None

    test_pages.test_a_page_suits_everybody(chapter, open_page)


def test_home_of_an_organiser_suits_everybody(open_page):
    def home() -> Visit:
        organiser = organiser_of(ChapterFactory())
        Member.objects.filter(pk=organiser.pk).update(is_superuser=True, **LONG_NAME)
        return reverse("home"), organiser

    test_pages.test_a_page_suits_everybody(home, open_page)


@pytest.mark.parametrize("name", GUIDES_BY_NAME)
def test_a_guide_suits_everybody(name, open_page):
    test_pages.test_a_page_suits_everybody(lambda: (reverse(name), None), open_page)


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("name", ["home", "privacy_policy"])
def test_a_page_in_another_language_suits_everybody(name, language, open_page):
    WorkshopFactory()
    page = open_page(reverse(name), locale=language)

    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert widest(page) <= width
    assert what_axe_says(page) == ""
    assert page.locator("html").get_attribute("lang") == language


@pytest.mark.parametrize(
    "state", ["cancelled", "past", "closed", "invited", "suspended", "no group", "waiting"]
)
def test_a_workshop_in_every_state_suits_everybody(state, open_page):
    def workshop() -> Visit:
        fields = {
            "cancelled": {"cancelled": True},
            "past": {"past": True},
            "closed": {"rsvp_closes_at": in_days(-1)},
        }.get(state, {})
        found = WorkshopFactory(**fields)
        member = MemberFactory()
        if state != "no group":
            subscribe(member, found.chapter, Role.STUDENT)
        if state in ("invited", "waiting"):
            answer = Answer.WAITING if state == "waiting" else Answer.NONE
            InvitationFactory(workshop=found, member=member, answer=answer)
        if state == "suspended":
            BanFactory(member=member)
        return reverse("workshop", args=[found.pk]), member

    test_pages.test_a_page_suits_everybody(workshop, open_page)


# ---- A journey -------------------------------------------------------------------------------


def test_a_member_finds_a_workshop_and_comes_without_javascript(open_page):
    workshop = WorkshopFactory(chapter=chapter_with(name="Brighton"))
    member = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    page = open_page("/", member=member, java_script_enabled=False)

    page.locator(".day").get_by_role("link", name="Brighton").click()
    page.get_by_role("button", name="Come as a student").click()

    invitation = Invitation.objects.get()
    assert (invitation.member, invitation.answer) == (member, Answer.NONE)
    assert page.url.endswith(invitation.get_absolute_url())


def test_a_visitor_finds_a_workshop_and_is_asked_who_they_are(open_page):
    workshop = WorkshopFactory()
    page = open_page(reverse("workshop", args=[workshop.pk]))

    page.locator("main").get_by_role("link", name="Sign in").click()

    page.wait_for_url(f"**{reverse('account_login')}?next=/workshops/{workshop.pk}")


def test_the_way_around_is_there_by_keyboard(open_page):
    page = open_page("/")
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText").strip())

    assert seen[0] == "Skip to the content"
    assert [word for word in seen[1:] if word in ("Workshops", "Chapters", "Sign in", "Join")] == [
        *("Workshops", "Chapters", "Sign in", "Join")
    ]
