"""Becoming a member: code, terms, details, chapters."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import Language, Member
from members.services import joining
from tests.access.test_who_may import addresses
from tests.factories import MemberFactory
from tests.support.smtp_sink import SmtpSink
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

JOIN, CONFIRM = "/accounts/signup/", "/accounts/login/code/confirm/"
TERMS, DETAILS, AFTER_DETAILS = "/terms_and_conditions", "/member/details/edit", "/subscriptions"
HOME = resolve_url(settings.LOGIN_REDIRECT_URL)
NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)

ABOUT_GRACE = {
    "name": "Grace",
    "surname": "Okafor",
    "pronouns": "she/her",
    "about": "I want to build a site for my choir.",
    "dietary_needs": ["vegan", "other"],
    "other_dietary_needs": "no nuts",
    "heard_from": "friend",
    "heard_from_other": "",
    "language": "en",
}


@pytest.fixture(autouse=True)
def mail_server(sink: SmtpSink, settings) -> SmtpSink:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    return sink


@pytest.fixture
def browser() -> Client:
    """From an address of its own: codes are limited per address, over the runs of the tests."""
    return Client(REMOTE_ADDR=f"10.{'.'.join(str(n) for n in uuid.uuid4().bytes[:3])}")


@pytest.fixture
def email() -> str:
    return f"grace-{uuid.uuid4().hex}@people.example"


@pytest.fixture
def newcomer(browser) -> Member:
    """Somebody whose code was right, and who has done nothing since."""
    member = MemberFactory(without_terms=True, name="", surname="")
    browser.force_login(member)
    return member


def words(response) -> str:
    return " ".join(response.content.decode().split())


def code_in(mail_server) -> str:
    text = str(mail_server.letters[-1].message.get_content())
    return re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", text)[0]


def come_in(browser, mail_server, email, **more):
    """Ask for a code on the page for newcomers, and type it."""
    browser.post(JOIN, {"email": email} | more, follow=True)
    return browser.post(CONFIRM, {"code": code_in(mail_server)} | more)


def leads_to(response) -> str:
    assert response.status_code == 302, words(response)
    return response.url


def test_from_an_address_to_the_chapters(browser, mail_server, email):
    assert leads_to(come_in(browser, mail_server, email)) == HOME
    assert leads_to(browser.get(HOME)) == TERMS
    assert leads_to(browser.post(TERMS, {"accepted": "on"})) == DETAILS
    assert leads_to(browser.post(DETAILS, ABOUT_GRACE)) == AFTER_DETAILS

    grace = Member.objects.get(email=email)
    assert {field: getattr(grace, field) for field in ABOUT_GRACE} == ABOUT_GRACE
    assert grace.accepted_terms_at is not None
    assert not grace.has_usable_password()
    assert browser.get(HOME).status_code == 200


def test_the_way_back_is_kept_through_every_step(browser, mail_server, email):
    wanted = "/admin/search?q=python"

    assert leads_to(come_in(browser, mail_server, email, next=wanted)) == wanted
    to_terms = leads_to(browser.get(wanted))
    assert to_terms == f"{TERMS}?next=%2Fadmin%2Fsearch%3Fq%3Dpython"
    assert 'name="next" value="/admin/search?q=python"' in words(browser.get(to_terms))
    to_details = leads_to(browser.post(TERMS, {"accepted": "on", "next": wanted}))
    assert to_details == f"{DETAILS}?next=%2Fadmin%2Fsearch%3Fq%3Dpython"
    assert 'name="next" value="/admin/search?q=python"' in words(browser.get(to_details))
    to_chapters = leads_to(browser.post(DETAILS, ABOUT_GRACE | {"next": wanted}))
    assert to_chapters == f"{AFTER_DETAILS}?next=%2Fadmin%2Fsearch%3Fq%3Dpython"
    assert '<a class="btn btn-quiet" href="/admin/search?q=python">' in words(
        browser.get(to_chapters)
    )


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("https://evil.example", "//evil.example", "https:evil.example", "/\\evil.example"),
        *("\\\\evil.example", "javascript:alert(1)", "evil.example", "/%09/evil.example/\x00"),
    ],
)
def test_no_step_leads_to_another_site(browser, newcomer, elsewhere):
    to_details = leads_to(browser.post(TERMS, {"accepted": "on", "next": elsewhere}))
    to_chapters = leads_to(browser.post(DETAILS, ABOUT_GRACE | {"next": elsewhere}))

    assert to_details.partition("?")[0] == DETAILS
    assert to_chapters.partition("?")[0] == AFTER_DETAILS
    assert "evil" not in to_details.replace("%2F%2509%2Fevil", "")


def test_the_page_for_newcomers_answers_like_the_one_for_members(browser, email):
    known = MemberFactory(email=f"known-{uuid.uuid4().hex}@people.example").email
    other_browser = Client(REMOTE_ADDR=browser.defaults["REMOTE_ADDR"])

    to_newcomer = browser.post(JOIN, {"email": email}, follow=True)
    to_member = other_browser.post(JOIN, {"email": known}, follow=True)

    def alike(page, address) -> str:
        text = words(page).replace(address, "ADDRESS")
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)

    assert alike(to_newcomer, email) == alike(to_member, known)


@pytest.mark.django_db(transaction=True)
def test_the_same_code_typed_in_two_windows_makes_one_member(mail_server, email):
    browsers = [Client(REMOTE_ADDR=f"10.9.9.{n}") for n in range(3)]
    codes = []
    for window in browsers:
        window.post(JOIN, {"email": email})
        codes.append(code_in(mail_server))

    answers = at_once(
        *(
            lambda w=window, code=code: w.post(CONFIRM, {"code": code})
            for window, code in zip(browsers, codes, strict=True)
        )
    )

    assert [leads_to(answer) for answer in answers] == [HOME] * 3
    assert Member.objects.filter(email=email).count() == 1


@pytest.mark.parametrize(
    ("browsers", "letters"), [("de-AT,de", "de"), ("fr", "fr"), ("pl", "en"), ("", "en")]
)
def test_letters_come_in_the_language_of_the_page(browser, mail_server, email, browsers, letters):
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = browsers
    come_in(browser, mail_server, email)

    assert Member.objects.get(email=email).language == letters


def test_planners_addresses_lead_here(browser):
    assert leads_to(browser.get("/login?next=/admin/")) == "/accounts/login/?next=/admin/"
    assert leads_to(browser.get("/member/new")) == JOIN


# ---- The terms come first -------------------------------------------------------------------


def in_address(converters: set[str]) -> dict[str, object]:
    return {
        name: 1 if name.endswith("_id") and name != "provider_id" else "x" for name in converters
    }


GATED = sorted(
    name
    for name, converters in addresses().items()
    if name not in settings.OPEN_BEFORE_TERMS and "token" not in converters
)


@pytest.mark.parametrize("name", GATED)
def test_nothing_else_opens_before_the_terms(browser, newcomer, name):
    values = in_address(addresses()[name]) | (
        {"role": "student"} if "role" in addresses()[name] else {}
    )
    address = reverse(name, kwargs=values)

    assert leads_to(browser.get(address)).partition("?")[0] == TERMS
    assert leads_to(browser.post(address)) == TERMS


@pytest.mark.parametrize("name", sorted(settings.OPEN_BEFORE_TERMS - {"chapter_feed"}))
def test_some_pages_open_before_the_terms(browser, newcomer, name):
    response = browser.get(reverse(name))

    assert response.status_code in (200, 302, 403, 404, 405, 410, 503)
    assert TERMS not in response.headers.get("Location", "")


def test_a_letters_page_opens_before_the_terms(browser, newcomer):
    assert browser.get("/invitation/wrong").status_code == 404
    assert browser.get("/unsubscribe/wrong").status_code == 404


def test_one_can_leave_before_the_terms(browser, newcomer):
    browser.post(reverse("account_logout"))

    assert "_auth_user_id" not in browser.session


def test_terms_are_accepted_by_a_tick(browser, newcomer):
    page = browser.post(TERMS, {"next": "/admin/search"})

    newcomer.refresh_from_db()
    assert (page.status_code, newcomer.accepted_terms_at) == (400, None)
    assert "Tick the box to accept." in words(page)
    assert 'name="next" value="/admin/search"' in words(page)


def test_accepting_twice_keeps_the_first_time():
    member = MemberFactory(accepted_terms_at=NOON)

    joining.accept_terms(member, at=timezone.now())

    member.refresh_from_db()
    assert member.accepted_terms_at == NOON


def test_a_double_tap_on_accept_is_harmless(browser, newcomer):
    first = browser.post(TERMS, {"accepted": "on"})
    second = browser.post(TERMS, {"accepted": "on"})

    assert leads_to(first) == leads_to(second) == DETAILS


def test_visitors_read_the_terms_and_cannot_accept_them(browser):
    page = browser.get(TERMS)

    assert "What you can rely on" in words(page)
    assert 'name="accepted"' not in words(page)
    assert leads_to(browser.post(TERMS, {"accepted": "on"})).startswith("/accounts/login/")


def test_whoever_accepted_them_sees_when(browser):
    browser.force_login(MemberFactory(accepted_terms_at=NOON))

    page = browser.get(TERMS)

    assert "You accepted them on 3 June 2026." in words(page)
    assert 'name="accepted"' not in words(page)


def test_a_member_from_a_list_accepts_and_sees_the_details_once(browser):
    member = MemberFactory(without_terms=True, about="Hello")
    browser.force_login(member)

    assert leads_to(browser.get(HOME)) == TERMS
    assert leads_to(browser.post(TERMS, {"accepted": "on"})) == DETAILS
    assert browser.get(HOME).status_code == 200


def test_a_member_who_told_everything_goes_on(browser):
    browser.force_login(MemberFactory(without_terms=True, heard_from="friend"))

    assert leads_to(browser.post(TERMS, {"accepted": "on", "next": "/admin/search"})) == (
        "/admin/search"
    )


# ---- Then who one is ------------------------------------------------------------------------


@pytest.fixture
def nameless(browser) -> Member:
    member = MemberFactory(name="", surname="")
    browser.force_login(member)
    return member


def test_without_a_name_everything_leads_to_the_details(browser, nameless):
    assert leads_to(browser.get(reverse("profile"))) == f"{DETAILS}?next=%2Fprofile"
    assert leads_to(browser.get(HOME)) == DETAILS
    assert browser.get(DETAILS).status_code == 200


def test_the_language_of_the_page_is_suggested(browser, nameless):
    Member.objects.update(language=Language.FRENCH)

    assert '<option value="fr" selected>' in words(browser.get(DETAILS))


def test_nothing_filled_in_says_what_is_missing(browser, nameless):
    page = browser.post(DETAILS, {})

    assert page.status_code == 400
    for sentence in (
        "Write your first name.",
        "Write your surname.",
        "Tell us a little about you.",
        "Choose one answer.",
        "Choose a language.",
    ):
        assert sentence in words(page)
    nameless.refresh_from_db()
    assert nameless.name == ""


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"heard_from": "other"}, "Say where you heard about us."),
        (
            {"heard_from_other": "radio"},
            "Choose “Somewhere else”, or leave the line below it empty.",
        ),
        ({"heard_from": "nowhere"}, "Choose one of these answers."),
        ({"other_dietary_needs": ""}, "Say what you need, or untick “Other”."),
        ({"dietary_needs": ["stones"]}, "Choose from this list."),
        ({"language": "tlh"}, "Choose from this list."),
        ({"name": "x" * 101}, "That is 101 characters. 100 fit; please shorten."),
        ({"about": "x" * 256}, "That is 256 characters. 255 fit; please shorten."),
        ({"about": "x\x00"}, "Null characters are not allowed."),
        ({"name": "  "}, "Write your first name."),
    ],
    ids=str,
)
def test_what_does_not_fit_comes_back_with_a_sentence(browser, nameless, wrong, sentence):
    page = browser.post(DETAILS, ABOUT_GRACE | wrong)

    assert page.status_code == 400
    assert sentence in words(page)
    assert 'value="Okafor"' in words(page)
    nameless.refresh_from_db()
    assert (nameless.surname, nameless.heard_from) == ("", "")


def test_somewhere_else_is_kept_with_where(browser, nameless):
    browser.post(DETAILS, ABOUT_GRACE | {"heard_from": "other", "heard_from_other": "the radio"})

    nameless.refresh_from_db()
    assert (nameless.heard_from, nameless.heard_from_other) == ("other", "the radio")


def test_a_need_in_words_ticks_other(browser, nameless):
    browser.post(DETAILS, ABOUT_GRACE | {"dietary_needs": ["vegan"]})

    nameless.refresh_from_db()
    assert nameless.dietary_needs == ["vegan", "other"]


def test_a_double_tap_on_save_is_harmless(browser, nameless):
    first, second = (browser.post(DETAILS, ABOUT_GRACE) for _ in range(2))

    assert leads_to(first) == leads_to(second) == AFTER_DETAILS


def test_other_fields_cannot_be_smuggled_in(browser, nameless):
    browser.post(DETAILS, ABOUT_GRACE | {"is_superuser": "on", "email": "evil@people.example"})

    before = nameless.email
    nameless.refresh_from_db()
    assert (nameless.is_superuser, nameless.email) == (False, before)
