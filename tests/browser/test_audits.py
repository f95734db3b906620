"""Auditing everything with a button, in a real browser."""

from __future__ import annotations

from django.urls import reverse

from invitations.services import auditing
from logs.models import AuditRun
from tests.browser.test_pages import violations_of_the_policy
from tests.factories import MemberFactory


def test_the_page_tells_by_itself_when_the_audit_is_done(open_page):
    admin = MemberFactory(superuser=True, name="Ada", surname="Admin")
    page = open_page(reverse("audits"), member=admin)

    page.get_by_role("button", name="Audit everything now").click()
    page.get_by_text("An audit is asked for, and begins in a moment…").wait_for()
    auditing.run(AuditRun.objects.get().pk)

    page.get_by_role("heading", name="Everything adds up").wait_for()
    page.get_by_text("asked for by Ada Admin").wait_for()
    assert page.get_by_role("button", name="Audit everything now").is_visible()
    assert page.locator("[hx-get]").count() == 0
    assert violations_of_the_policy(page) == []


def test_the_button_works_without_javascript(open_page):
    admin = MemberFactory(superuser=True)
    page = open_page(reverse("audits"), member=admin, java_script_enabled=False)

    page.get_by_role("button", name="Audit everything now").click()
    auditing.run(AuditRun.objects.get().pk)
    page.get_by_role("link", name="Look again").click()

    assert page.get_by_role("heading", level=2).first.inner_text() == "Everything adds up"
