from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.support.schema import another_database, drop_database, go_to_the_first_release


@pytest.fixture(scope="module")
def first_release(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The name of an empty database of the first release, to be copied."""
    with django_db_blocker.unblock():
        name = f"{connection.settings_dict['NAME']}_first"
        with another_database(name):
            go_to_the_first_release()
        yield name
        drop_database(name)


@pytest.fixture
def old_database(first_release: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """An empty database of the first release, used by Django meanwhile."""
    name = f"{first_release}_copy"
    with django_db_blocker.unblock():
        with another_database(name, template=first_release):
            yield
        drop_database(name)
