"""X4: a form that is not of our own page is refused everywhere, but for the few named here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from members.models import Member
from tests.support.database import sums_of_all_tables

pytestmark = pytest.mark.django_db

EXEMPT = {
    "unsubscribe": "a mail program has no form of ours; the token alone decides (RFC 8058)",
    "choose_language": "a visitor's cookie; another site sends nobody's session along",
    "bounces": "it comes from no browser; the provider's secret proves it",
}


def patterns(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for each in found:
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns)
        else:
            yield each


def test_x04_the_exemptions_are_these():
    exempt = {
        each.name
        for each in patterns(get_resolver().url_patterns)
        if getattr(each.callback, "csrf_exempt", False)
    }

    assert exempt == EXEMPT.keys()


def test_x04_every_other_address_refuses_a_forged_form_and_changes_nothing(
    paths: dict[str, str], people: dict[str, Client]
):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(Member.objects.get(name="Admin"))
    before = sums_of_all_tables()

    answered = {
        name: browser.post(path, headers={"Origin": "https://evil.example"}).status_code
        for name, path in paths.items()
        if name not in EXEMPT
    }

    assert {name: status for name, status in answered.items() if status != 403} == {}
    assert sums_of_all_tables() == before


def test_x04_the_staff_pages_refuse_it_too(people: dict[str, Client]):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(Member.objects.get(name="Admin"))

    assert browser.post("/staff/chapters/chapter/add/", {"name": "x"}).status_code == 403
