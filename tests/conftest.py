from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

pytest_plugins = ["tests.support.fixtures"]


@pytest.fixture(autouse=True)
def static_files_by_their_own_names(settings: Settings) -> None:
    """Production names them by their content, from a list that `collectstatic` writes."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def a_cache_of_its_own(settings: Settings) -> None:
    """Rate limits count in the cache; no test may find what another one counted."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}
