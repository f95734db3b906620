"""What everything here is measured on: one PostgreSQL, one Valkey, and worker processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from codebar.local import environment
from codebar.local.paths import CHECKOUT
from codebar.local.testing import throw_away_folder

SERVICES = ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "EMAIL_URL")
NOWHERE = "smtp://127.0.0.1:1"  # whoever sends is told a sink of its own


@contextlib.contextmanager
def running() -> Iterator[Path]:
    """
    Servers of our own, as safe as in production (fsync is on), and Django set up to use them.

    :returns: a folder for files, that goes away at the end
    """
    for name in SERVICES:
        os.environ.pop(name, None)
    os.environ["EMAIL_URL"] = NOWHERE
    with throw_away_folder() as folder, environment.services(folder, durable=True) as started:
        os.environ.update(environment.testing() | started.variables | {"LOG_LEVEL": "WARNING"})
        _set_up_django()
        yield folder


@contextlib.contextmanager
def worker(
    folder: Path,
    *,
    concurrency: int,
    pool: str = "threads",
    app: str = "codebar",
    **variables: object,
) -> Iterator[psutil.Process]:
    """A Celery worker with so many threads or processes, and these variables."""
    with program(
        folder, "celery", "-A", app, "worker",
        "--pool", pool, "--concurrency", str(concurrency), "--loglevel", "WARNING",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
        "--hostname", f"bench{time.monotonic_ns()}@here",
        **variables,
    ) as started:  # fmt: skip
        yield started


@contextlib.contextmanager
def program(
    folder: Path, module: str, *arguments: str, **variables: object
) -> Iterator[psutil.Process]:
    """A program of ours in a process group of its own; what it says goes to a file in `folder`."""
    with (folder / f"{module}-{time.monotonic_ns()}.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            cwd=CHECKOUT,
            env=os.environ | {name: str(value) for name, value in variables.items()},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield psutil.Process(started.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def told_by(module: str, *arguments: object, **variables: str) -> bytes:
    """What a module of the bench prints, in a process of its own, until it ends."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, *map(str, arguments)],
        cwd=CHECKOUT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout


@contextlib.contextmanager
def started(module: str, *arguments: object, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A module in a process group of its own, killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *map(str, arguments)],
        cwd=CHECKOUT,
        env=os.environ | variables,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(is_so: Callable[[], object], *, seconds: float = 600) -> float:
    """The moment at which it was so; looks every 50 ms, so that the looking costs little."""
    ends_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends_at:
            sys.exit(f"The bench waited {seconds} s for something that did not happen.")
        time.sleep(0.05)
    return time.monotonic()


def new_database(name: str) -> str:
    """The address of a new, empty database beside ours, for a peer."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"


def _set_up_django() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    # Production names them by their content, from a list that `collectstatic` writes.
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    warnings.filterwarnings("ignore", "No directory at:", UserWarning)
    call_command("migrate", verbosity=0)
