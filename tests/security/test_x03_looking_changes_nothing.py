"""X3: GET, HEAD and OPTIONS change no row of any table, at no address, whoever asks."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.access.test_who_may import QUERIES
from tests.support.database import sums_of_all_tables

pytestmark = pytest.mark.django_db

# What a visit itself leaves: who is here (a session).
VISITS = {"django_session"}


@pytest.mark.parametrize("person", ["visitor", "organiser", "admin"])
def test_x03_looking_changes_nothing(person: str, people: dict[str, Client], paths: dict[str, str]):
    before = sums_of_all_tables()

    for name, path in paths.items():
        for ask in (people[person].get, people[person].head, people[person].options):
            response = ask(path, QUERIES.get(name, {}))
            assert response.status_code != 500, path
            b"".join(response)  # a list that is sent while it is read

    after = sums_of_all_tables()
    changed = {table for table in before if before[table] != after[table]}
    assert changed - VISITS == set()


def test_x03_looking_at_the_staff_pages_changes_nothing(people: dict[str, Client]):
    admin = people["admin"]
    before = sums_of_all_tables()

    index = admin.get("/staff/")
    lists = {model["admin_url"] for app in index.context["app_list"] for model in app["models"]}
    for path in lists:
        for ask in (admin.get, admin.head, admin.options):
            assert ask(path).status_code == 200

    after = sums_of_all_tables()
    assert len(lists) > 10
    assert {table for table in before if before[table] != after[table]} - VISITS == set()
