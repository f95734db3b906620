"""Inviting with a note, trying it first, and writing to people, in a real browser."""

import pytest
from django.urls import reverse

from chapters.models import Workshop
from invitations.models import Answer
from logs.models import Action, EntryStatus, InvitationLog, LogStatus
from members.models import Member
from tests.browser import test_pages
from tests.browser.test_pages import Visit
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
)


def with_guests() -> tuple[Workshop, Member]:
    """A workshop to which people come, wait and have not answered, some of them unreachable."""
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    log = InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED)
    for answer in (Answer.ATTENDING, Answer.WAITING, Answer.NONE):
        for unreachable in (True, False):
            invitation = InvitationFactory(
                workshop=workshop, answer=answer, member__unreachable=unreachable
            )
            InvitationLogEntryFactory(log=log, member=invitation.member, status=EntryStatus.SUCCESS)
    return workshop, organiser_of(workshop.chapter)


def visit(name: str, workshop: Workshop, organiser: Member, query: str = "") -> Visit:
    return reverse(name, args=[workshop.pk]) + query, organiser


def write() -> Visit:
    return visit("write", *with_guests(), "?to=waiting")


def write_to_nobody() -> Visit:
    workshop = WorkshopFactory()
    return visit("write", workshop, organiser_of(workshop.chapter))


def write_about_a_cancelled_workshop() -> Visit:
    workshop = WorkshopFactory(cancelled=True)
    return visit("write", workshop, organiser_of(workshop.chapter))


def who_gets_no_message() -> Visit:
    return visit("left_out", *with_guests(), "?for=attending")


def send_when_letters_are_planned() -> Visit:
    workshop = WorkshopFactory(chapter=chapter_with(students=2, coaches=1))
    InvitationLogFactory(workshop=workshop, status=LogStatus.SCHEDULED)
    return visit("send_invites", workshop, organiser_of(workshop.chapter))


PAGES = [
    write,
    write_to_nobody,
    write_about_a_cancelled_workshop,
    who_gets_no_message,
    send_when_letters_are_planned,
]


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_about_sending_suits_everybody(build, open_page):
    test_pages.test_a_page_suits_everybody(build, open_page)


@pytest.mark.parametrize("has_javascript", [True, False])
def test_the_note_goes_into_the_letter_the_test_and_the_invitations(open_page, has_javascript):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    path, organiser = visit("send_invites", workshop, organiser_of(workshop.chapter))
    page = open_page(path, member=organiser, java_script_enabled=has_javascript)

    page.get_by_text("Add a note, or send later").click()
    page.get_by_label("A note of your own").fill("Pizza at seven!")
    page.get_by_role("button", name="Show it with my note").click()
    page.frame_locator("iframe").get_by_text("Pizza at seven!").wait_for()
    page.get_by_role("button", name="Send me a test").click()
    page.get_by_text(f"A test letter is on its way to {organiser.email}.").wait_for()
    page.frame_locator("iframe").get_by_text("Pizza at seven!").wait_for()
    page.get_by_role("button", name="Invite 2 students").click()
    page.wait_for_url("**/invitation_logs/*")

    logs = InvitationLog.objects.order_by("pk").values_list("action", "note")
    assert list(logs) == [(Action.TEST, "Pizza at seven!"), (Action.INVITE, "Pizza at seven!")]


def test_enter_in_a_field_only_shows_the_letter(open_page):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    path, organiser = visit("send_invites", workshop, organiser_of(workshop.chapter))
    page = open_page(path, member=organiser)

    page.get_by_text("Add a note, or send later").click()
    page.get_by_label("A note of your own").fill("Cake!")
    page.get_by_label("Send at").press("Enter")

    page.frame_locator("iframe").get_by_text("Cake!").wait_for()
    assert page.url.endswith(path)
    assert not InvitationLog.objects.exists()


def test_a_message_is_looked_at_and_sent_without_javascript(open_page):
    path, organiser = visit("write", *with_guests())
    page = open_page(path, member=organiser, java_script_enabled=False)

    page.get_by_label("The waiting list (1)").check()
    page.get_by_label("Subject").fill("Bring a scarf")
    page.get_by_label("Message").fill("The heating is off.")
    page.get_by_role("button", name="Show what I wrote").click()
    page.frame_locator("iframe").get_by_text("The heating is off.").last.wait_for()
    page.get_by_role("button", name="Send the message").click()
    page.wait_for_url("**/invitation_logs/*")

    log = InvitationLog.objects.get(action=Action.MESSAGE)
    assert (log.audience, log.subject, log.note) == (
        "waiting",
        "Bring a scarf",
        "The heating is off.",
    )
