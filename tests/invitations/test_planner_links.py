"""Planner's signed links to stop letters, and the page that mails a fresh one."""

import hmac
import re
from base64 import b64encode
from hashlib import sha1

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from chapters.models import Role
from invitations.services import planner_links
from invitations.services.unsubscribing import UnknownLink
from logs.models import ImportFinding
from tests.factories import ChapterFactory, MemberFactory, subscribe
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

SECRET = "of-the-planner-we-left"


@pytest.fixture(autouse=True)
def secret(settings):
    settings.PLANNER_SECRET = SECRET


@pytest.fixture
def amina():
    return subscribe(MemberFactory(name="Amina"), ChapterFactory(), Role.STUDENT, Role.COACH)


def signed(said: bytes, secret: str = SECRET) -> str:
    encoded = b64encode(said)
    return f"{encoded.decode()}--{hmac.new(secret.encode(), encoded, sha1).hexdigest()}"


def test_it_is_the_format_of_planner():
    """The value is one that planner's own test of its verifier expects."""
    link = "MQ==--a3487195ba15b69d4aa07b7da0234463b82c96b3"

    assert planner_links.member_id_in(link, secret="123") == 1


# As Ruby writes them: Marshal.dump(1), (122), (123), (255), (256), (65_535), (65_536), (70_000_000)
MARSHALLED = {
    b"\x04\x08i\x06": 1,
    b"\x04\x08i\x7f": 122,
    b"\x04\x08i\x01{": 123,
    b"\x04\x08i\x01\xff": 255,
    b"\x04\x08i\x02\x00\x01": 256,
    b"\x04\x08i\x02\xff\xff": 65_535,
    b"\x04\x08i\x03\x00\x00\x01": 65_536,
    b"\x04\x08i\x04\x80\x1d,\x04": 70_000_000,
}


@pytest.mark.parametrize(("said", "number"), MARSHALLED.items())
def test_older_letters_hold_numbers_as_ruby_marshals_them(said, number):
    assert planner_links.member_id_in(signed(said), secret=SECRET) == number


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"true",
        b"1.5",
        b'"1"',
        b"[1]",
        b'{"id": 1}',
        b"\xff",
        b"\x04\x08i",
        b"\x04\x08i\x00",
        b"\x04\x08i\x02\x01",
        b"\x04\x08i\x06\x06",
        b"\x04\x08i\xfa",
        b'\x04\x08"\x061',
    ],
)
def test_what_is_signed_and_no_number_is_unknown(said):
    with pytest.raises(UnknownLink):
        planner_links.member_id_in(signed(said), secret=SECRET)


@pytest.mark.parametrize("secret", ["", "another"])
def test_without_the_right_secret_nothing_is_believed(client, settings, amina, secret):
    settings.PLANNER_SECRET = secret
    links = [signed(str(amina.pk).encode(), key) for key in (SECRET, "")]

    assert [client.get(f"/unsubscribe/{link}").status_code for link in links] == [404, 404]


def test_a_link_of_planner_shows_the_choices_and_signs_nobody_in(client, amina):
    page = client.get(f"/unsubscribe/{signed(str(amina.pk).encode())}", follow=True)

    assert re.findall(r'name="scope"\s+value="(\w+)"', page.content.decode()) == [
        "these",
        "everything",
    ]
    assert amina.groups.count() == 2
    assert not Session.objects.exists()
    assert page.headers["Referrer-Policy"] == "same-origin"


def test_a_coach_is_asked_about_letters_to_coaches(client):
    coach = subscribe(MemberFactory(), ChapterFactory(), Role.COACH)

    page = client.get(f"/unsubscribe/{signed(str(coach.pk).encode())}", follow=True)

    assert page.context["letters"].role == Role.COACH


def test_a_slash_in_a_link_is_part_of_it(client):
    number = 0x3FFFFF  # its base64 has one
    member = MemberFactory(pk=number)
    link = signed(b"\x04\x08i\x03\xff\xff\x3f")
    assert "/" in link

    page = client.get(f"/unsubscribe/{link.replace('/', '%2F')}", follow=True)

    assert page.context["letters"].member == member


def test_a_link_of_a_merged_account_is_about_the_one_that_was_kept(client, amina):
    ImportFinding.objects.create(
        table="members", old_id=987, rule="same_address", outcome="merged", into_id=amina.pk
    )

    page = client.get(f"/unsubscribe/{signed(b'987')}", follow=True)

    assert page.context["letters"].member == amina


@pytest.mark.parametrize("number", [b"0", b"-1", b"424242", b"9" * 30])
def test_a_link_of_nobody_is_unknown(client, number):
    assert client.get(f"/unsubscribe/{signed(number)}").status_code == 404


# ---- A fresh link --------------------------------------------------------------------------


def text_of(letter) -> str:
    return str(letter.message.get_content())


def links_in(letter) -> list[str]:
    return re.findall(r"http\S+(/unsubscribe/\S+)", text_of(letter))


@pytest.fixture(autouse=True)
def mail_server(sink: SmtpSink, settings) -> SmtpSink:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    return sink


@pytest.fixture
def browser():
    return Client(enforce_csrf_checks=True)


def ask(browser, email, **more):
    page = browser.get("/unsubscribe/cut-off")
    assert page.status_code == 404
    typed = {"email": email, "csrfmiddlewaretoken": page.cookies["csrftoken"].value}
    return browser.post("/unsubscribe", typed, **more)


def test_a_fresh_link_is_mailed_and_stops_letters(browser, mail_server, amina):
    ask(browser, f" {amina.email.upper()} ")

    (letter,) = mail_server.letters
    _students, coaches = links_in(letter)
    browser.post(coaches, {"List-Unsubscribe": "One-Click"})
    assert [letter.message["To"], letter.message["Subject"]] == [amina.email, "Stop our letters"]
    assert [group.role for group in amina.groups.all()] == [Role.STUDENT]


def test_the_page_answers_everybody_alike(browser, mail_server, amina):
    known = ask(browser, amina.email, follow=True)
    unknown = ask(Client(enforce_csrf_checks=True), "nobody@people.example", follow=True)

    hidden = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')
    assert hidden.sub("", known.content.decode()) == hidden.sub("", unknown.content.decode())
    assert "Look into your letters" in known.content.decode()
    assert [len(links_in(letter)) for letter in mail_server.letters] == [2, 0]


def test_somebody_in_no_group_learns_that_nothing_leaves(browser, mail_server):
    ask(browser, MemberFactory().email)

    (letter,) = mail_server.letters
    assert links_in(letter) == []
    assert "There is nothing to stop" in text_of(letter)


def test_nobody_is_flooded(browser, mail_server, amina):
    answers = [ask(browser, amina.email).status_code for _ in range(4)]

    assert answers == [302, 302, 302, 429]
    assert len(mail_server.letters) == 3


def test_a_mail_server_that_is_away_is_told(browser, mail_server, amina):
    mail_server.script = lambda step, about: "421 Closing" if step == "connect" else None

    page = ask(browser, amina.email)

    assert page.status_code == 400
    assert "nothing was sent" in page.content.decode()


def test_what_is_no_address_is_said(browser):
    page = ask(browser, "amina")

    assert page.status_code == 400
    assert "This is not an e-mail address." in page.content.decode()


def test_the_page_can_be_opened_by_itself_and_before_the_terms(client):
    client.force_login(MemberFactory(accepted_terms_at=None))

    assert client.get("/unsubscribe").status_code == 200
