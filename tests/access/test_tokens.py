"""
A key that fits nowhere: every address with a token, asked with wrong, old and foreign ones.

All of them are answered like an address that never was, so nobody learns whether a token once
opened something, or opens something else; and no log keeps one that does.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.signing import Signer
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from chapters.models import Role
from codebar.discretion import HideTokens
from invitations.models import Answer, FeedbackRequest, Invitation
from invitations.services import closing, unsubscribing
from tests.factories import InvitationFactory

pytestmark = pytest.mark.django_db

TOKEN = re.compile("<(str|path):token>")
# The page says where it is, and its form has a secret of its own; nothing else may differ.
OF_THIS_ANSWER = re.compile(r'name="(next|csrfmiddlewaretoken)" value="[^"]*"')


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


ROUTES = sorted(route for route in routes(get_resolver().url_patterns) if "token>" in route)


def address(route: str, key: str) -> str:
    return "/" + TOKEN.sub(lambda _: key, route)


def kind_of(route: str) -> str:
    """What the token of this address is for."""
    return route.split("/")[0].replace("workshop_", "")


def keys() -> dict[str, str]:
    """A token that fits, for each kind of page, all of one member."""
    invitation = InvitationFactory(answer=Answer.ATTENDING)
    invitation.refresh_from_db()
    asked = FeedbackRequest.objects.create(invitation=invitation)
    asked.refresh_from_db()
    return {
        "invitation": invitation.token,
        "feedback": asked.token,
        "unsubscribe": unsubscribing.token_for(
            member_id=invitation.member_id,
            chapter_id=invitation.workshop.chapter_id,
            role=Role.STUDENT,
        ),
    }


def wrong_keys(kind: str) -> dict[str, str]:
    fitting = keys()
    key = fitting.pop(kind)
    old = keys()
    closing.close(Invitation.objects.latest("pk").member, at=timezone.now())
    wrong = {
        "never given": "Ab-_" * 10 + "xyz",
        "of another page": fitting.popitem()[1],
        "of a third page": fitting.popitem()[1],
        "cut short": key[:-1],
        "too long": f"{key}x",
        "in another case": key.swapcase(),
        "with a blank": f"{key} ",
        "a number": "1",
        "a nothing": "%00",
        "a line break": "x%0d%0aSet-Cookie:%20a=b",
        "a letter elsewhere": "schlüssel",
        "endless": "x" * 5000,
        "a wildcard": "%25",
        "signed for something else": Signer(salt="x", sep=".").sign_object([1, 1, "student"]),
    }
    if kind != "unsubscribe":  # such a link goes on to say that these letters have stopped
        wrong["of a closed account"] = old[kind]
    return wrong


SAID = {"List-Unsubscribe": "One-Click", "role": "student", "scope": "these"}


def page(response: HttpResponse) -> tuple[int, str]:
    return response.status_code, OF_THIS_ANSWER.sub("", response.content.decode())


def test_there_are_addresses_with_a_token():
    assert {kind_of(route) for route in ROUTES} == set(keys())


@pytest.mark.parametrize("route", ROUTES)
def test_whatever_does_not_fit_is_answered_as_if_nothing_had_ever_been_there(route, client):
    is_to_stop = kind_of(route) == "unsubscribe"  # then the page mails another link
    nowhere = page(client.get("/nowhere/at/all"))
    nothing = page(client.get("/unsubscribe/nothing")) if is_to_stop else nowhere
    assert (nowhere[0], nothing[0]) == (404, 404)
    assert ("Send me a link" if is_to_stop else "copy the whole link") in nothing[1]
    is_only_shown = client.post(address(route, "x"), SAID).status_code == 405  # whatever the token

    for why, key in wrong_keys(kind_of(route)).items():
        opened = client.get(address(route, key), follow=True)
        pressed = client.post(address(route, key), SAID, follow=True)
        assert page(opened) == (nowhere if why == "a line break" else nothing), why
        assert client.head(address(route, key), follow=True).status_code == 404, why
        assert page(pressed) == ((405, "") if is_only_shown else page(opened)), why


@pytest.mark.parametrize("route", [route for route in ROUTES if "unsubscribe" not in route])
def test_a_forged_form_is_refused_alike_whether_the_token_fits_or_not(route):
    client = Client(enforce_csrf_checks=True)
    fitting = keys()[kind_of(route)]

    responses = [client.post(address(route, key)) for key in (fitting, "Ab-_" * 10 + "xyz")]

    assert [response.status_code for response in responses] == [403, 403]
    assert page(responses[0]) == page(responses[1])


# ---- What the logs keep ---------------------------------------------------------------------


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """What the process says on its standard error, as production sets it up."""
    (handler,) = [
        each
        for each in logging.getLogger().handlers
        if any(isinstance(one, HideTokens) for one in each.filters)
    ]
    assert isinstance(handler, logging.StreamHandler)
    stream = StringIO()
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before)


@pytest.mark.parametrize("route", ROUTES)
def test_no_log_keeps_a_token(route, logged):
    client, strict = Client(), Client(enforce_csrf_checks=True)
    fitting = keys()
    for key in fitting.values():
        path = address(route, key)
        for ask in (client.get, client.head, client.post, client.put, client.delete, strict.post):
            ask(path, follow=True)
        client.get(path, headers={"Referer": f"http://testserver{path}"})
        client.get(f"{path}/nothing")
        client.get(f"{path}?x=1")

    said = logged.getvalue()
    assert re.search(r"(Not Found|Not Allowed|Forbidden)", said)
    assert [
        line for line in said.splitlines() if any(key in line for key in fitting.values())
    ] == []


@pytest.mark.parametrize("name", ["", "django", "django.request", "django.server"])
def test_no_logger_has_a_way_out_that_keeps_tokens(name):
    """Also those that Django has of its own, for runserver and while DEBUG is on."""
    logger = logging.getLogger(name)
    own = [each for each in logger.handlers if not type(each).__module__.startswith("_pytest")]

    assert [each for each in own if not any(isinstance(x, HideTokens) for x in each.filters)] == []
    assert not name or logger.propagate


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("/invitation/%s", "/invitation/…"),
        ("/invitation/%s/accept", "/invitation/…/accept"),
        ("/invitation/%%20%s", "/invitation/…"),
        ("/invitation/ %s", "/invitation/…"),
        ("/accounts/login/?next=/unsubscribe/%s&x=1", "/accounts/login/?next=/unsubscribe/…&x=1"),
        ("/login?next=%%2Finvitation%%2F%s%%2Faccept", "/login?next=%2Finvitation%2F…%2Faccept"),
    ],
)
def test_what_runserver_says_of_a_request_hides_the_token(asked, said, logged):
    token = "Ab-_" * 10

    logging.getLogger("django.server").info('"GET %s HTTP/1.1" %s', asked % token, 200)

    assert json.loads(logged.getvalue())["event"] == f'"GET {said} HTTP/1.1" 200'
