"""The caught letters, as bin/dev shows them, in a real browser."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.browser.test_pages import DESK, PHONE, violations_of_the_policy, what_axe_says, widest
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

    for color_scheme in ("light", "dark"):
        page.emulate_media(color_scheme=color_scheme)
        for width in (DESK, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            assert what_axe_says(page) == "", f"{color_scheme}, {width} px"
            assert widest(page) <= width, f"{color_scheme}, {width} px"
    assert violations_of_the_policy(page) == []
