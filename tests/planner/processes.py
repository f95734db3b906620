"""`manage.py import_planner` as a process of its own, that a test may kill."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from codebar.local.paths import CHECKOUT
from tests.support.planner import Planner
from tests.support.processes import database_url


@contextmanager
def importing(
    planner: Planner, *options: str, said: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_planner", planner.url, *options],
        cwd=CHECKOUT,
        env=os.environ | {"DATABASE_URL": database_url()},
        stdout=said,
        stderr=said,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and all that it said."""
    out, err = process.communicate(timeout=90)
    return process.returncode, out + err


def peak_megabytes(planner: Planner) -> float:
    """
    How much memory an import took at most, from its beginning to its end.

    Looked at again and again: what the system says in the end is at least what this process had.
    """
    peak = 0
    with importing(planner, said=subprocess.DEVNULL) as process:
        seen = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                peak = max(peak, seen.memory_info().rss)
            time.sleep(0.02)
    assert process.returncode == 0
    return peak / 2**20
