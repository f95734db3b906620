"""A member's invitation in a real browser, with everything that can stand on it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from tests.browser import test_pages
from tests.browser.test_pages import LONG_NAME, Visit
from tests.factories import InvitationFactory, SponsorFactory, WorkshopFactory, subscribe
from tests.support.places import full_workshop, waiting

ENDLESS = "https://people.example/" + "why" * 25
TALKATIVE = {
    "tutorial": ENDLESS,
    "note": ENDLESS,
    **{f"member__{part}": name for part, name in LONG_NAME.items()},
}


def visit(invitation: Invitation) -> Visit:
    subscribe(invitation.member, invitation.workshop.chapter, *Role)
    invitation.refresh_from_db()
    return invitation.get_absolute_url(), None


def invited_where_one_role_is_full() -> Visit:
    workshop, _ = full_workshop()
    return visit(InvitationFactory(workshop=workshop, role=Role.COACH, **TALKATIVE))


def in_line() -> Visit:
    workshop, _ = full_workshop()
    return visit(waiting(workshop, minutes_ago=5, **TALKATIVE))


def coming_to_a_venue_with_much_to_say() -> Visit:
    host = SponsorFactory(name=ENDLESS, directions=ENDLESS, accessibility_info=ENDLESS)
    workshop = WorkshopFactory(host=host)
    return visit(InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, **TALKATIVE))


def places_not_given_yet() -> Visit:
    opens_at = timezone.now() + timedelta(days=1)
    workshop = WorkshopFactory(rsvp_opens_at=opens_at)
    return visit(InvitationFactory(workshop=workshop, **TALKATIVE))


PAGES = [
    invited_where_one_role_is_full,
    in_line,
    coming_to_a_venue_with_much_to_say,
    places_not_given_yet,
]


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_suits_everybody(build, open_page):
    test_pages.test_a_page_suits_everybody(build, open_page)


def test_one_filled_button_says_what_the_chosen_role_gets_without_javascript(open_page):
    path, _ = invited_where_one_role_is_full()
    page = open_page(path, java_script_enabled=False)
    yes = page.get_by_role("button", name="be there")
    wait = page.get_by_role("button", name="Join the waiting list")
    work = page.get_by_label("What would you like to work on?")
    assert (yes.is_visible(), wait.is_visible(), work.is_visible()) == (True, False, False)

    page.get_by_role("radio", name="Student").check()

    assert (yes.is_visible(), wait.is_visible(), work.is_visible()) == (False, True, True)
    page.get_by_label("Anything we should know?").fill("I come late")
    work.fill("Python")
    wait.click()
    page.get_by_role("heading", name="You are 1st of 1 in line").wait_for()
    invitation = Invitation.objects.get(answer=Answer.WAITING)
    assert (invitation.role, invitation.note, invitation.tutorial) == (
        Role.STUDENT,
        "I come late",
        "Python",
    )


def test_a_place_is_taken_and_given_back_by_keyboard(open_page):
    path, _ = visit(InvitationFactory(role=Role.COACH))
    page = open_page(path)

    page.get_by_role("button", name="be there").press("Enter")
    page.get_by_text("You have a place as a coach.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Add it to your calendar").press("Enter")
    assert download.value.suggested_filename.endswith(".ics")
    page.get_by_role("button", name="come any more").press("Enter")

    page.get_by_role("heading", name="you are not coming").wait_for()
    assert Invitation.objects.get().has_declined
