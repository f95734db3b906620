"""Journeys that need a browser share it with the tests of pages."""

from tests.browser.conftest import browser, open_page

__all__ = ["browser", "open_page"]
