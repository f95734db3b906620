"""What admins look at when something may be wrong, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from logs.models import Alert, EntryStatus, Heartbeat, Hold, LogStatus, Reading, Release, Switch
from logs.services import alerts, heartbeats
from tests.browser import test_pages
from tests.browser.test_pages import LONG_NAME, Visit, log_of, violations_of_the_policy, visit_log
from tests.factories import InvitationLogEntryFactory, MemberFactory, organiser_of

MINUTE = timedelta(minutes=1)


def admin_at(name: str, *args: object) -> Visit:
    return reverse(name, args=args), MemberFactory(superuser=True)


def nothing_yet() -> Visit:
    return admin_at("operations")


def a_bad_day() -> Visit:
    log = log_of(EntryStatus.FAILED)
    alerts.raise_alert("in_doubt", log=log, numbers={"letters": 3})
    alerts.raise_alert("queue_age", numbers={"minutes": 7, "waiting": 1_200})
    Alert.objects.create(kind="held", severity="mail", ended_at=timezone.now())
    Hold.objects.update(since=timezone.now(), reason="“421 too many connections”")
    Switch.objects.create(chapter=log.chapter, is_on=False)
    Heartbeat.objects.create(name=heartbeats.SWEEP, at=timezone.now() - 9 * MINUTE)
    now = timezone.now()
    for ago in (90, 60, 20, 8):
        Reading.objects.create(
            minute=now - ago * MINUTE,
            release="2.0",
            sent=900 + ago,
            smtp_ms=20_000,
            pending=100_000,
            oldest_due_seconds=480,
            failed=12,
            unknown=3,
        )
    Release.objects.create(name="2.0+1a2b3c4", seen_at=now - 60 * MINUTE)
    return admin_at("operations")


def letters_in_doubt() -> Visit:
    log = log_of(*[EntryStatus.UNKNOWN] * 11, status=LogStatus.COMPLETED)
    same = log_of(EntryStatus.UNKNOWN, status=LogStatus.CANCELLED, workshop=log.workshop)
    InvitationLogEntryFactory(
        log=None,
        workshop=same.workshop,
        member=MemberFactory(**LONG_NAME),
        action="confirmation",
        status=EntryStatus.UNKNOWN,
        reason="the connection broke twice after the letter was handed over",
    )
    return reverse("in_doubt"), organiser_of(log.chapter)


def nothing_in_doubt() -> Visit:
    return admin_at("in_doubt")


def all_in_doubt() -> Visit:
    log = log_of(*[EntryStatus.UNKNOWN] * 3, status=LogStatus.COMPLETED)
    return admin_at("doubts_decide", log.pk, "again")


def runbook() -> Visit:
    return admin_at("runbook")


def log_with_an_alert() -> Visit:
    log = log_of(EntryStatus.PENDING)
    alerts.raise_alert("stalled_log", log=log, numbers={"minutes": 12, "waiting": 1})
    return visit_log(log)


PAGES: list[Callable[[], Visit]] = [
    nothing_yet,
    a_bad_day,
    letters_in_doubt,
    nothing_in_doubt,
    all_in_doubt,
    runbook,
    log_with_an_alert,
]


@pytest.mark.parametrize("build", PAGES, ids=lambda build: build.__name__)
def test_a_page_suits_everybody(build, open_page):
    test_pages.test_a_page_suits_everybody(build, open_page)


def test_an_open_page_hears_of_an_alert_but_not_while_a_table_is_read(open_page):
    path, admin = a_bad_day()
    page = open_page(path, member=admin)
    page.get_by_text("2 things need a look").wait_for()
    look_again = "document.dispatchEvent(new Event('visibilitychange'))"
    table = page.locator("summary").first

    table.click()
    alerts.raise_alert("server_errors", numbers={"errors": 9, "minutes": 5})
    page.evaluate(look_again)
    page.wait_for_timeout(500)
    assert page.get_by_role("region", name="Letters a minute, as a table").is_visible()
    assert page.get_by_text("2 things need a look").is_visible()

    table.click()
    page.evaluate(look_again)
    page.get_by_text("3 things need a look").wait_for()
    assert page.get_by_text("Pages fail", exact=True).is_visible()
    assert violations_of_the_policy(page) == []


def test_an_alert_leads_to_its_part_of_the_runbook(open_page):
    path, admin = a_bad_day()
    page = open_page(path, member=admin)

    page.locator(f"#runbook-of-{Alert.objects.get(kind='queue_age').pk}").click()

    assert page.url.endswith("#queue_age")
    assert "Letters wait too long" in page.locator(":target").inner_text()


def test_all_letters_in_doubt_are_decided_about_without_javascript(open_page):
    path, organiser = letters_in_doubt()
    page = open_page(path, member=organiser, java_script_enabled=False)

    page.get_by_role("link", name="All 11 arrived…").click()
    page.get_by_label("Type 11 to confirm").fill("11")
    page.get_by_role("button", name="Count these 11 as sent").click()

    page.get_by_text("Noted as arrived: 11.").wait_for()
    page.get_by_text("2 letters may have arrived").wait_for()
