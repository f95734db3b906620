"""The caught letters, as bin/dev shows them, in a real browser."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.browser.test_pages import assert_suits_everybody
from tests.codebar.test_mailbox_page import keep

pytestmark = pytest.mark.urls("tests.codebar.test_mailbox_page")


@pytest.fixture
def mailbox(tmp_path: Path, settings: Settings) -> Path:
    settings.MAIL_CATCHER_DIRECTORY = str(tmp_path)
    return tmp_path


@pytest.mark.parametrize("state", ["empty", "list", "letter"])
def test_the_mailbox_suits_everybody(mailbox: Path, open_page, state: str):
    name = keep(mailbox, 1, to=f"{'long' * 15}@codebar.example") if state != "empty" else ""
    page = open_page(f"/mail/{name}/" if state == "letter" else "/mail/")

    assert_suits_everybody(page)
