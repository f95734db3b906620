"""Saying sorry to the people of a log, in a real browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from logs.models import Action, EntryStatus, InvitationLog, LogStatus
from members.models import Member
from tests.browser import test_pages
from tests.browser.test_pages import Visit
from tests.factories import (
    BanFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    organiser_of,
)


def log_with_people(status: LogStatus = LogStatus.COMPLETED) -> InvitationLog:
    log: InvitationLog = InvitationLogFactory(status=status)
    for outcome in ("success", "success", "success", "unknown", "failed"):
        member = InvitationFactory(workshop=log.workshop).member
        InvitationLogEntryFactory(log=log, member=member, status=EntryStatus(outcome), reason="x")
    BanFactory(member=member)
    return log


def visit(log: InvitationLog, member: Member | None = None) -> Visit:
    return reverse("repair", args=[log.workshop_id, log.pk]), member or organiser_of(log.chapter)


def write() -> Visit:
    return visit(log_with_people())


def write_as_an_admin() -> Visit:
    return visit(log_with_people(), MemberFactory(superuser=True))


def not_while_it_sends() -> Visit:
    return visit(log_with_people(LogStatus.RUNNING))


@pytest.mark.parametrize(
    "build", [write, write_as_an_admin, not_while_it_sends], ids=lambda build: build.__name__
)
def test_the_page_suits_everybody(build, open_page):
    test_pages.test_a_page_suits_everybody(build, open_page)


def test_the_number_is_asked_for_on_a_page_that_suits_everybody(open_page, settings):
    settings.GUARD_SIZE = 2
    path, organiser = write()
    page = open_page(path, member=organiser)
    page.get_by_label("failed (1)").check()
    page.get_by_label("What you have to say").fill("The address was wrong.")
    page.get_by_role("button", name="See how many get it").click()
    page.get_by_role("button", name="Say sorry to 4 people").click()
    page.get_by_text("Type the number to confirm it.").wait_for()

    test_pages.assert_suits_everybody(page)


def test_from_the_log_to_the_letter_without_javascript(open_page):
    log = log_with_people()
    path, organiser = visit(log)
    page = open_page(path.removesuffix("/repair"), member=organiser, java_script_enabled=False)

    page.get_by_role("link", name="Say sorry or correct…").click()
    page.get_by_label("Correct something").check()
    page.get_by_label("What you have to say").fill("We begin at seven.")
    page.get_by_role("button", name="Show what I wrote").click()
    page.frame_locator("iframe").get_by_text("We begin at seven.").last.wait_for()
    page.get_by_role("button", name="See how many get it").click()
    page.get_by_role("heading", name="Correct it for 4 people?").wait_for()
    page.get_by_role("button", name="Change it").click()
    page.get_by_label("in doubt (1)").uncheck()
    page.get_by_role("button", name="See how many get it").click()
    page.get_by_role("button", name="Send the correction to 3 people").click()
    page.get_by_role("heading", name=f"Correction about log {log.pk}").wait_for()

    (made,) = InvitationLog.objects.filter(about=log)
    assert (made.action, made.note, made.recipients) == (
        Action.CORRECTION,
        "We begin at seven.",
        {"statuses": ["success"]},
    )
