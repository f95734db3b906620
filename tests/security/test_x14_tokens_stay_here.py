"""X14: nobody keeps a page that a token opens, and no page passes the token on."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.access.test_who_may import addresses

pytestmark = pytest.mark.django_db

BEHIND_A_LINK = sorted(name for name, inside in addresses().items() if "token" in inside)


@pytest.mark.parametrize("name", BEHIND_A_LINK)
def test_x14_no_cache_keeps_it_and_no_other_site_learns_where_one_was(
    name: str, paths: dict[str, str]
):
    for response in (Client().get(paths[name]), Client().post(paths[name], {"role": "student"})):
        if response.status_code == 405:
            continue
        assert "no-store" in response.headers["Cache-Control"]
        assert response.headers["Referrer-Policy"] in ("same-origin", "no-referrer")


@pytest.mark.parametrize("name", BEHIND_A_LINK)
def test_x14_such_a_page_loads_nothing_from_elsewhere(name: str, paths: dict[str, str]):
    response = Client().get(paths[name], follow=True)

    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
