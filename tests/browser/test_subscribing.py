"""A member's own pages in a real browser, and one tap on a group."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from chapters.models import Group, Role
from invitations.models import Answer
from invitations.services import unsubscribing
from tests.browser import test_pages
from tests.browser.test_pages import LONG_NAME, Visit
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    subscribe,
)

ENDLESS = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"


def with_everything() -> Visit:
    """Long names, all answers, a past, and a chapter to hand over."""
    member = MemberFactory(**LONG_NAME)
    chapter = chapter_with(name=ENDLESS)
    subscribe(member, chapter, Role.STUDENT, Role.COACH)
    chapter.organisers.add(member)
    WorkshopFactory(chapter=chapter, host__name=ENDLESS)
    for answer in Answer:
        InvitationFactory(workshop__chapter=chapter, member=member, answer=answer)
    InvitationFactory(workshop__past=True, member=member, attended_at=in_days(-14))
    InvitationFactory(workshop__cancelled=True, member=member, answer=Answer.ATTENDING)
    return reverse("dashboard"), member


def with_nothing() -> Visit:
    return reverse("dashboard"), MemberFactory()


def my_invitations() -> Visit:
    return f"{reverse('my_invitations')}?show=all", with_everything()[1]


def no_invitations() -> Visit:
    return reverse("my_invitations"), MemberFactory()


def my_groups() -> Visit:
    for nr in range(9):
        Group.objects.filter(chapter=chapter_with(name=f"{ENDLESS} {nr}")).update(
            description=ENDLESS * 4
        )
    return reverse("subscriptions"), with_everything()[1]


def no_such_chapter() -> Visit:
    return f"{reverse('subscriptions')}?name={ENDLESS * 2}", MemberFactory()


def leave_all() -> Visit:
    return reverse("leave_all"), with_everything()[1]


def close() -> Visit:
    return reverse("account_close"), with_everything()[1]


def stop_more() -> Visit:
    """The letters of the link have stopped already, and others have not."""
    member = subscribe(MemberFactory(), ChapterFactory(name=ENDLESS), Role.STUDENT)
    elsewhere = ChapterFactory(name=f"{ENDLESS} 2")
    subscribe(member, elsewhere, Role.STUDENT)
    token = unsubscribing.token_for(member_id=member.pk, chapter_id=elsewhere.pk, role=Role.COACH)
    return reverse("unsubscribe", args=[token]), None


PAGES = [
    with_everything,
    with_nothing,
    my_invitations,
    no_invitations,
    my_groups,
    no_such_chapter,
    leave_all,
    close,
    stop_more,
]


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_of_members_suits_everybody(build, open_page):
    test_pages.test_a_page_suits_everybody(build, open_page)


# ---- One tap -------------------------------------------------------------------------------


@pytest.fixture
def amina():
    chapter_with(name="Brighton")
    return MemberFactory(name="Amina")


def groups_of(member) -> list[str]:
    return sorted(member.subscriptions.values_list("group__name", flat=True))


def button(page: Page, name: str):
    return page.get_by_role("button", name=f"{name} Students, Brighton")


def test_a_tap_changes_its_card_and_keeps_the_focus(open_page, amina):
    page = open_page(reverse("subscriptions"), member=amina)
    page.evaluate("window.isTheSamePage = true")

    button(page, "Join").click()

    button(page, "Leave").wait_for()
    assert page.get_by_text("We invite you to the workshops of 1 group.").is_visible()
    assert page.get_by_role("status").filter(has_text="You are in Students").count() == 1
    assert page.evaluate("document.activeElement.innerText").startswith("Leave")
    assert page.evaluate("window.isTheSamePage") is True
    assert groups_of(amina) == ["Students"]
    assert page.complaints == []


def test_the_second_half_of_a_double_tap_does_not_undo_the_first(open_page, amina):
    page = open_page(reverse("subscriptions"), member=amina)
    box = button(page, "Join").bounding_box()
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]

    # By the page's own clock, by which it swaps: on a busy machine ours may be late.
    page.evaluate(
        """middle => {
            const tap = () => document.elementFromPoint(...middle).click();
            tap();
            return new Promise((done) => setTimeout(() => done(tap()), 250));
        }""",
        middle,
    )

    button(page, "Leave").wait_for()
    page.wait_for_timeout(800)
    assert groups_of(amina) == ["Students"]


def test_a_tap_that_was_not_saved_says_so_until_one_is(open_page, amina):
    page = open_page(reverse("subscriptions"), member=amina)

    page.context.set_offline(True)
    button(page, "Join").click()
    page.get_by_text("Not saved. Tap again.").wait_for()
    assert groups_of(amina) == []

    page.context.set_offline(False)
    button(page, "Join").click()
    button(page, "Leave").wait_for()
    assert page.get_by_text("Not saved. Tap again.").count() == 0


def test_groups_are_joined_and_left_without_javascript(open_page, amina):
    page = open_page(reverse("subscriptions"), member=amina, java_script_enabled=False)

    button(page, "Join").click()
    page.get_by_text("You are in Students of codebar Brighton now.").wait_for()
    assert groups_of(amina) == ["Students"]

    button(page, "Leave").click()
    assert groups_of(amina) == []


def test_letters_are_stopped_from_the_page_of_their_link(open_page, amina):
    chapter = ChapterFactory(name="Leeds")
    subscribe(amina, chapter, Role.STUDENT, Role.COACH)
    token = unsubscribing.token_for(member_id=amina.pk, chapter_id=chapter.pk, role=Role.STUDENT)
    page = open_page(reverse("unsubscribe", args=[token]), java_script_enabled=False)

    page.get_by_role("button", name="Stop inviting me to codebar Leeds as a student").click()

    assert page.get_by_role("heading", level=1).inner_text() == "These letters have stopped"
    assert groups_of(amina) == ["Coaches"]


def test_an_account_is_closed_by_hand(open_page, amina):
    page = open_page(reverse("account_close"), member=amina)

    page.get_by_label("Yes, close my account.").check()
    page.get_by_role("button", name="Close my account").click()

    page.get_by_text("Your account is closed.").wait_for()
    amina.refresh_from_db()
    assert amina.closed_at is not None
    assert amina.closed_at <= timezone.now()
