"""A planner database for each process of pytest, new for each test."""

from collections.abc import Iterator

import pytest

from tests.support import planner as planners
from tests.support.planner import Planner


@pytest.fixture(scope="session")
def planner_database(django_db_setup: None, django_db_blocker) -> Iterator[Planner]:
    with django_db_blocker.unblock(), planners.database("planner") as planner:
        yield planner


@pytest.fixture
def planner(planner_database: Planner) -> Planner:
    """Its tables, empty."""
    planner_database.empty()
    return planner_database
