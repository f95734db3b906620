"""Signing in with a code by e-mail: real letters, a real mail server, a real cache."""

import re
import uuid
from time import monotonic

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import Member
from members.services import addresses
from tests.factories import MemberFactory
from tests.support.smtp_sink import STALL, SmtpSink

pytestmark = pytest.mark.django_db

ASK, CONFIRM = "/accounts/login/", "/accounts/login/code/confirm/"


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
def asha():
    return MemberFactory(name="Asha", email=f"asha-{uuid.uuid4().hex}@people.example")


def words(response) -> str:
    return " ".join(response.content.decode().split())


def ask(browser, email, **more):
    return browser.post(ASK, {"email": email} | more, follow=True)


def text_of_the_only_letter(mail_server) -> str:
    (letter,) = mail_server.letters
    return str(letter.message.get_content())


def alike(page, email) -> str:
    """What is on the page, but for the address and what protects the form."""
    text = words(page).replace(email, "ADDRESS")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


def code_in(mail_server) -> str:
    text = str(mail_server.letters[-1].message.get_content())
    return re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", text)[0]


def test_the_code_in_the_letter_signs_in(browser, asha, mail_server):
    page = ask(browser, asha.email)
    assert f"We wrote to {asha.email}." in words(page)

    response = browser.post(CONFIRM, {"code": code_in(mail_server)})

    assert (response.status_code, response.url) == (302, reverse("dashboard"))
    assert browser.get(reverse("dashboard")).status_code == 200


def test_capitals_spaces_and_the_dash_do_not_matter(browser, asha, mail_server):
    ask(browser, f"  {asha.email.upper()} ")

    browser.post(CONFIRM, {"code": code_in(mail_server).lower().replace("-", " ")})

    assert browser.get(reverse("dashboard")).status_code == 200


def test_a_wrong_code_says_so_and_the_third_ends_it(browser, asha, mail_server):
    ask(browser, asha.email)

    first = browser.post(CONFIRM, {"code": "AAAA-AAAA"})
    browser.post(CONFIRM, {"code": "AAAA-AAAA"})
    third = browser.post(CONFIRM, {"code": "AAAA-AAAA"}, follow=True)

    assert "This is not the code we sent." in words(first)
    assert "That was one try too many." in words(third)
    browser.post(CONFIRM, {"code": code_in(mail_server)})
    assert browser.get(reverse("dashboard")).status_code == 302


def test_a_code_works_once(browser, asha, mail_server):
    ask(browser, asha.email)
    code = code_in(mail_server)
    browser.post(CONFIRM, {"code": code})
    browser.post(reverse("account_logout"))

    browser.post(CONFIRM, {"code": code})

    assert browser.get(reverse("dashboard")).status_code == 302


def test_another_code_replaces_the_first(browser, asha, mail_server):
    ask(browser, asha.email)
    first = code_in(mail_server)

    page = browser.post(CONFIRM, {"action": "resend"}, follow=True)

    assert "Another code is on its way. Only the newest one works." in words(page)
    assert "This is not the code we sent." in words(browser.post(CONFIRM, {"code": first}))
    browser.post(CONFIRM, {"code": code_in(mail_server)})
    assert browser.get(reverse("dashboard")).status_code == 200


def test_a_second_tap_sends_no_second_code(browser, asha, mail_server):
    first, second = (browser.post(ASK, {"email": asha.email, "next": "/7"}) for _ in range(2))

    assert first.url == second.url == f"{CONFIRM}?next=%2F7"
    assert len(mail_server.letters) == 1


def test_another_address_gets_a_code_of_its_own(browser, asha, mail_server):
    """As when somebody goes back and corrects what they typed."""
    ask(browser, f"asha-mistyped-{uuid.uuid4().hex}@people.example")

    page = ask(browser, asha.email)

    assert f"We wrote to {asha.email}." in words(page)
    browser.post(CONFIRM, {"code": code_in(mail_server)})
    assert browser.session["_auth_user_id"] == str(asha.pk)


def test_another_address_can_be_used(browser, asha):
    ask(browser, asha.email)

    page = browser.post(reverse("account_logout"), {"next": ASK}, follow=True)

    assert "<h1>Sign in</h1>" in words(page)


def test_an_unknown_address_gets_the_same_page_and_the_same_letter(browser, asha, mail_server):
    stranger = f"stranger-{uuid.uuid4().hex}@people.example"
    other_browser = Client(REMOTE_ADDR=browser.defaults["REMOTE_ADDR"])

    known, unknown = ask(browser, asha.email), ask(other_browser, stranger)

    assert alike(unknown, stranger) == alike(known, asha.email)
    to_asha, to_stranger = (
        re.sub(r"[A-Z]{4}-[A-Z]{4}", "CODE", str(letter.message.get_content()))
        for letter in mail_server.letters
    )
    assert to_stranger == to_asha


def test_the_same_number_of_queries_for_known_and_unknown(browser, asha):
    def queries(client, email) -> int:
        with CaptureQueriesContext(connection) as captured:
            client.post(ASK, {"email": email})
        return len(captured)

    other_browser = Client(REMOTE_ADDR=browser.defaults["REMOTE_ADDR"])
    unknown = f"stranger-{uuid.uuid4().hex}@people.example"

    assert queries(browser, asha.email) == queries(other_browser, unknown)


def test_nobody_becomes_a_member_before_the_code_was_typed(browser):
    stranger = f"stranger-{uuid.uuid4().hex}@people.example"

    ask(browser, stranger)
    browser.post(CONFIRM, {"code": "AAAA-AAAA"})

    assert not Member.objects.filter(email=stranger).exists()


def test_a_closed_account_cannot_sign_in(browser, mail_server):
    closed = MemberFactory(closed=True, email=f"closed-{uuid.uuid4().hex}@people.example")
    ask(browser, closed.email)

    page = browser.post(CONFIRM, {"code": code_in(mail_server)}, follow=True)

    assert "This account is closed" in words(page)
    assert browser.get(reverse("dashboard")).status_code == 302


def test_an_account_closed_after_the_code_was_sent_cannot_sign_in(browser, asha, mail_server):
    ask(browser, asha.email)
    asha.closed_at = asha.created_at
    asha.save()

    page = browser.post(CONFIRM, {"code": code_in(mail_server)}, follow=True)

    assert "This account is closed" in words(page)
    assert browser.get(reverse("dashboard")).status_code == 302


def test_closing_the_account_ends_its_sessions(browser, asha):
    browser.force_login(asha)
    asha.closed_at = asha.created_at
    asha.save()

    assert browser.get(reverse("dashboard")).status_code == 302


@pytest.mark.parametrize(
    "email", ["", "nonsense", "a\nb@people.example", "a\x00b@people.example", "a@b.example" * 99]
)
def test_what_is_no_address_gets_a_sentence(browser, email, mail_server):
    page = ask(browser, email)

    assert page.status_code == 400
    assert 'aria-invalid="true"' in words(page)
    assert mail_server.letters == []


def test_a_mail_server_that_refuses_costs_nothing(browser, asha, mail_server):
    mail_server.script = lambda step, about: "451 later" if step == "mail" else None

    page = ask(browser, asha.email)

    assert "Our mail server does not answer, so no code was sent." in words(page)
    assert asha.email in words(page)


def test_a_silent_mail_server_is_given_five_seconds(browser, asha, mail_server):
    mail_server.script = lambda step, about: STALL if step == "connect" else None
    began = monotonic()

    page = ask(browser, asha.email)

    assert monotonic() - began < 7
    assert "Our mail server does not answer" in words(page)


def test_an_address_that_refused_a_letter_is_usable_again_once_a_code_arrived(
    browser, asha, mail_server
):
    addresses.mark_unusable(asha.pk, asha.email, reason="550 5.1.1 No such mailbox")
    ask(browser, asha.email)

    browser.post(CONFIRM, {"code": code_in(mail_server)})

    asha.refresh_from_db()
    assert (asha.address_unusable_at, asha.address_unusable_reason) == (None, "")


def test_a_code_that_could_not_be_sent_again_leaves_the_first_valid(browser, asha, mail_server):
    ask(browser, asha.email)
    mail_server.script = lambda step, about: "421 later" if step == "connect" else None

    page = browser.post(CONFIRM, {"action": "resend"}, follow=True)

    assert "Our mail server does not answer" in words(page)
    browser.post(CONFIRM, {"code": code_in(mail_server)})
    assert browser.get(reverse("dashboard")).status_code == 200


def test_without_the_cache_people_still_sign_in(browser, asha, mail_server, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }

    ask(browser, asha.email)
    browser.post(CONFIRM, {"code": code_in(mail_server)})

    assert browser.get(reverse("dashboard")).status_code == 200


def test_the_fourth_code_in_a_minute_has_to_wait(browser, asha, mail_server):
    for _ in range(3):
        ask(browser, asha.email)
        browser.post(reverse("account_logout"))

    page = ask(browser, asha.email)

    assert "That was a lot of codes." in words(page)
    assert len(mail_server.letters) == 3


def test_the_session_gets_a_new_key(browser, asha, mail_server):
    ask(browser, asha.email)
    before = browser.session.session_key

    browser.post(CONFIRM, {"code": code_in(mail_server)})

    assert browser.session.session_key != before
    assert not Session.objects.filter(pk=before).exists()


def test_one_comes_back_to_where_one_wanted_to_go(browser, asha, mail_server):
    ask(browser, asha.email, next="/admin/workshops/7")

    response = browser.post(CONFIRM, {"code": code_in(mail_server), "next": "/admin/workshops/7"})

    assert response.url == "/admin/workshops/7"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "https:evil.example", "/\\evil.example", "\\\\evil"],
)
def test_one_never_comes_out_on_another_site(browser, asha, mail_server, elsewhere):
    ask(browser, asha.email, next=elsewhere)

    response = browser.post(CONFIRM, {"code": code_in(mail_server), "next": elsewhere})

    assert response.url == reverse("dashboard")
    assert browser.post(reverse("account_logout"), {"next": elsewhere}).url == ASK


def test_signing_out_is_a_post(browser, asha):
    browser.force_login(asha)

    assert "Sign out?" in words(browser.get(reverse("account_logout")))
    assert browser.get(reverse("dashboard")).status_code == 200
    browser.post(reverse("account_logout"))
    assert browser.get(reverse("dashboard")).status_code == 302


def test_there_is_no_password_anywhere(browser):
    for url in (ASK, reverse("account_signup")):
        assert "password" not in words(browser.get(url)).replace("No password", "")
    assert browser.get("/accounts/password/reset/").status_code == 404


def test_the_letter_is_about_the_code_and_holds_no_link(browser, asha, mail_server):
    ask(browser, asha.email)

    (letter,) = mail_server.letters
    assert letter.message["Subject"] == f"Your codebar sign-in code: {code_in(mail_server)}"
    assert "http" not in text_of_the_only_letter(mail_server)


def test_superusers_reach_the_staff_pages_by_the_same_door(browser):
    assert browser.get("/staff/", follow=True).redirect_chain[-1][0] == f"{ASK}?next=/staff/"

    browser.force_login(MemberFactory(superuser=True))
    assert browser.get("/staff/").status_code == 200


def test_others_are_turned_away_from_the_staff_pages(browser, asha):
    browser.force_login(asha)

    assert browser.get("/staff/", follow=True).status_code == 403
