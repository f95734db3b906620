"""Arriving from planner: how fast `import_planner` is, and how much memory it takes, by size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from bench import circumstances, pages, planner_town, services
from codebar.local.paths import CHECKOUT
from tests.support.planner import Planner

FULL = (100_000, 1_000_000)
TINY = (1_200, 2_400)
RESULTS = CHECKOUT / "bench" / "results-import.json"
MARK = "bin/bench --import"


@dataclass(frozen=True)
class Run:
    """One run of the command."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Arrived:
    """One planner of this size."""

    invitations: int
    rows: int  # of all its tables
    first: Run
    again: Run  # which finds nothing to do


def tell(sizes: tuple[int, ...]) -> None:
    """Measure and print; whole sizes are written down as well."""
    found = {
        "measured": circumstances.now(),
        "sizes": [asdict(_arrive(invitations)) for invitations in sizes],
    }
    Console(width=150).print(Markdown(written(found)))
    if sizes is FULL:
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")
        pages.write(MARK, written(found))


def written(found: dict[str, Any]) -> str:
    """All of it as Markdown."""
    measured, sizes = found["measured"], found["sizes"]
    lines = [
        f"{measured['at'][:16].replace('T', ' ')} UTC, Python {measured['python']}, PostgreSQL"
        f" {measured['postgresql']} with both databases, {measured['processors']} processors for"
        " everything.",
        "",
        "| invitations | rows in all | seconds | rows a second | memory at its peak | run again |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for size in sizes:
        first, again = size["first"], size["again"]
        lines.append(
            f"| {size['invitations']:,} | {size['rows']:,} | {first['seconds']:,.0f}"
            f" | {size['rows'] / first['seconds']:,.0f} | {first['peak_mb']:.0f} MB"
            f" | {again['seconds']:.1f} s |"
        )
    more = sizes[-1]["first"]["peak_mb"] / sizes[0]["first"]["peak_mb"]
    lines += ["", f"Memory: {more:.2f} times as much for the largest as for the smallest."]
    return "\n".join(lines)


def _arrive(invitations: int) -> Arrived:
    planner = Planner(services.new_database("planner"))
    try:
        rows = planner_town.fill(planner, invitations=invitations)
    finally:
        planner.close()
    ours = {"DATABASE_URL": services.new_database("arrived")}
    _run("migrate", "--verbosity", "0", **ours)
    first = _run("import_planner", planner.url, **ours)
    again = _run("import_planner", planner.url, **ours)
    return Arrived(invitations, rows, first, again)


def _run(*arguments: str, **variables: str) -> Run:
    began_at = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-P", "manage.py", *arguments],
        cwd=CHECKOUT,
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"manage.py {arguments[0]} ended with {process.returncode}.")
    return Run(seconds=time.monotonic() - began_at, peak_mb=_megabytes(used.ru_maxrss))


def _megabytes(peak: int) -> float:
    """What the system calls a peak: kilobytes, and bytes on a Mac."""
    return peak / (2**20 if sys.platform == "darwin" else 1024)
