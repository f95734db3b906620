"""Stopping what is being sent, in a real browser: for everybody, and without JavaScript."""

from collections.abc import Callable

import pytest
from django.urls import reverse

from logs.models import Switch
from logs.services import switches
from members.models import Member
from tests.browser.test_pages import (
    Visit,
    assert_suits_everybody,
)
from tests.factories import ChapterFactory, InvitationLogEntryFactory, MemberFactory


def admin() -> Member:
    member: Member = MemberFactory(superuser=True)
    return member


def sending() -> Visit:
    InvitationLogEntryFactory()
    switches.stop(ChapterFactory(), by=MemberFactory(), reason="A reason of some words")
    return reverse("delivery"), admin()


def sending_stopped() -> Visit:
    switches.stop()
    return reverse("delivery"), admin()


def a_page_beside() -> Visit:
    ChapterFactory()
    switches.stop()
    return reverse("workshops"), admin()


def stop() -> Visit:
    return reverse("delivery_stop"), admin()


def resume_a_chapter() -> Visit:
    return reverse("chapter_resume", args=[ChapterFactory().pk]), admin()


def purge() -> Visit:
    InvitationLogEntryFactory.create_batch(2)
    return reverse("purge") + "?action=invite", admin()


def purge_of_nobody() -> Visit:
    return reverse("purge") + "?action=hello", admin()


def purge_refused() -> Visit:
    return reverse("purge") + "?log=none&since=soon", admin()


PAGES: list[Callable[[], Visit]] = [
    sending, sending_stopped, a_page_beside, stop, resume_a_chapter, purge, purge_of_nobody,
    purge_refused,
]  # fmt: skip


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_suits_everybody(build, open_page):
    path, member = build()
    page = open_page(path, member=member)

    assert_suits_everybody(page)


def test_stopping_and_going_on_works_without_javascript(open_page):
    page = open_page(reverse("delivery"), member=admin(), java_script_enabled=False)

    page.get_by_role("link", name="Stop all sending").click()
    page.get_by_label("Why").fill("Wrong chapter")
    page.get_by_role("button", name="Stop all sending").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Sending is stopped"
    assert not Switch.objects.get(chapter=None).is_on

    page.get_by_role("link", name="Let letters leave again").click()
    page.get_by_role("button", name="Let letters leave again").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Letters leave"
    assert Switch.objects.get(chapter=None).is_on
