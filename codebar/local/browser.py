"""A Chromium for tests that look at pages."""

import os
import shutil
import subprocess
import sys

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DOWNLOAD_SECONDS = 60
WHERE_PLAYWRIGHTS_IS = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


class NoBrowser(Exception):
    """There is none and none can be had; the message says how to get one."""


def find_or_install() -> str:
    """
    The path of a Chromium: the one there is, else Debian's when we are root, else Playwright's own.

    :raises NoBrowser: when none can be had
    """
    path = find()
    if path is None:
        print(
            "No Chromium found: installing one for the tests of pages", file=sys.stderr, flush=True
        )
        path = _install_from_debian() or _install_with_playwright()
    if path is None:
        raise NoBrowser(
            "The tests of pages need Chromium, and none could be found or installed. Install one"
            " (Debian, Ubuntu: apt-get install chromium; elsewhere:"
            " .venv/bin/python -m playwright install chromium) or name its path in CHROMIUM."
        )
    return path


def find() -> str | None:
    """
    The path of the Chromium there is: named in the environment, on the PATH, or Playwright's.

    :raises NoBrowser: when the environment names one that is not there
    """
    for name in ("CHROMIUM", "CODEBAR_BROWSER"):
        named = os.environ.get(name)
        if named:
            if shutil.which(named) is None:
                raise NoBrowser(f"{name} names {named}, which is no program.")
            return named
    return next(filter(None, map(shutil.which, COMMANDS)), None) or _of_playwright()


def _of_playwright() -> str | None:
    # In its own process, since Playwright refuses to be asked inside a running event loop.
    answer = subprocess.run(
        [sys.executable, "-c", WHERE_PLAYWRIGHTS_IS], capture_output=True, text=True
    )
    return shutil.which(answer.stdout.strip())


def _install_from_debian() -> str | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(
            ["apt-get", "-qq", *command], env=quiet, stdout=subprocess.DEVNULL, check=False
        )
    return shutil.which("chromium")


def _install_with_playwright() -> str | None:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        subprocess.run(command, stdout=subprocess.DEVNULL, timeout=DOWNLOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    return _of_playwright()
