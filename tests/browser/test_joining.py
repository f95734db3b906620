"""A newcomer in a real browser: from an address, or an account elsewhere, to the chapters."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from django.shortcuts import resolve_url
from django.urls import reverse
from playwright.sync_api import Page

from members.models import Member
from tests.browser.test_pages import assert_suits_everybody, violations_of_the_policy
from tests.factories import MemberFactory
from tests.support.identity_provider import IdentityProvider, lead_buttons_to
from tests.support.smtp_sink import SmtpSink

CHAPTERS = resolve_url(django_settings.AFTER_DETAILS_URL)


@pytest.fixture(autouse=True)
def mail_server(sink: SmtpSink, settings) -> SmtpSink:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    return sink


@pytest.fixture
def provider(settings, monkeypatch) -> Iterator[IdentityProvider]:
    person = {
        "sub": "grace-there",
        "id": 4711,
        "name": "Grace Okafor",
        "email": f"grace-{uuid.uuid4().hex}@people.example",
        "email_verified": True,
    }
    emails = [{"email": person["email"], "primary": True, "verified": True}]
    provider = IdentityProvider(person=person, emails=emails).start()
    lead_buttons_to(provider, settings, monkeypatch)
    yield provider
    provider.stop()


def wait_for(page: Page, heading: str) -> None:
    page.get_by_role("heading", level=1, name=heading).wait_for()


def accept_and_tell(page: Page) -> None:
    wait_for(page, "Before you begin")
    page.get_by_label("I have read this").check()
    page.get_by_role("button", name="Accept and go on").click()
    wait_for(page, "Almost there: who are you?")
    if not page.get_by_label("First name").input_value():
        page.get_by_label("First name").fill("Grace")
        page.get_by_label("Surname").fill("Okafor")
    page.get_by_label("About you").fill("I want to build a site for my choir.")
    page.get_by_label("From a friend").check()
    page.get_by_role("button", name="Save and choose chapters").click()
    page.wait_for_url(f"**{CHAPTERS}")


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_from_an_address_to_the_chapters(open_page, mail_server, java_script_enabled):
    email = f"grace-{uuid.uuid4().hex}@people.example"
    page = open_page(reverse("account_signup"), java_script_enabled=java_script_enabled)

    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    wait_for(page, "Look into your letters")
    (letter,) = mail_server.letters
    code = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", str(letter.message.get_content()))[0]
    page.get_by_role("textbox", name="Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    accept_and_tell(page)

    assert Member.objects.get(email=email).full_name == "Grace Okafor"
    assert violations_of_the_policy(page) == []


@pytest.mark.parametrize("button", ["Continue with GitHub", "Continue with our accounts"])
def test_from_an_account_elsewhere_to_the_chapters(open_page, provider, button):
    """The policy lets the form lead to the provider, and back."""
    page = open_page(reverse("account_login"))

    page.get_by_role("button", name=button).click()
    accept_and_tell(page)

    assert Member.objects.get(email=provider.person["email"]).full_name == "Grace Okafor"
    assert violations_of_the_policy(page) == []


def test_the_line_for_somewhere_else_comes_when_it_is_chosen(open_page):
    page = open_page(reverse("details"), member=MemberFactory(name="", surname=""))
    where = page.get_by_label("Where?")
    assert not where.is_visible()

    page.get_by_label("Somewhere else").check()
    assert where.is_visible()
    where.fill("the radio")
    page.get_by_label("From a friend").check()

    assert where.is_visible()


def sign_up() -> tuple[str, Member | None]:
    return reverse("account_signup"), None


def terms() -> tuple[str, Member]:
    return reverse("terms"), MemberFactory(without_terms=True, name="", surname="")


def details() -> tuple[str, Member]:
    return reverse("details"), MemberFactory(name="", surname="")


def profile() -> tuple[str, Member]:
    long = {"name": "Wolfeschlegelsteinhausen", "surname": "Bergerdorff-Featherstonehaugh"}
    needs = {"dietary_needs": ["vegan", "other"], "other_dietary_needs": "x" * 200}
    return reverse("profile"), MemberFactory(**long, **needs, about="y" * 255, skills="z" * 255)


def profile_edit() -> tuple[str, Member]:
    return reverse("profile_edit"), MemberFactory(dietary_needs=["other"])


def address_change() -> tuple[str, Member]:
    return reverse("address_change"), MemberFactory()


@pytest.mark.parametrize(
    "build",
    [sign_up, terms, details, profile, profile_edit, address_change],
    ids=lambda build: build.__name__,
)
def test_a_page_suits_everybody(
    build: Callable[[], tuple[str, Member | None]], open_page, provider
):
    path, member = build()
    page = open_page(path, member=member)

    assert_suits_everybody(page)
