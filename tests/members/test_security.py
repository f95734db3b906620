"""What reliability.md says in X1 to X15 of signing in, but for how often one may try (X9)."""

from __future__ import annotations

import logging
import re
import uuid

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from members.models import Member
from tests.factories import MemberFactory
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

ASK, CONFIRM = "/accounts/login/", "/accounts/login/code/confirm/"
CODE = r"\b[A-Z]{4}-[A-Z]{4}\b"


@pytest.fixture(autouse=True)
def mail_server(sink: SmtpSink, settings) -> SmtpSink:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    return sink


@pytest.fixture
def browser() -> Client:
    return Client(REMOTE_ADDR=f"10.{'.'.join(str(n) for n in uuid.uuid4().bytes[:3])}")


@pytest.fixture
def asha() -> Member:
    return MemberFactory(name="Asha", email=f"asha-{uuid.uuid4().hex}@people.example")


def words(response) -> str:
    return " ".join(response.content.decode().split())


def text_of(letter) -> str:
    return str(letter.message.get_content())


def code_in(mail_server) -> str:
    return re.search(CODE, text_of(mail_server.letters[-1]))[0]


def sign_in(browser, mail_server, email) -> None:
    browser.post(ASK, {"email": email})
    browser.post(CONFIRM, {"code": code_in(mail_server)})


def test_x1_a_code_of_one_purpose_does_not_serve_another(browser, asha, mail_server):
    sign_in(browser, mail_server, asha.email)
    browser.post("/member/address", {"email": f"new-{uuid.uuid4().hex}@people.example"})
    to_change = code_in(mail_server)
    other = Client(REMOTE_ADDR=browser.defaults["REMOTE_ADDR"])
    other.post(ASK, {"email": asha.email})

    assert other.post(CONFIRM, {"code": to_change}).status_code == 400
    assert "_auth_user_id" not in other.session


def test_x1_a_code_is_of_the_window_that_asked(browser, asha, mail_server):
    browser.post(ASK, {"email": asha.email})
    other = Client(REMOTE_ADDR=browser.defaults["REMOTE_ADDR"])

    assert other.post(CONFIRM, {"code": code_in(mail_server)}).url.startswith(ASK)
    assert "_auth_user_id" not in other.session


def test_x2_no_letter_about_codes_holds_a_link(browser, asha, mail_server):
    sign_in(browser, mail_server, asha.email)
    browser.post("/member/address", {"email": f"new-{uuid.uuid4().hex}@people.example"})

    assert len(mail_server.letters) == 2
    assert all("http" not in text_of(letter) for letter in mail_server.letters)


@pytest.mark.parametrize(
    "name",
    [
        *("account_login", "account_signup", "account_confirm_login_code", "account_logout"),
        *("github_login", "terms", "details", "profile_edit", "address_change"),
        "address_confirm",
    ],
)
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_x4_every_form_needs_our_own_page(asha, name, is_signed_in):
    browser = Client(enforce_csrf_checks=True)
    if is_signed_in:
        browser.force_login(asha)

    assert browser.post(reverse(name)).status_code == 403


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("//evil.example", "https:evil.example", "/\\evil.example", "\\\\evil.example"),
        *("%2f%2fevil.example", "https://testserver@evil.example", "javascript:alert(1)"),
    ],
)
def test_x7_no_way_leads_to_another_site(browser, asha, mail_server, elsewhere):
    """Neither what came along, nor where one comes from, nor by signing out."""
    referer = {"HTTP_REFERER": f"https://evil.example/{elsewhere}"}
    browser.post(f"{ASK}?next={elsewhere}", {"email": asha.email, "next": elsewhere}, **referer)
    code = code_in(mail_server)

    signed_in = browser.post(f"{CONFIRM}?next={elsewhere}", {"code": code}, **referer)
    signed_out = browser.post(reverse("account_logout"), {"next": elsewhere}, **referer)

    assert signed_in.url in (reverse("dashboard"), elsewhere)
    assert signed_in.url == reverse("dashboard") or elsewhere.startswith("%2f")
    assert signed_out.url in (ASK, elsewhere)
    assert signed_out.url == ASK or elsewhere.startswith("%2f")


def test_x8_a_session_that_somebody_else_knows_is_not_signed_in(browser, asha, mail_server):
    """Session fixation: the key from before is worth nothing after."""
    browser.get(ASK)
    browser.post(ASK, {"email": asha.email})
    known = browser.session.session_key

    browser.post(CONFIRM, {"code": code_in(mail_server)})

    thief = Client()
    thief.cookies["sessionid"] = known
    assert browser.session.session_key != known
    assert thief.get(reverse("profile")).status_code == 302
    assert not Session.objects.filter(pk=known).exists()


def test_x8_signing_out_leaves_nothing_behind(browser, asha, mail_server):
    sign_in(browser, mail_server, asha.email)
    key = browser.session.session_key

    browser.post(reverse("account_logout"))

    assert not Session.objects.filter(pk=key).exists()
    thief = Client()
    thief.cookies["sessionid"] = key
    assert thief.get(reverse("profile")).status_code == 302


def test_x8_the_code_is_gone_from_the_session(browser, asha, mail_server):
    sign_in(browser, mail_server, asha.email)

    assert "account_login" not in browser.session


@pytest.mark.parametrize("name", ["Asha\nBcc: x@evil.example", "Asha\rX: y", "Asha\x00"])
def test_x10_no_header_comes_in_with_a_name(browser, asha, name):
    browser.force_login(asha)
    about = {"name": name, "surname": "Rao", "about": "Hello", "language": "en"}

    page = browser.post(reverse("profile_edit"), about)

    asha.refresh_from_db()
    assert page.status_code in (302, 400)
    assert not set("\n\r\x00") & set(asha.name)


@pytest.mark.parametrize(
    "path", [CONFIRM, "/profile", "/member/edit", "/member/details/edit", "/member/address"]
)
def test_x14_nobody_keeps_a_copy_of_a_page_about_somebody(browser, asha, path):
    if path == CONFIRM:
        browser.post(ASK, {"email": asha.email})
    else:
        browser.force_login(asha)

    response = browser.get(path)

    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["/terms_and_conditions", "/admin/", "/admin/members", "/accounts/logout/", "/no/page"]
)
def test_x14_nobody_on_the_way_keeps_a_page_that_names_somebody(browser, path):
    browser.force_login(MemberFactory(superuser=True))

    response = browser.get(path)

    kept = {part.strip() for part in response.headers["Cache-Control"].split(",")}
    assert kept == {"private", "no-cache"}


def test_x15_the_logs_hold_no_address_and_no_code(browser, mail_server, caplog):
    caplog.set_level(logging.DEBUG)
    email = f"grace-{uuid.uuid4().hex}@people.example"
    sign_in(browser, mail_server, email)
    browser.post(reverse("terms"), {"accepted": "on"})
    about = {"name": "Gracia", "surname": "Okaforova", "about": "Hello", "language": "en"}
    browser.post(reverse("details"), about | {"heard_from": "friend"})
    browser.post("/member/address", {"email": "new-" + email})
    browser.post("/member/address/code", {"code": "AAAA-AAAA"})

    said = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "django.db.backends"
    )
    for secret in (
        email,
        "Gracia",
        "Okaforova",
        *re.findall(CODE, text_of(mail_server.letters[0])),
    ):
        assert secret not in said


def test_x22_nothing_else_can_be_smuggled_into_a_profile(browser, asha):
    browser.force_login(asha)
    about = {"name": "Asha", "surname": "Rao", "about": "Hello", "language": "en"}

    browser.post(
        reverse("profile_edit"),
        about | {"is_superuser": "on", "email": "evil@people.example", "closed_at": "2026-01-01"},
    )

    before = asha.email
    asha.refresh_from_db()
    assert (asha.surname, asha.is_superuser, asha.email, asha.closed_at) == (
        "Rao",
        False,
        before,
        None,
    )
