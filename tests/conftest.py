import gc
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from django.utils import translation
from pytest_django.fixtures import Settings

from members import limits

PATIENT = {"socket_connect_timeout": 10, "socket_timeout": 10}

pytest_plugins = ["tests.support.fixtures", "tests.support.on_call"]


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end; whoever looks for garbage need not look there."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def static_files_by_their_own_names() -> Iterator[None]:
    """
    Production names them by their content, from a list that `collectstatic` writes.

    For all tests at once: a server that still answers between two of them would keep production's.
    """
    by_their_own = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES=django_settings.STORAGES | {"staticfiles": by_their_own}):
        yield


@pytest.fixture(autouse=True)
def a_cache_of_its_own(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Rate limits count in the cache; no test may find what another one counted, nor miss what it
    counted itself, since the cache was too slow for a moment on a busy machine.
    """
    ours = {"KEY_PREFIX": uuid4().hex, "OPTIONS": PATIENT}
    settings.CACHES = {"default": settings.CACHES["default"] | ours}
    monkeypatch.setattr(limits, "_silent_until", {})


@pytest.fixture(autouse=True)
def the_language_of_a_page_ends_with_the_test() -> Iterator[None]:
    """A page that was asked for in this process leaves its language behind."""
    yield
    translation.deactivate()
