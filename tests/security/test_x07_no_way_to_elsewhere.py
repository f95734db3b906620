"""X7: nothing that comes along with a request leads to another site (signing in: tests/members)."""

from __future__ import annotations

from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

pytestmark = pytest.mark.django_db

ELSEWHERE = [
    "//evil.example",
    "https:evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "///evil.example",
    "https://testserver@evil.example",
    "javascript:alert(1)",
]
NAMES = ("next", "back", "return", "return_to", "url", "redirect", "continue")


def leads_here(response: HttpResponse) -> bool:
    leads_to = urlsplit(urljoin("http://testserver/", response.headers.get("Location", "")))
    return leads_to.hostname == "testserver" and leads_to.scheme in ("http", "https")


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize(
    "name", ["choose_language", "subscribe", "leave", "account_login", "terms"]
)
def test_x07_no_page_that_goes_back_goes_elsewhere(
    elsewhere: str, name: str, people: dict[str, Client], paths: dict[str, str]
):
    told = {"next": elsewhere, "language": "de", "accepted": "on"}

    for response in (
        people["member"].post(paths[name], told),
        people["member"].post(f"{paths[name]}?{urlencode(told)}"),
        people["member"].get(paths[name], told),
    ):
        assert leads_here(response)


@pytest.mark.parametrize("person", ["visitor", "admin"])
def test_x07_no_address_leads_to_another_site(
    person: str, people: dict[str, Client], paths: dict[str, str]
):
    told = dict.fromkeys(NAMES, "//evil.example") | {"language": "de"}
    from_there = {"Referer": "https://evil.example/"}

    for name, path in paths.items():
        if name == "account_logout":
            continue  # by then there would be nobody to ask for the rest
        for response in (
            people[person].get(path, told, headers=from_there),
            people[person].post(path, told, headers=from_there),
        ):
            assert leads_here(response), name
