"""Where the tests of pages get their Chromium from."""

import pytest

from codebar.local import browser


@pytest.fixture
def program(tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


@pytest.fixture(autouse=True)
def _no_browser_named(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv("CODEBAR_BROWSER", raising=False)


def test_the_one_that_the_environment_names_comes_first(monkeypatch, program):
    monkeypatch.setenv("CHROMIUM", str(program))

    assert browser.find_or_install() == str(program)


def test_a_name_that_leads_nowhere_is_said(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")

    with pytest.raises(browser.NoBrowser, match="CHROMIUM names /nowhere/chromium"):
        browser.find()


def test_one_on_the_path_is_found(monkeypatch, program):
    monkeypatch.setenv("PATH", str(program.parent))

    assert browser.find() == str(program)
