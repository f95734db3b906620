"""
What `bin/test` runs: pytest with its arguments, against services of its own in a folder that is
thrown away.

DATABASE_URL, BROKER_URL and CACHE_URL in the environment are used instead.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from codebar.local import browser, environment, leftovers, signals
from codebar.local.paths import CHECKOUT
from codebar.local.service import NotStarted

PREFIX = "codebar-test-"
# Much of the suite waits for other processes, so three share two cores well.
EVERYTHING = ["-n", "3", "--dist", "loadfile"]


def main() -> int:
    """The exit code of pytest."""
    signals.exit_when_asked()
    arguments = sys.argv[1:]
    try:
        # A few tests by name may not need a browser; those that do look for one themselves.
        found = browser.find() if arguments else browser.find_or_install()
        with throw_away_folder() as folder, environment.services(folder, durable=False) as running:
            surroundings = os.environ | environment.testing() | running.variables
            return _pytest(arguments, surroundings | ({"CODEBAR_BROWSER": found} if found else {}))
    except (NotStarted, browser.NoBrowser) as reason:
        sys.exit(str(reason))


def _pytest(arguments: list[str], surroundings: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *(arguments or EVERYTHING)]
    # In a session of its own, so that Ctrl-C reaches it once, through us, and it can put its own
    # servers away.
    process = subprocess.Popen(command, cwd=CHECKOUT, env=surroundings, start_new_session=True)
    return signals.wait(process, pass_on=dict.fromkeys(signals.STOPPING, signal.SIGINT))


@contextlib.contextmanager
def throw_away_folder() -> Iterator[Path]:
    """
    A folder for services, that goes away with whatever still runs in it. One that was forgotten,
    since its tests were killed, goes first.
    """
    for forgotten in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # somebody else throws it away
            if forgotten.stat().st_uid == os.geteuid() and not psutil.pid_exists(_owner(forgotten)):
                _throw_away(forgotten)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    folder.chmod(0o711)  # PostgreSQL may run as nobody, and has its own folder in this one
    try:
        yield folder
    finally:
        _throw_away(folder)


def _owner(folder: Path) -> int:
    return int(folder.name.removeprefix(PREFIX).partition("-")[0])


def _throw_away(folder: Path) -> None:
    places = [folder, *(link.resolve() for link in folder.iterdir() if link.is_symlink())]
    for place in places:
        leftovers.stop([*leftovers.working_in(place), *leftovers.marked(place / "mail")])
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
