"""One's own profile, and using another address."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from invitations.services import closing
from members.codes import AddressCode
from members.models import Member
from members.services import addresses, profiles
from tests.factories import MemberFactory
from tests.support.smtp_sink import SmtpSink
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

PROFILE, EDIT = "/profile", "/member/edit"
CHANGE, CONFIRM = "/member/address", "/member/address/code"

FILLED_IN = {
    "name": "Grace",
    "surname": "Okafor",
    "pronouns": "she/her",
    "about": "I sing.\nI code.",
    "skills": "HTML, CSS",
    "dietary_needs": ["vegan", "other"],
    "other_dietary_needs": "no nuts",
    "language": "fr",
}


@pytest.fixture(autouse=True)
def mail_server(sink: SmtpSink, settings) -> SmtpSink:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    return sink


@pytest.fixture
def grace() -> Member:
    return MemberFactory(
        name="Grace", surname="Okafor", email=f"grace-{uuid.uuid4().hex}@people.example"
    )


@pytest.fixture
def browser(grace) -> Client:
    browser = Client(REMOTE_ADDR=f"10.{'.'.join(str(n) for n in uuid.uuid4().bytes[:3])}")
    browser.force_login(grace)
    return browser


@pytest.fixture
def new_address() -> str:
    return f"new-{uuid.uuid4().hex}@people.example"


def words(response) -> str:
    return " ".join(response.content.decode().split())


def code_in(mail_server) -> str:
    text = str(mail_server.letters[-1].message.get_content())
    return re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", text)[0]


def test_the_profile_shows_what_one_told(browser, grace):
    Member.objects.update(
        **FILLED_IN | {"language": "en"}, created_at=datetime(2026, 6, 3, tzinfo=UTC)
    )

    page = words(browser.get(PROFILE))

    for told in (
        "<h1>Grace Okafor</h1>",
        "A member since 3 June 2026.",
        "she/her",
        "I sing.<br>I code.",
        "HTML, CSS",
        "Vegan, no nuts",
        "English",
        grace.email,
    ):
        assert told in page


def test_an_empty_profile_says_so(browser):
    page = words(browser.get(PROFILE))

    assert "Nothing yet" in page
    assert "You eat everything" in page


def test_a_profile_asks_the_database_for_one_row(browser):
    with CaptureQueriesContext(connection) as queries:
        browser.get(PROFILE)

    own = [query for query in queries if '"members_member"' in query["sql"]]
    assert len(own) == 1


def test_whoever_wrote_it_is_text(browser, grace):
    Member.objects.update(about="<script>alert(1)</script>")

    assert "<script>alert" not in words(browser.get(PROFILE))


def test_the_profile_is_changed(browser, grace):
    response = browser.post(EDIT, FILLED_IN)

    assert response.url == PROFILE
    grace.refresh_from_db()
    assert {field: getattr(grace, field) for field in FILLED_IN} == FILLED_IN


def test_what_no_letter_can_be_written_with_does_not_stay_in_a_name(browser, grace):
    """Pasted from elsewhere, a name may hold what nobody sees; a letter's head may not."""
    browser.post(EDIT, FILLED_IN | {"name": "Gra\x07 ce\x7f", "surname": "\x02O\x9dka\u2028for"})

    grace.refresh_from_db()
    assert (grace.name, grace.surname) == ("Gra ce", "O ka for")


def test_unticking_everything_clears_the_needs(browser, grace):
    Member.objects.update(dietary_needs=["vegan"])

    browser.post(EDIT, FILLED_IN | {"dietary_needs": [], "other_dietary_needs": ""})

    grace.refresh_from_db()
    assert grace.dietary_needs == []


def test_what_does_not_fit_comes_back_as_typed(browser, grace):
    page = browser.post(EDIT, FILLED_IN | {"skills": "x" * 256, "about": ""})

    assert page.status_code == 400
    assert "That is 256 characters. 255 fit; please shorten." in words(page)
    assert "Tell us a little about you." in words(page)
    assert 'value="she/her"' in words(page)
    grace.refresh_from_db()
    assert grace.pronouns == ""


def test_a_change_leaves_what_happened_meanwhile(grace):
    Member.objects.filter(pk=grace.pk).update(is_superuser=True, name="Somebody")

    profiles.change(grace, surname="Hopper")

    assert Member.objects.values_list("name", "surname", "is_superuser").get(pk=grace.pk) == (
        "Somebody",
        "Hopper",
        True,
    )


# ---- Another address ------------------------------------------------------------------------


def test_the_code_in_the_letter_changes_the_address(browser, grace, mail_server, new_address):
    Member.objects.update(address_unusable_at="2026-01-01T00:00Z", address_unusable_reason="550")

    asked = browser.post(CHANGE, {"email": f" {new_address.upper()} "})
    assert asked.url == CONFIRM
    assert f"We wrote to {new_address}." in words(browser.get(CONFIRM))
    (letter,) = mail_server.letters
    assert letter.recipient == new_address
    assert browser.post(CONFIRM, {"code": code_in(mail_server)}).url == PROFILE

    grace.refresh_from_db()
    assert (grace.email, grace.address_unusable_at, grace.address_unusable_reason) == (
        new_address,
        None,
        "",
    )
    assert f"Our letters go to {new_address} from now on." in words(browser.get(PROFILE))


def test_without_the_code_the_address_stays(browser, grace, new_address):
    before = grace.email
    browser.post(CHANGE, {"email": new_address})

    first, second, third = (browser.post(CONFIRM, {"code": "AAAA-AAAA"}) for _ in range(3))

    assert first.status_code == second.status_code == 400
    assert "This is not the code we sent." in words(first)
    assert third.url == CHANGE
    assert "That was one try too many." in words(browser.get(CHANGE))
    assert browser.get(CONFIRM).url == CHANGE
    grace.refresh_from_db()
    assert grace.email == before


def test_a_code_works_once(browser, grace, mail_server, new_address):
    browser.post(CHANGE, {"email": new_address})
    code = code_in(mail_server)
    browser.post(CONFIRM, {"code": code})

    assert browser.post(CONFIRM, {"code": code}).url == CHANGE


def test_a_code_is_for_the_member_who_asked(browser, grace, mail_server, new_address):
    browser.post(CHANGE, {"email": new_address})
    browser.post(reverse("account_logout"))
    browser.force_login(MemberFactory())

    assert browser.post(CONFIRM, {"code": code_in(mail_server)}).url == CHANGE


def test_a_code_is_over_after_a_quarter_of_an_hour(browser, mail_server, new_address):
    browser.post(CHANGE, {"email": new_address})
    session = browser.session
    session[AddressCode.KEY]["at"] -= 15 * 60 + 1
    session.save()

    assert browser.post(CONFIRM, {"code": code_in(mail_server)}).url == CHANGE


def test_only_the_reader_of_an_address_learns_that_it_has_an_account(browser, grace, mail_server):
    other = MemberFactory(email=f"other-{uuid.uuid4().hex}@people.example")

    asked = browser.post(CHANGE, {"email": other.email})
    page = browser.post(CONFIRM, {"code": code_in(mail_server)}, follow=True)

    assert asked.url == CONFIRM
    assert "There is another account with this address." in words(page)
    assert page.redirect_chain[-1][0] == CHANGE
    grace.refresh_from_db()
    assert grace.email != other.email


@pytest.mark.django_db(transaction=True)
def test_two_who_want_one_address_do_not_both_get_it(new_address):
    def ask(member):
        try:
            addresses.change(member, email=new_address)
        except addresses.AddressTaken:
            return "taken"
        return "changed"

    members = MemberFactory.create_batch(2)
    answers = at_once(*(lambda member=member: ask(member) for member in members))

    assert sorted(answers) == ["changed", "taken"]


def test_whoever_closed_in_another_window_is_told_and_signed_out(
    browser, grace, mail_server, new_address, monkeypatch
):
    """The code had been let in when the other window closed the account."""
    browser.post(CHANGE, {"email": new_address})
    change = addresses.change

    def closes_first(member: Member, *, email: str) -> None:
        closing.close(member, at=timezone.now())
        change(member, email=email)

    monkeypatch.setattr(addresses, "change", closes_first)
    page = browser.post(CONFIRM, {"code": code_in(mail_server)}, follow=True)

    assert page.redirect_chain == [("/", 302)]
    assert "This account is closed." in words(page)
    assert browser.get(PROFILE).status_code == 302
    grace.refresh_from_db()
    assert grace.full_name == "Former member"


@pytest.mark.parametrize("email", ["", "nonsense", "a\x00b@people.example", "a@b.example" * 99])
def test_what_is_no_address_gets_a_sentence(browser, mail_server, email):
    page = browser.post(CHANGE, {"email": email})

    assert page.status_code == 400
    assert 'aria-invalid="true"' in words(page)
    assert mail_server.letters == []


def test_a_mail_server_that_refuses_changes_nothing(browser, mail_server, new_address):
    mail_server.script = lambda step, about: "451 later" if step == "mail" else None

    page = browser.post(CHANGE, {"email": new_address})

    assert "Our mail server does not answer, so no code was sent." in words(page)
    assert browser.get(CONFIRM).url == CHANGE


def test_nobody_can_be_flooded_with_codes(browser, mail_server, new_address):
    for _ in range(3):
        browser.post(CHANGE, {"email": new_address})

    page = browser.post(CHANGE, {"email": new_address})

    assert "That was a lot of codes." in words(page)
    assert len(mail_server.letters) == 3
