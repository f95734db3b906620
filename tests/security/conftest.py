"""
Everybody who may ask, and something of everything that can be asked for, as `tests/access` has
them; and every address of the site, filled in.
"""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.access.test_who_may import addresses, people, somebodys

__all__ = ["people", "somebodys"]


@pytest.fixture
def paths(somebodys: dict[str, object]) -> dict[str, str]:
    """Every address by its name, as it is for somebody of the workshop."""
    return {
        name: reverse(
            name, kwargs={key: somebodys.get(f"{name} {key}", somebodys.get(key)) for key in inside}
        )
        for name, inside in addresses().items()
    }
