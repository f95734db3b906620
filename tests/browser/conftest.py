"""A real browser against the real server, on PostgreSQL."""

import os
import threading
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from codebar.local.browser import find_or_install
from members.models import Member
from tests.support.waiting import wait_until

OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PATIENCE = 30_000  # milliseconds, for what will be there soon

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that `bin/test` found, or one that can be had; a clear word when none can."""
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright's loop runs in this thread, and Django takes that for asynchronous code.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CODEBAR_BROWSER") or find_or_install(), args=OPTIONS
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, ledger: None, live_server: LiveServer) -> Iterator[OpenPage]:
    """
    Open a path as a member, or as a visitor.

    What the browser complains about is collected in `page.complaints`.
    """
    contexts: list[BrowserContext] = []

    def open_page(path: str, *, member: Member | None = None, **options: object) -> Page:
        # A colour on its way from light to dark has a contrast that nobody reads.
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if member is not None:
            context.add_cookies([session_of(member, live_server.url)])
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    wait_until(the_server_rests, what="the server answers a page that is closed")


def the_server_rests() -> bool:
    """No request of this test is left over for the next."""
    return not any("process_request_thread" in thread.name for thread in threading.enumerate())


def session_of(member: Member, url: str) -> dict[str, str]:
    client = Client()
    client.force_login(member)
    name = django_settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}
