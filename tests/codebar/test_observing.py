"""Each request has an id, and an answer that we owe is counted."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from logs.models import Tally
from logs.services import tallies

pytestmark = pytest.mark.django_db


def breaks(_request):
    raise RuntimeError("broken")


class Broken:
    """The site, with a page that breaks."""

    urlpatterns = [path("breaks", breaks), path("", include("codebar.urls"))]


def _counted() -> int:
    since = timezone.now() - timedelta(minutes=1)
    return tallies.counted(tallies.SERVER_ERRORS, since=since)


def test_every_answer_names_its_request():
    first, second = (Client().get(path)["X-Request-ID"] for path in ("/healthz", "/nothing"))

    assert re.fullmatch("[0-9a-f]{32}", first)
    assert re.fullmatch("[0-9a-f]{32}", second)
    assert first != second


@pytest.mark.parametrize("name", ["a1b2c3d4", "req_1-2.3", "x" * 64])
def test_the_name_that_a_proxy_gave_is_kept(name):
    assert Client().get("/healthz", headers={"X-Request-ID": name})["X-Request-ID"] == name


@pytest.mark.parametrize("name", ["short", "x" * 65, "two words", "a" * 8 + "\n", 'x"},{"y":"', ""])
def test_a_name_that_is_none_is_not(name):
    answered = Client().get("/healthz", headers={"X-Request-ID": name})["X-Request-ID"]

    assert re.fullmatch("[0-9a-f]{32}", answered)


def test_what_breaks_is_counted(settings):
    settings.ROOT_URLCONF = Broken
    client = Client(raise_request_exception=False)

    answers = [client.get(path) for path in ("/breaks", "/healthz", "/nothing", "/breaks")]

    assert [answer.status_code for answer in answers] == [500, 200, 404, 500]
    assert _counted() == 2
    assert all(answer["X-Request-ID"] for answer in answers)


def test_a_probe_that_says_no_is_not_counted():
    last = Path("invitations/migrations/max_migration.txt").read_text().strip()
    MigrationRecorder(connection).record_unapplied("invitations", last)

    assert Client().get("/readyz").status_code == 503
    assert not Tally.objects.exists()
