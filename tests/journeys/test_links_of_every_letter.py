"""
C3 and X2, as an outsider would see them: every link of every letter is opened by somebody who has
nothing but the link, as mail scanners do, and nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.urls import resolve
from pytest_django.live_server_helper import LiveServer

from chapters.models import Subscription, Workshop
from members.models import Language
from tests.factories import in_days
from tests.support import links
from tests.support.database import sums_of_all_tables
from tests.support.every_letter import AT_A_VENUE, IN_A_CALL, Arrived, send_every_letter
from tests.support.outsider import follow
from tests.support.processes import Station


@pytest.fixture
def site(live_server: LiveServer, settings) -> str:
    settings.SITE_URL = live_server.url
    return str(live_server.url)


def ours(letters: list[Arrived], site: str) -> dict[str, Arrived]:
    """Every link to our own site, and a letter it stands in."""
    return {
        link: letter
        for letter in letters
        for link in links.of_letter(letter.caught.message)
        if link.startswith(f"{site}/")
    }


def what_happens(found: dict[str, Arrived]) -> Iterator[str]:
    """Each step on the way of each link that is not as it should be."""
    for link, letter in found.items():
        for method in ("GET", "HEAD"):
            steps = follow(link, method=method)
            statuses = [step.status for step in steps]
            if statuses[-1] != 200 or not set(statuses[:-1]) <= {301, 302, 303, 307, 308}:
                yield f"{letter!r}: {method} {link}: {statuses}"
            for step in steps:
                if django_settings.SESSION_COOKIE_NAME in step.cookies:
                    yield f"{letter!r}: {method} {link} begins a session"


@pytest.mark.parametrize("language", Language)
def test_opening_every_link_of_every_letter_changes_nothing(
    station: Station, site: str, language: Language
):
    kinds = (AT_A_VENUE, IN_A_CALL) if language == Language.ENGLISH else (AT_A_VENUE,)
    found = ours(send_every_letter(station.sink, language, kinds=kinds), site)
    assert {resolve(urlsplit(link).path).url_name for link in found} >= {
        *("home", "invitation", "feedback", "unsubscribe", "subscriptions"),
        "organiser_workshop",  # which a test letter leads to
    }
    before = sums_of_all_tables()

    assert list(what_happens(found)) == []
    assert sums_of_all_tables() == before
    assert not Session.objects.exists()


def test_they_still_open_when_everything_is_over(station: Station, site: str):
    """Letters stay in the mailbox, and scanners come back to them."""
    found = ours(send_every_letter(station.sink, Language.ENGLISH), site)
    Subscription.objects.all().delete()
    Workshop.objects.update(starts_at=in_days(-400), ends_at=in_days(-399))
    before = sums_of_all_tables()

    assert list(what_happens(found)) == []
    assert sums_of_all_tables() == before
    assert not Session.objects.exists()
