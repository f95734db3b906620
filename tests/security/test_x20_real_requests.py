"""X20: what no test client can send: a body that nobody announced, to the web as it is hosted."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator

import psutil
import pytest

from logs.models import Bounce, Tally
from tests.factories import MemberFactory
from tests.logs.test_providers import AMINA, SECRET, of_postmark, password
from tests.support.web import Web, serving

MEGABYTE = 2**20


@pytest.fixture
def web(ledger: None) -> Iterator[Web]:
    # One process, so that none is still growing up while its memory is measured.
    with serving(BOUNCE_PROVIDER="postmark", BOUNCE_SECRET=SECRET, WEB_CONCURRENCY="1") as web:
        yield web


def tell(web: Web, body: bytes | Iterator[bytes], *, chunked: bool) -> int | None:
    """The status of the answer; None where it hung up on somebody who went on talking."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    head = {"Content-Type": "application/json", "Authorization": password()["HTTP_AUTHORIZATION"]}
    try:
        connection.request("POST", "/bounces/postmark/", body, head, encode_chunked=chunked)
        return connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        return None
    finally:
        connection.close()


def counts() -> dict[str, int]:
    return dict(Tally.objects.values_list("name", "count"))


def test_x20_50_mb_that_nobody_announced_are_refused_and_counted(web: Web):
    """
    Without a length Django reads nothing, so it is unreadable: a provider always announces one.
    """
    member = MemberFactory(email=AMINA)
    told = json.dumps(of_postmark()).encode()
    tell(web, iter([told]), chunked=True)
    before = _memory()

    status = tell(web, (told.ljust(MEGABYTE) for _ in range(50)), chunked=True)

    assert status in (400, None)
    assert counts() == {"bounces_unreadable": 2}
    assert _memory() - before < 25 * MEGABYTE
    member.refresh_from_db()
    assert member.address_unusable_at is None
    assert not Bounce.objects.exists()


def test_x20_50_mb_that_were_announced_are_refused_and_counted(web: Web):
    assert tell(web, b" " * 50 * MEGABYTE, chunked=False) in (413, None)

    assert counts() == {"bounces_too_large": 1}


def test_x20_what_a_provider_sends_is_taken(web: Web):
    MemberFactory(email=AMINA)

    assert tell(web, json.dumps(of_postmark()).encode(), chunked=False) == 200
    assert Bounce.objects.count() == 1
    assert counts() == {}


def _memory() -> int:
    """Of all that this test has started, in bytes."""
    return sum(child.memory_info().rss for child in psutil.Process(os.getpid()).children(True))
