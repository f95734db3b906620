"""What a load balancer asks."""

import socket
import time
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from logs.services import heartbeats
from tests.support import database

pytestmark = pytest.mark.django_db


def test_alive_asks_nobody(django_assert_num_queries):
    with django_assert_num_queries(0):
        response = Client().get("/healthz")

    assert (response.status_code, response.content) == (200, b"alive\n")


def test_ready_with_its_database_and_every_migration():
    heartbeats.beat(heartbeats.SWEEP)

    response = Client().get("/readyz")

    said = {"database": "ok", "broker": "ok", "sweep": "0 s ago"}
    assert (response.status_code, response.json()) == (200, said)


def test_without_broker_and_sweep_pages_can_still_be_shown(settings):
    settings.BROKER_URL = "redis://:secret@127.0.0.1:1/0"

    response = Client().get("/readyz")

    said = {"database": "ok", "broker": "does not answer", "sweep": "never"}
    assert (response.status_code, response.json()) == (200, said)


def test_a_broker_that_stays_silent_holds_nobody_up(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.BROKER_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began_at = time.monotonic()

        response = Client().get("/readyz")

    assert response.json()["broker"] == "does not answer"
    assert time.monotonic() - began_at < 3


def test_not_ready_with_a_migration_missing():
    last = Path("invitations/migrations/max_migration.txt").read_text().strip()
    MigrationRecorder(connection).record_unapplied("invitations", last)

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["unapplied_migrations"] == [f"invitations.{last}"]


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_its_database():
    with database.away():
        response = Client().get("/readyz")

    assert (response.status_code, response.json()) == (503, {"database": "does not answer"})
