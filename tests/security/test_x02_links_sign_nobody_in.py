"""X2: a link of a letter never signs anybody in, whatever one opens or presses there."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from members.models import Member

pytestmark = pytest.mark.django_db


def test_x02_whoever_opens_and_presses_everything_behind_a_link_is_still_a_visitor(
    paths: dict[str, str], somebodys: dict[str, object]
):
    Member.objects.filter(pk=somebodys["member_id"]).update(is_superuser=True)
    Session.objects.all().delete()
    stranger = Client()
    said = {"role": "student", "List-Unsubscribe": "One-Click", "scope": "all", "rating": "5"}
    behind_a_link = {name: path for name, path in paths.items() if _is_token(path, somebodys)}

    for path in behind_a_link.values():
        for ask in (stranger.get, stranger.head, stranger.post):
            ask(path, said)

    assert {"invitation", "accept", "unsubscribe", "feedback", "calendar"} <= behind_a_link.keys()
    assert not Session.objects.exists()
    assert "sessionid" not in stranger.cookies
    assert "/login/" in stranger.get(reverse("portal"))["Location"]


def _is_token(path: str, somebodys: dict[str, object]) -> bool:
    tokens = {str(somebodys[name]) for name in somebodys if name.endswith("token")}
    return any(token in path for token in tokens)
