"""What a load balancer asks."""

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

pytestmark = pytest.mark.django_db


def test_alive_asks_nobody(django_assert_num_queries):
    with django_assert_num_queries(0):
        response = Client().get("/healthz")

    assert (response.status_code, response.content) == (200, b"alive\n")


def test_ready_with_its_database_and_every_migration():
    response = Client().get("/readyz")

    assert (response.status_code, response.json()) == (200, {"database": "ok"})


def test_not_ready_with_a_migration_missing():
    last = Path("invitations/migrations/max_migration.txt").read_text().strip()
    MigrationRecorder(connection).record_unapplied("invitations", last)

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["unapplied_migrations"] == [f"invitations.{last}"]


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_its_database(settings):
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["PORT"] = 1
    try:
        response = Client().get("/readyz")
    finally:
        connection.close()
        connection.settings_dict.update(before)

    assert (response.status_code, response.json()) == (503, {"database": "does not answer"})
