"""X20: a signature of Mailgun's, which covers nothing of what is told, holds once, for hours."""

from __future__ import annotations

import time

import pytest

from codebar.local import ports
from logs.models import Bounce, InvitationLogEntry, Tally
from tests.logs.test_providers import SECRET, amina, letter, of_mailgun, signature, tell

__all__ = ["amina", "letter"]  # fixtures

pytestmark = pytest.mark.django_db

HOUR = 3600


@pytest.fixture(autouse=True)
def mailgun(settings) -> None:
    settings.BOUNCE_PROVIDER, settings.BOUNCE_SECRET = "mailgun", SECRET


def counts() -> dict[str, int]:
    return dict(Tally.objects.values_list("name", "count"))


@pytest.mark.parametrize(
    ("seconds_ago", "status"),
    [(8.9 * HOUR, 200), (9.1 * HOUR, 403), (-8.9 * HOUR, 200), (-9.1 * HOUR, 403)],
)
def test_x20_a_signature_of_another_time_is_refused(letter, seconds_ago, status):
    assert tell(of_mailgun(letter, seconds_ago=seconds_ago), "mailgun") == status

    assert Bounce.objects.count() == (status == 200)
    assert counts() == ({} if status == 200 else {"bounces_forged": 1})


def test_x20_how_old_it_may_be_is_a_setting(letter, settings):
    settings.BOUNCE_HOURS = 1

    assert tell(of_mailgun(letter, seconds_ago=0.9 * HOUR), "mailgun") == 200
    assert tell(of_mailgun(letter, seconds_ago=1.1 * HOUR), "mailgun") == 403


def test_x20_a_moment_that_is_none_is_refused(letter):
    told = of_mailgun(letter)
    told["signature"]["timestamp"] = "nan"
    told["signature"]["signature"] = signature(f"nan{told['signature']['token']}".encode())

    assert tell(told, "mailgun") == 403
    assert not Bounce.objects.exists()


def test_x20_a_signature_that_was_seen_tells_nothing_else(letter: InvitationLogEntry):
    seen = of_mailgun(letter, event="delivered")
    assert tell(seen, "mailgun") == 200

    forged = of_mailgun(letter) | {"signature": seen["signature"]}

    assert tell(forged, "mailgun") == 403
    assert not Bounce.objects.exists()
    assert counts() == {"bounces_forged": 1}


def test_x20_where_the_moment_ends_cannot_be_moved(letter):
    """What is signed is moment and token in a row; 1763805600 and 1763805600e0 are one number."""
    seen = of_mailgun(letter, event="delivered")
    moment, token = seen["signature"]["timestamp"], f"e0{seen['signature']['token']}"
    signed = signature(f"{moment}{token}".encode())
    seen["signature"] = {"timestamp": moment, "token": token, "signature": signed}
    assert tell(seen, "mailgun") == 200

    moved = {"timestamp": f"{moment}e0", "token": token[2:], "signature": signed}

    assert tell(of_mailgun(letter) | {"signature": moved}, "mailgun") == 403
    assert not Bounce.objects.exists()


def test_x20_the_same_again_is_welcome_and_changes_nothing(letter):
    told = of_mailgun(letter, id="ncV2XwymRUKbPek_MIM-Gw", seconds_ago=HOUR)

    assert [tell(told, "mailgun") for _ in range(3)] == [200, 200, 200]

    assert Bounce.objects.count() == 1
    assert counts() == {"bounces_replayed": 2}


def test_x20_what_cannot_be_checked_is_to_be_told_again(letter, settings):
    told = of_mailgun(letter)
    here = settings.CACHES
    nobody = {"LOCATION": f"redis://127.0.0.1:{ports.pick()}/0"}
    settings.CACHES = {"default": here["default"] | nobody}

    assert tell(told, "mailgun") == 503
    assert not Bounce.objects.exists()
    assert counts() == {"server_errors": 1}  # so that somebody hears of it

    settings.CACHES = here
    assert tell(told, "mailgun") == 200
    assert Bounce.objects.count() == 1


def test_x20_a_token_is_believed_as_long_as_it_is_remembered(letter, settings):
    """One that is signed for later can still be used at the end of that time, and no longer."""
    settings.BOUNCE_HOURS = 2 / HOUR
    ahead = of_mailgun(letter, event="delivered", seconds_ago=-1)
    assert tell(ahead, "mailgun") == 200

    forged = of_mailgun(letter) | {"signature": ahead["signature"]}
    time.sleep(2)
    assert tell(forged, "mailgun") == 403
    time.sleep(2)

    assert tell(forged, "mailgun") == 403
    assert not Bounce.objects.exists()
