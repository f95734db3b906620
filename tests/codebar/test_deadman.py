"""Whoever asks from outside hears that the sweep has died; what raises alerts could not say so."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from logs.models import Heartbeat
from logs.services import heartbeats


@pytest.mark.django_db
def test_alive_with_its_age_and_nothing_else():
    heartbeats.beat(heartbeats.SWEEP)

    response = Client().get("/deadman")

    assert response.status_code == 200
    assert response.json().keys() == {"sweep_age_seconds"}
    assert 0 <= response.json()["sweep_age_seconds"] < 5


@pytest.mark.django_db
def test_silent_for_too_long(settings):
    heartbeats.beat(heartbeats.SWEEP)
    heartbeats.beat(heartbeats.BEAT)
    silent = timedelta(seconds=settings.DEADMAN_SECONDS + 1)
    Heartbeat.objects.filter(name=heartbeats.SWEEP).update(at=timezone.now() - silent)

    response = Client().get("/deadman")

    assert response.status_code == 503
    assert response.json()["sweep_age_seconds"] > settings.DEADMAN_SECONDS


@pytest.mark.django_db
def test_nobody_has_ever_swept():
    response = Client().get("/deadman")

    assert (response.status_code, response.json()) == (503, {"sweep_age_seconds": None})


@pytest.mark.django_db
def test_it_only_shows():
    heartbeats.beat(heartbeats.SWEEP)
    at = Heartbeat.objects.get().at

    assert Client().head("/deadman").status_code == 200
    assert Client().post("/deadman").status_code == 405
    assert Heartbeat.objects.get().at == at


@pytest.mark.django_db
def test_a_probe_speaks_plain_http_to_the_process(settings):
    settings.SECURE_SSL_REDIRECT = True
    heartbeats.beat(heartbeats.SWEEP)

    assert Client().get("/deadman").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_says_no_more_than_that():
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["PORT"] = 1
    try:
        response = Client().get("/deadman")
    finally:
        connection.close()
        connection.settings_dict.update(before)

    assert (response.status_code, response.json()) == (503, {"sweep_age_seconds": None})
