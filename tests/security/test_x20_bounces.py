"""X20: whoever tells us about bounces proves it, tells it once, and tells no novels."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest
from django.test import Client
from django.urls import reverse

from logs.models import Bounce, Tally
from members.models import Member
from tests.factories import MemberFactory
from tests.logs.test_providers import AMINA, SECRET, of_postmark, password, tell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def amina() -> Member:
    return MemberFactory(email=AMINA)


@pytest.fixture
def postmark(settings) -> None:
    settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET = "postmark", SECRET


def nothing_changed(member: Member) -> bool:
    member.refresh_from_db()
    return member.address_unusable_at is None and not Bounce.objects.exists()


def counts() -> dict[str, int]:
    return dict(Tally.objects.values_list("name", "count"))


@pytest.mark.parametrize("provider", ["postmark", "mailgun", "nobody"])
def test_x20_without_a_secret_there_is_no_such_address(amina, settings, provider):
    settings.BOUNCE_PROVIDER = settings.BOUNCE_SECRET = ""

    assert tell(of_postmark(), provider) == 404
    assert tell(of_postmark(), provider, **password("")) == 404
    assert nothing_changed(amina)


def test_x20_another_provider_than_ours_is_not_listened_to(amina, postmark):
    assert tell(of_postmark(), "brevo") == 404
    assert nothing_changed(amina)


FORGED = {
    "nothing": {"HTTP_X_NOTHING": "1"},
    "another password": password("another-secret-that-nobody-guesses"),
    "no password": password(""),
    "only a part": password(SECRET[:-1]),
    "no Basic": {"HTTP_AUTHORIZATION": f"Bearer {SECRET}"},
    "no base64": {"HTTP_AUTHORIZATION": "Basic é"},
    "one word": {"HTTP_AUTHORIZATION": "Basic"},
}


@pytest.mark.parametrize("head", FORGED.values(), ids=FORGED)
def test_x20_forged_is_refused_and_counted(amina, postmark, head):
    assert tell(of_postmark(), **head) == 403

    assert nothing_changed(amina)
    assert counts() == {"bounces_forged": 1}


def test_x20_replayed_changes_nothing_and_is_counted(amina, postmark):
    assert [tell(of_postmark()) for _ in range(3)] == [200, 200, 200]

    assert Bounce.objects.count() == 1
    assert counts() == {"bounces_replayed": 2}


class Unread:
    """What comes in on a connection; whoever reads of it fails."""

    def read(self, *_: object) -> NoReturn:
        raise AssertionError("somebody read it")

    readline = read


def test_x20_50_mb_are_refused_unread_and_counted(amina, postmark):
    response = Client().generic(
        "POST",
        reverse("bounces", args=["postmark"]),
        content_type="application/json",
        **{"CONTENT_LENGTH": str(50 * 2**20), "wsgi.input": Unread()},
        **password(),
    )

    assert response.status_code == 413
    assert nothing_changed(amina)
    assert counts() == {"bounces_too_large": 1}


def test_x20_a_megabyte_is_read(amina, postmark):
    raw = json.dumps(of_postmark()).encode()

    assert tell(raw.ljust(2**20)) == 200
    assert Bounce.objects.count() == 1


NESTED = b"[" * 500_000
UNREADABLE = {
    "nothing": b"",
    "no JSON": b"<xml/>",
    "no UTF-8": b'{"RecordType": "\xff"}',
    "nested": NESTED,
    "a list": b"[1, 2]",
    "a number": b"7",
    "nothing in it": b"null",
    "an odd moment": json.dumps(of_postmark(BouncedAt={})).encode(),
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_x20_what_makes_no_sense_is_refused_and_counted(amina, postmark, raw):
    assert tell(raw) == 400

    assert nothing_changed(amina)
    assert counts() == {"bounces_unreadable": 1}


def test_x20_only_json_is_read(amina, postmark):
    response = Client().post(
        reverse("bounces", args=["postmark"]), {"payload": json.dumps(of_postmark())}, **password()
    )

    assert response.status_code == 400
    assert nothing_changed(amina)


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options"])
def test_x20_only_post_is_taken(amina, postmark, method):
    response = getattr(Client(), method)(reverse("bounces", args=["postmark"]), **password())

    assert response.status_code == 405
    assert nothing_changed(amina)


def test_x20_no_csrf_token_is_asked_for(amina, postmark):
    response = Client(enforce_csrf_checks=True).post(
        reverse("bounces", args=["postmark"]),
        json.dumps(of_postmark()),
        content_type="application/json",
        **password(),
    )

    assert response.status_code == 200
    assert Bounce.objects.count() == 1
