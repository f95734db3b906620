"""
A new member on a phone, with real workers, a real mail server and a real browser: from joining to
the last letter, beside an organiser who invites and somebody who waits for the place.
"""

from __future__ import annotations

import re
import uuid

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from chapters.models import Chapter, Role, Workshop
from logs.models import InvitationLogEntry
from members.models import Member
from tests.browser.conftest import OpenPage
from tests.browser.test_pages import what_axe_says, widest
from tests.factories import (
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support import links
from tests.support.outsider import ask
from tests.support.processes import Station
from tests.support.smtp_sink import Caught
from tests.support.waiting import wait_until

PHONE = {"width": 360, "height": 740}
# No hurry: on a busy machine a sender that gives up too early would send a second copy.
UNHURRIED = {
    "EMAIL_TIMEOUT": "5",
    "LETTER_SECONDS": "8",
    "LEASE_SECONDS": "30",
    "TASK_SECONDS": "2",
}


@pytest.fixture
def post_office(station: Station, live_server: LiveServer, settings) -> Station:
    """Workers whose letters lead to the server of this test."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SITE_URL = live_server.url
    station.variables |= UNHURRIED | {"SITE_URL": live_server.url}
    station.start_worker()
    station.start_beat()
    return station


class Mailbox:
    """What one person finds in their mail."""

    def __init__(self, post_office: Station, email: str) -> None:
        self.post_office, self.email = post_office, email

    @property
    def letters(self) -> list[Caught]:
        return [
            each for each in list(self.post_office.sink.letters) if each.recipient == self.email
        ]

    @property
    def subjects(self) -> list[str]:
        return [str(letter.message["Subject"]) for letter in self.letters]

    def newest(self, subject: str) -> Caught:
        """The letter with this beginning of a subject, as soon as it is there."""
        wait_until(
            lambda: any(each.startswith(subject) for each in self.subjects),
            seconds=60,
            what=f"“{subject}…”",
        )
        found = [each for each in self.letters if str(each.message["Subject"]).startswith(subject)]
        return found[-1]


def link_in(letter: Caught, name: str) -> str:
    text = links.body(letter.message, "plain")
    return next(link for link in links.in_text(text) if f"/{name}/" in link)


def without_day(subject: str) -> str:
    return re.sub(r" (on|for) \w+ \d+ \w+$", "", subject)


def arrive(page: Page, heading: str) -> None:
    """This page is there, and suits a phone and everybody who reads it in another way."""
    page.get_by_role("heading", level=1, name=heading).wait_for()
    assert widest(page) <= PHONE["width"], heading
    assert what_axe_says(page) == "", heading
    assert page.complaints == [], heading


def press(page: Page, button: str) -> None:
    """The button with these words; an apostrophe may be a printer's."""
    words = re.compile(re.escape(button).replace("'", "."))
    page.get_by_role("button", name=words).click()


def sign_up(page: Page, mailbox: Mailbox) -> None:
    arrive(page, "Join codebar")
    page.get_by_label("E-mail address").fill(mailbox.email)
    press(page, "Send me a code")
    arrive(page, "Look into your letters")
    (letter,) = mailbox.letters
    code = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", str(letter.message.get_content()))
    assert code
    page.get_by_role("textbox", name="Code").fill(code[0])
    press(page, "Sign in")


def accept_the_terms_and_tell(page: Page) -> None:
    arrive(page, "Before you begin")
    page.get_by_label("I have read this").check()
    press(page, "Accept and go on")
    arrive(page, "Almost there: who are you?")
    page.get_by_label("First name").fill("Grace")
    page.get_by_label("Surname").fill("Okafor")
    page.get_by_label("About you").fill("I want to build a site for my choir.")
    page.get_by_label("From a friend").check()
    press(page, "Save and choose chapters")


def join_the_students_of(page: Page, *chapters: Chapter) -> None:
    arrive(page, "My groups")
    for chapter in chapters:
        press(page, f"Join Students, {chapter.name}")
        page.get_by_role("button", name=f"Leave Students, {chapter.name}").wait_for()
    arrive(page, "My groups")


def invite_everybody(page: Page, workshop: Workshop, *, count: int) -> None:
    page.goto(reverse("send_invites", args=[workshop.pk]))
    press(page, f"Invite all {count}")
    page.wait_for_url("**/invitation_logs/*")


def nobody_is_signed_in(page: Page) -> bool:
    names = {cookie["name"] for cookie in page.context.cookies()}
    return django_settings.SESSION_COOKIE_NAME not in names


def nothing_waits() -> bool:
    return not InvitationLogEntry.objects.filter(status__in=["pending", "sending"]).exists()


def test_a_new_member_from_joining_to_the_last_letter(open_page: OpenPage, post_office: Station):
    brighton, leeds = (chapter_with(coaches=1, name=name) for name in ("Brighton", "Leeds"))
    workshop = WorkshopFactory(chapter=brighton, student_spaces=1, starts_at=in_days(14))
    elsewhere = WorkshopFactory(chapter=leeds, starts_at=in_days(20))
    hana = MemberFactory(name="Hana", email=f"hana-{uuid.uuid4().hex}@people.example")
    for chapter in (brighton, leeds):
        subscribe(hana, chapter, Role.STUDENT)
    graces = Mailbox(post_office, f"grace-{uuid.uuid4().hex}@people.example")
    hanas = Mailbox(post_office, hana.email)

    # Grace joins, and wants the letters of two chapters.
    page = open_page(reverse("account_signup"), viewport=PHONE)
    sign_up(page, graces)
    accept_the_terms_and_tell(page)
    join_the_students_of(page, brighton, leeds)
    grace = Member.objects.get(email=graces.email)
    assert (grace.full_name, grace.subscriptions.count()) == ("Grace Okafor", 2)
    graces.newest("Welcome to codebar")

    # In another window an organiser invites everybody.
    office = open_page(reverse("portal"), member=organiser_of(brighton, leeds))
    invite_everybody(office, workshop, count=3)
    invitation = graces.newest("Come and code with us")

    # She says yes from the letter, not signed in, and has the only place.
    phone = open_page(link_in(invitation, "invitation"), viewport=PHONE)
    arrive(phone, "Grace, come and code with us")
    press(phone, "Yes, I'll be there")
    arrive(phone, "Grace, we look forward to you")
    graces.newest("See you on")

    # Hana finds it full, and joins the line.
    answer = link_in(hanas.newest("Come and code with us"), "invitation")
    other_phone = open_page(answer, viewport=PHONE)
    arrive(other_phone, "Hana, come and code with us")
    press(other_phone, "Join the waiting list")
    arrive(other_phone, "You are 1st of 1 in line")
    hanas.newest("You are on the waiting list")

    # Grace cannot come after all: the place is Hana's, who gets one letter.
    press(phone, "I can't come any more")
    arrive(phone, "Grace, you are not coming")
    hanas.newest("You have a place")
    graces.newest("You are not coming")
    other_phone.reload()
    arrive(other_phone, "Hana, we look forward to you")
    assert nobody_is_signed_in(phone)
    assert nobody_is_signed_in(other_phone)

    # The letters of one chapter she stops on the page, those of the other by her mail program.
    invite_everybody(office, elsewhere, count=3)
    wait_until(lambda: len(graces.letters) == 6, seconds=60, what="an invitation to Leeds")
    by_mail_program = graces.letters[-1].message["List-Unsubscribe"].strip("<>")
    phone.goto(link_in(invitation, "unsubscribe"))
    arrive(phone, "Stop these letters?")
    press(phone, "Stop inviting me to codebar Brighton as a student")
    arrive(phone, "These letters have stopped")
    assert phone.get_by_text("codebar Leeds: Students").is_visible()
    for _ in range(2):
        clicked = ask(by_mail_program, method="POST", form={"List-Unsubscribe": "One-Click"})
        assert (clicked.status, clicked.location, clicked.cookies) == (200, "", set())
    assert nobody_is_signed_in(phone)
    assert not grace.subscriptions.exists()

    # The next letters pass her by.
    for chapter in (brighton, leeds):
        next_one = WorkshopFactory(chapter=chapter, starts_at=in_days(40))
        invite_everybody(office, next_one, count=2)
    wait_until(lambda: len(hanas.letters) == 6, seconds=60, what="Hana's next invitations")
    wait_until(nothing_waits, seconds=60, what="everything to be sent")

    assert [without_day(subject) for subject in graces.subjects[1:]] == [
        "Welcome to codebar",
        "Come and code with us",
        "See you",
        "You are not coming",
        "Come and code with us",
    ]
    assert [without_day(subject) for subject in hanas.subjects] == [
        "Come and code with us",
        "You are on the waiting list",
        "You have a place",
        *["Come and code with us"] * 3,
    ]
    assert_nobody_is_named(post_office, grace, hana)


def assert_nobody_is_named(post_office: Station, *people: Member) -> None:
    """The workers' logs hold ids, not people, and no key to anybody's page."""
    said = "".join(process.output for process in post_office.processes)
    tokens = [each.token for person in people for each in person.invitations.all()]
    assert "ready." in said
    assert [key for key in (*tokens, "@people.example") if key in said] == []
