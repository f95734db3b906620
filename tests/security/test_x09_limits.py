"""
X9: signing in, guessing links, answering, searching and writing to many have limits, for each
address of the network and each account; what a request says about where it comes from is not
believed; and without the cache everybody may go on.
"""

from __future__ import annotations

import re
import socket
import time
import uuid
from dataclasses import replace

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.fixtures import Settings

from logs.models import EntryStatus, InvitationLog
from members import limits
from members.models import Member
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
)
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

ASK, CONFIRM = "/accounts/login/", "/accounts/login/code/confirm/"
CODE = r"\b[A-Z]{4}-[A-Z]{4}\b"
FEW = 3
PRODUCTIONS_CACHE = dict(django_settings.CACHES["default"])  # with its short times
AS_STUDENT = {"role": "student"}


@pytest.fixture
def mail_server(sink: SmtpSink, settings: Settings) -> SmtpSink:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    return sink


@pytest.fixture
def asha() -> Member:
    return MemberFactory(name="Asha", email=f"asha-{uuid.uuid4().hex}@people.example")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every limit at three tries, so that nobody has to try sixty times."""
    for name, limit in limits.LIMITS.items():
        account = FEW if limit.per_account else 0
        few = replace(
            limit, per_address=2 * FEW if account else FEW, per_account=account, per_pair=0
        )
        monkeypatch.setitem(limits.LIMITS, name, few)
        monkeypatch.setattr(limits, name.upper(), few)


def at(address: str, **more: str) -> Client:
    """A browser at this address of the network."""
    return Client(REMOTE_ADDR=address, **more)


def words(response) -> str:
    return " ".join(response.content.decode().split())


def refused(response) -> bool:
    """Whether it says 429, in a sentence, and when to try again."""
    if response.status_code != 429:
        return False
    assert 1 <= int(response["Retry-After"]) <= 60
    assert "Too many tries" in words(response) or "That was a lot of codes." in words(response)
    return True


def code_in(mail_server: SmtpSink) -> str:
    text = str(mail_server.letters[-1].message.get_content())
    return re.search(CODE, text)[0]


# ---- Signing in ----------------------------------------------------------------------------


def test_one_account_gets_three_codes_a_minute_and_the_form_comes_back(mail_server, asha):
    pages = [at("10.0.0.1").post(ASK, {"email": asha.email}) for _ in range(4)]

    assert [page.status_code for page in pages] == [302, 302, 302, 429]
    assert refused(pages[3])
    assert f'value="{asha.email}"' in words(pages[3])
    assert len(mail_server.letters) == 3


def test_a_stranger_who_asks_for_somebodys_codes_keeps_them_from_nothing(mail_server, asha):
    pages = [at("10.0.0.1").post(ASK, {"email": asha.email}) for _ in range(20)]
    assert refused(pages[19])

    browser = at("10.0.0.2")
    browser.post(ASK, {"email": asha.email})
    browser.post(CONFIRM, {"code": code_in(mail_server)})

    assert len(mail_server.letters) == 4
    assert "_auth_user_id" in browser.session


def test_one_account_gets_fifteen_codes_a_minute_from_wherever_they_are_asked_for(
    mail_server, asha
):
    """So that nobody's mail box is filled from many places."""
    pages = [at(f"10.0.0.{n}").post(ASK, {"email": asha.email}) for n in range(16)]

    assert [page.status_code for page in pages] == [302] * 15 + [429]
    assert refused(pages[15])
    assert len(mail_server.letters) == 15


def test_one_address_gets_twenty_codes_a_minute_whatever_it_says(mail_server):
    for n in range(20):
        spoofed = {"HTTP_X_FORWARDED_FOR": f"192.0.2.{n}"}
        at("10.0.0.1", **spoofed).post(ASK, {"email": f"{uuid.uuid4().hex}@people.example"})

    spoofed = {"HTTP_X_FORWARDED_FOR": "192.0.2.99"}
    page = at("10.0.0.1", **spoofed).post(ASK, {"email": f"{uuid.uuid4().hex}@people.example"})

    assert refused(page)
    assert len(mail_server.letters) == 20
    assert at("10.0.0.2").post(ASK, {"email": "x@people.example"}).status_code == 302


def test_a_second_tap_costs_no_code(mail_server, asha):
    browser = at("10.0.0.1")

    pages = [browser.post(ASK, {"email": asha.email}) for _ in range(5)]

    assert {page.status_code for page in pages} == {302}
    assert len(mail_server.letters) == 1


def test_another_code_counts_as_one(mail_server, asha):
    browser = at("10.0.0.1")
    browser.post(ASK, {"email": asha.email})
    browser.post(CONFIRM, {"action": "resend"})
    code = code_in(mail_server)
    at("10.0.0.1").post(ASK, {"email": asha.email})
    page = browser.post(CONFIRM, {"action": "resend"})

    assert refused(page)
    assert refused(at("10.0.0.1").post(ASK, {"email": asha.email}))
    assert len(mail_server.letters) == 3
    browser.post(CONFIRM, {"code": code})
    assert "_auth_user_id" in browser.session


def test_guessing_a_code_ends_after_three_tries(mail_server, asha):
    browser = at("10.0.0.1")
    browser.post(ASK, {"email": asha.email})
    for _ in range(3):
        browser.post(CONFIRM, {"code": "AAAA-AAAA"})

    browser.post(CONFIRM, {"code": code_in(mail_server)})

    assert "_auth_user_id" not in browser.session


def test_typing_codes_has_a_limit_too(mail_server, few):
    browser = at("10.0.0.1")
    browser.post(ASK, {"email": "somebody@people.example"})

    pages = [browser.post(CONFIRM, {"code": "AAAA-AAAA"}) for _ in range(FEW + 1)]

    assert [refused(page) for page in pages] == [False] * FEW + [True]


def test_another_address_of_ones_own_has_the_same_limit(mail_server, asha):
    browser = at("10.0.0.1")
    browser.force_login(asha)
    new = f"new-{uuid.uuid4().hex}@people.example"

    pages = [browser.post("/member/address", {"email": new}) for _ in range(4)]

    assert [refused(page) for page in pages] == [False, False, False, True]


# ---- Links of letters ----------------------------------------------------------------------


@pytest.mark.parametrize("page", ["invitation", "unsubscribe", "feedback", "calendar", "accept"])
def test_whoever_guesses_links_is_told_nothing_about_the_next_one(page, few):
    invitation = InvitationFactory()
    thief = at("10.0.0.1")
    guess = thief.post if page == "accept" else thief.get

    pages = [guess(reverse(page, args=[uuid.uuid4().hex])) for _ in range(FEW + 1)]

    assert [page.status_code for page in pages[:FEW]] == [404] * FEW
    assert refused(pages[FEW])
    assert refused(thief.get(reverse("invitation", args=[invitation.token])))
    assert at("10.0.0.2").get(reverse("invitation", args=[invitation.token])).status_code == 200


def test_links_that_lead_somewhere_may_be_opened_as_often_as_one_likes(few):
    """Mail scanners of a company open the links of all its people, from one address."""
    scanner = at("10.0.0.1")
    links = [reverse("invitation", args=[InvitationFactory().token]) for _ in range(3)]

    pages = [scanner.get(link) for link in links * 5]

    assert {page.status_code for page in pages} == {200}


def test_the_calendar_of_whoever_is_not_coming_is_no_guess(few):
    calendar = reverse("calendar", args=[InvitationFactory().token])

    pages = [at("10.0.0.1").get(calendar) for _ in range(2 * FEW)]

    assert {page.status_code for page in pages} == {302}


# ---- Answers -------------------------------------------------------------------------------


def test_one_link_answers_so_often_a_minute(few):
    invitation = InvitationFactory()
    answers = [reverse(answer, args=[invitation.token]) for answer in ("accept", "decline")]

    pages = [at(f"10.0.0.{n}").post(answers[n % 2], AS_STUDENT) for n in range(FEW + 1)]

    invitation.refresh_from_db()
    assert [refused(page) for page in pages] == [False] * FEW + [True]
    assert invitation.is_attending  # by the third; the fourth says no
    assert at("10.0.0.9").get(reverse("invitation", args=[invitation.token])).status_code == 200


def test_one_address_answers_for_so_many_links_a_minute(few):
    workshop = WorkshopFactory()
    links = [
        reverse("accept", args=[InvitationFactory(workshop=workshop).token])
        for _ in range(2 * FEW + 1)
    ]

    pages = [at("10.0.0.1").post(link, AS_STUDENT) for link in links]

    assert [refused(page) for page in pages] == [False] * 2 * FEW + [True]
    assert workshop.invitations.attending().count() == 2 * FEW


# ---- Searching and writing to many ---------------------------------------------------------


@pytest.mark.parametrize("name", ["search", "members", "rsvp"])
def test_one_organiser_searches_so_often_a_minute(name, few):
    workshop = WorkshopFactory(chapter=chapter_with())
    asha = organiser_of(workshop.chapter)
    page = reverse(name, args=[workshop.pk] if name == "rsvp" else [])
    browsers = [at(f"10.0.0.{n}") for n in range(FEW + 1)]
    for browser in browsers:
        browser.force_login(asha)

    pages = [browser.get(page, {"q": "a"}) for browser in browsers]

    assert [refused(page) for page in pages] == [False] * FEW + [True]
    assert browsers[0].get(page).status_code == 200  # only looking at the form


def test_one_organiser_presses_so_many_buttons_a_minute_and_each_of_them_once(few):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    browser = at("10.0.0.1")
    browser.force_login(organiser_of(workshop.chapter))
    button = f"{reverse('invite', args=[workshop.pk])}?for=students"
    before = {"request_key": str(uuid.uuid4()), "seen_count": "2"}

    pages = [browser.post(button, before) for _ in range(FEW + 1)]

    assert [refused(page) for page in pages] == [False] * FEW + [True]
    assert InvitationLog.objects.count() <= 1


@pytest.mark.parametrize(("name", "of"), [("doubts_decide", "log"), ("doubt_decide", "entry")])
def test_one_organiser_decides_so_often_about_letters_in_doubt(name, of, few):
    entry = InvitationLogEntryFactory(status=EntryStatus.UNKNOWN)
    decide = reverse(name, args=[entry.log_id, "again"] if of == "log" else [entry.pk])
    browser = at("10.0.0.1")
    browser.force_login(organiser_of(entry.workshop.chapter))

    pages = [browser.post(decide, {}) for _ in range(FEW + 1)]

    assert [refused(page) for page in pages] == [False] * FEW + [True]


# ---- Where a request comes from ------------------------------------------------------------


def asked_from(address: str, **more: str) -> int:
    request = RequestFactory(REMOTE_ADDR=address, **more).post("/")
    return limits.take(replace(limits.BATCHES, per_address=1, per_account=0), request)


def test_what_a_request_says_about_itself_is_not_believed():
    asked_from("10.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.1", HTTP_X_REAL_IP="192.0.2.1")

    assert asked_from("10.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.2", HTTP_X_REAL_IP="192.0.2.2") > 0
    assert asked_from("192.0.2.1") == 0


def test_behind_a_proxy_only_what_the_proxy_has_seen_counts(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    asked_from("10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.7, 192.0.2.1")

    assert asked_from("10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9, 192.0.2.1") > 0
    assert asked_from("10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.7, 192.0.2.2") == 0


def test_a_home_has_one_address_of_ipv6():
    asked_from("2001:db8:1:1::1")

    assert asked_from("2001:db8:1:1:ffff::2") > 0
    assert asked_from("2001:db8:1:2::1") == 0


@pytest.mark.parametrize("nothing", ["", "not an address"])
def test_a_request_without_an_address_is_not_counted(nothing):
    assert [asked_from(nothing), asked_from(nothing)] == [0, 0]


# ---- The rest ------------------------------------------------------------------------------


def test_without_the_cache_everybody_may_go_on(settings, few):
    """Documented in members/limits.py: nobody can be counted, and people matter more."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1"}}
    invitation = InvitationFactory()
    accept = reverse("accept", args=[invitation.token])

    pages = [at("10.0.0.1").post(accept, AS_STUDENT) for _ in range(3 * FEW)]

    invitation.refresh_from_db()
    assert {page.status_code for page in pages} == {302}
    assert invitation.is_attending


def test_a_cache_that_stays_silent_is_asked_once(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        settings.CACHES = {"default": PRODUCTIONS_CACHE | {"LOCATION": address}}
        began = time.monotonic()

        answers = [asked_from("10.0.0.1") for _ in range(20)]

    assert answers == [0] * 20
    assert time.monotonic() - began < 2


def test_the_cache_learns_no_address_and_no_link(settings):
    invitation = InvitationFactory()
    at("10.11.12.13").post(reverse("accept", args=[invitation.token]))

    with redis.Redis.from_url(
        settings.CACHES["default"]["LOCATION"], decode_responses=True
    ) as cache:
        keys = cache.keys(f"{settings.CACHES['default']['KEY_PREFIX']}:limits*")

    assert len(keys) == 2
    assert not [key for key in keys if "10.11.12.13" in key or invitation.token in key]


def test_every_limited_page_exists_and_every_limit_is_known(settings):
    names = set(_names(get_resolver().url_patterns))

    assert set(settings.LIMITED_PAGES) <= names
    assert set(settings.LIMITED_PAGES.values()) <= set(limits.LIMITS)


def _names(patterns: list[URLPattern | URLResolver]) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found += _names(pattern.url_patterns)
        elif pattern.name:
            found.append(pattern.name)
    return found
