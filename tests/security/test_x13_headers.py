"""X13: every answer tells the browser what it may do, also one that nobody planned."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from tests.access.test_who_may import QUERIES

pytestmark = pytest.mark.django_db


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("as a page that nobody tried")


urlpatterns = [path("broken", broken, name="broken"), path("", include("codebar.urls"))]


def policy_of(response: HttpResponse) -> dict[str, list[str]]:
    parts = response.headers["Content-Security-Policy"].split(";")
    return {words[0]: words[1:] for words in map(str.split, parts) if words}


def assert_is_safe(response: HttpResponse, name: str) -> None:
    policy = policy_of(response)
    assert policy.get("object-src", policy["default-src"]) == ["'none'"], name
    assert policy["base-uri"] == ["'none'"], name
    assert policy["frame-ancestors"] in (["'none'"], ["'self'"]), name
    scripts = policy.get("script-src", policy["default-src"])
    assert scripts in (["'self'"], ["'none'"]), name
    assert response.headers["X-Content-Type-Options"] == "nosniff", name
    assert response.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), name


@pytest.mark.parametrize("person", ["visitor", "admin"])
def test_x13_every_answer_has_them(person: str, people: dict[str, Client], paths: dict[str, str]):
    for name, address in paths.items():
        for response in (
            people[person].get(address, QUERIES.get(name, {})),
            people[person].post(address),
        ):
            assert_is_safe(response, name)


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("asked", "status"), [("/no/such/page", 404), ("/broken", 500)])
def test_x13_so_have_those_that_went_wrong(asked: str, status: int):
    response = Client(raise_request_exception=False).get(asked)

    assert response.status_code == status
    assert_is_safe(response, asked)


def test_x13_so_has_a_form_that_was_forged():
    response = Client(enforce_csrf_checks=True).post("/accounts/login/")

    assert response.status_code == 403
    assert_is_safe(response, "forged")


def test_x13_no_page_may_be_framed_but_the_letters(
    people: dict[str, Client], paths: dict[str, str]
):
    framed = {
        name
        for name, address in paths.items()
        if policy_of(people["admin"].get(address, QUERIES.get(name, {})))["frame-ancestors"]
        == ["'self'"]
    }

    assert {name for name in framed if "letter" not in name} == set()
