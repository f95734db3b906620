"""What a load balancer asks."""

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
    MigrationRecorder(connection).record_unapplied("logs", "0002_first_rows")

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["unapplied_migrations"] == ["logs.0002_first_rows"]


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
