"""bin/dev, from its first start in a new checkout to the last process it stops."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from codebar.local import leftovers, ports
from codebar.local.paths import CHECKOUT
from codebar.local.testing import throw_away_folder

PARTS = (
    "codebar",
    "members",
    "chapters",
    "logs",
    "invitations",
    "templates",
    "static",
    "manage.py",
    "pyproject.toml",
)
GIVEN = ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "EMAIL_URL", "DEBUG", "SITE_URL", "SECRET_KEY")


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A checkout of its own, in a folder whose name has a space."""
    with throw_away_folder() as folder:
        checkout = folder / "a checkout"
        checkout.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (CHECKOUT / part).is_dir() else shutil.copy
            copy(CHECKOUT / part, checkout / part)
        yield checkout
        leftovers.stop(leftovers.marked(checkout / ".local"))


def test_bin_dev_starts_everything_stops_everything_and_keeps_the_data(checkout):
    port = ports.pick()
    dev = start(checkout, port)
    site = wait_for_site(dev)
    assert site == f"http://{ports.LOOPBACK}:{port}/"
    assert urllib.request.urlopen(f"{site}mail/").status == 200

    second = call(checkout, "dev", port=ports.pick())
    assert second.returncode == 1
    assert f"bin/dev (process {dev.pid}) is already running" in second.stderr
    chapters = count_chapters(checkout)
    assert chapters > 0

    dev.send_signal(signal.SIGTERM)
    assert dev.wait(60) == 128 + signal.SIGTERM
    assert left(checkout) == []

    assert count_chapters(checkout) == chapters  # bin/manage starts what it needs, and stops it
    assert left(checkout) == []


def start(checkout: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("dev"),
        env=surroundings(checkout, port),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def call(
    checkout: Path, module: str, *arguments: str, port: int
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command(module), *arguments],
        env=surroundings(checkout, port),
        capture_output=True,
        text=True,
        timeout=120,
    )


def command(module: str) -> list[str]:
    return [sys.executable, "-P", "-m", f"codebar.local.{module}"]


def surroundings(checkout: Path, port: int) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in GIVEN}
    return ours | {"PYTHONPATH": str(checkout), "PORT": str(port)}


def wait_for_site(dev: subprocess.Popen[str]) -> str:
    """The address that bin/dev prints once it answers."""
    said = []
    for line in dev.stdout:
        said.append(line)
        if line.startswith("codebar is at "):
            return line.split()[3]
    raise AssertionError("bin/dev ended:\n" + "".join(said))


def count_chapters(checkout: Path) -> int:
    question = "from chapters.models import Chapter; print(Chapter.objects.count())"
    answer = call(checkout, "manage", "shell", "-v", "0", "-c", question, port=ports.pick())
    assert answer.returncode == 0, answer.stderr
    return int(answer.stdout)


def left(checkout: Path) -> list[psutil.Process]:
    """Whatever still runs for this checkout, a moment after."""
    time.sleep(0.5)
    return [
        process
        for process in [*leftovers.working_in(checkout), *leftovers.marked(checkout / ".local")]
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]
