"""All of it in one run, side by side: a table for people, and results.json for programs."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection
from rich.console import Console
from rich.table import Table

from bench import ceiling, click, doubts, growth, ours, parts, people, prepare, rate, slow_relay
from bench.letters import write_sample
from bench.peers import mailer, naive, post_office
from bench.sink import Sink

THREADS = 10  # in each of our two processes: half of what a worker has by default
RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Sizes:
    """How much of each; `runs` of everything that is compared, one after the other in turn."""

    name: str
    runs: int
    ours: int
    ceiling: int
    post_office: int
    untuned: int
    mailer: int
    naive: int
    one_by_one: int
    growth: tuple[int, ...]
    growth_runs: int
    killed: int
    relay_connections: int
    relay_letters: int  # a connection
    london: int
    rate_per_second: int
    rate_seconds: int
    parts: int
    killings: int


FULL = Sizes(
    name="full", runs=5, ours=6000, ceiling=6000, post_office=2000, untuned=400, mailer=300,
    naive=150, one_by_one=1000, growth=(1000, 10_000, 100_000), growth_runs=5, killed=2000,
    relay_connections=16, relay_letters=60, london=4300, rate_per_second=100, rate_seconds=20,
    parts=2000, killings=3,
)  # fmt: skip
QUICK = Sizes(
    name="quick", runs=5, ours=3000, ceiling=4000, post_office=1000, untuned=0, mailer=150,
    naive=100, one_by_one=200, growth=(1000, 10_000), growth_runs=5, killed=1500,
    relay_connections=16, relay_letters=40, london=0, rate_per_second=100, rate_seconds=5,
    parts=1000, killings=1,
)  # fmt: skip
TINY = Sizes(
    name="tiny", runs=1, ours=60, ceiling=60, post_office=40, untuned=0, mailer=20,
    naive=20, one_by_one=20, growth=(20, 40), growth_runs=1, killed=400,
    relay_connections=2, relay_letters=10, london=20, rate_per_second=50, rate_seconds=1,
    parts=20, killings=1,
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, each time, and what it is compared with."""

    name: str
    values: list[float]
    unit: str
    ratio_name: str = ""
    ratio: float | None = None
    target: str = ""
    is_met: bool | None = None

    @property
    def median(self) -> float:
        return median(self.values)


def measure(folder: Path, sizes: Sizes, *, only: str | None = None) -> list[Row]:
    """Measure, print as it goes, and write results.json unless only some rows were wanted."""
    say = Console(stderr=True).print
    rows: list[Row] = []
    began_at = time.monotonic()
    for name, measured in STORIES.items():
        if only and not name.startswith(only):
            continue
        say(f"[bold]{name}[/bold], after {time.monotonic() - began_at:.0f} s …")
        for row in measured(folder, sizes):
            say(f"   {row.name}: {row.median:,.2f} {row.unit}")
            rows.append(row)
    Console(width=150).print(_drawn(rows))
    if not only and sizes is not TINY:
        RESULTS.write_text(json.dumps(_as_data(rows, sizes), indent=2) + "\n")
    return rows


def _sending(folder: Path, sizes: Sizes) -> Iterator[Row]:
    write_sample(folder)
    with Sink() as sink:
        tuned = post_office.peer(folder, sink, tuned=True)
        in_turn: dict[str, list[float]] = {"ours": [], "ceiling": [], "post_office": []}
        with ours.workers(folder, sink, processes=2, threads=THREADS):
            workshop = people.workshop_for(sizes.ours, connections=2 * THREADS + 1)
            for _ in range(sizes.runs):  # whoever does not send, waits
                in_turn["ceiling"].append(ceiling.rate(folder, sink, letters=sizes.ceiling))
                in_turn["post_office"].append(tuned.rate(letters=sizes.post_office))
                in_turn["ours"].append(ours.send(workshop, sink).rate)
        mail = mailer.peer(folder, sink)
        mailed = [mail.rate(letters=sizes.mailer) for _ in range(sizes.runs)]
        naively = naive.rates(folder, sink, letters=sizes.naive, runs=sizes.runs)
        mine = median(in_turn["ours"])
        yield Row("Ours, 2 processes", in_turn["ours"], "letters/s")
        yield _compared(
            tuned.name + ", 2 processes", in_turn["post_office"], mine, "post_office_tuned", 2
        )
        if sizes.untuned:
            untuned = post_office.peer(folder, sink, tuned=False)
            rates = [untuned.rate(letters=sizes.untuned) for _ in range(sizes.runs)]
            yield Row(untuned.name + ", as it comes", rates, "letters/s")
        yield _compared("django-mailer, 1 process", mailed, mine, "django_mailer", 6)
        yield _compared("Naive Celery, 2 processes", naively, mine, "naive_celery", 8)
        share = mine / median(in_turn["ceiling"])
        yield Row(
            "Ceiling: smtplib and nothing else, 2 processes", in_turn["ceiling"], "letters/s",
            "ceiling", share, "at least 0.40", share >= 0.4,
        )  # fmt: skip


def _compared(name: str, values: list[float], mine: float, ratio_name: str, least: float) -> Row:
    ratio = mine / median(values)
    return Row(
        name, values, "letters/s", ratio_name, ratio, f"at least {least:g} times", ratio >= least
    )


def _parts(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with Sink() as sink:
        found = [parts.microseconds(sink, letters=sizes.parts) for _ in range(sizes.runs)]
    for part in found[0]:
        yield Row(f"One sender: {part}", [one[part] for one in found], "µs a letter")


def _in_doubt(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with Sink() as sink:
        found = [
            doubts.per_killed_sender(folder, sink, letters=sizes.killed)
            for _ in range(sizes.killings)
        ]
    yield Row(
        "Ours, killed: in doubt for each connection", found, "letters",
        target="at most 1", is_met=max(found) <= 1,
    )  # fmt: skip


def _theirs_in_doubt(folder: Path, sizes: Sizes) -> Iterator[Row]:
    write_sample(folder)
    with Sink() as sink:
        tuned = post_office.peer(folder, sink, tuned=True)
        middle = sizes.post_office // 4  # of a batch, which it writes down at its end
        found = [
            float(tuned.in_doubt_when_killed(letters=sizes.post_office, after=middle))
            for _ in range(min(sizes.killings, 3))
        ]
    yield Row("django-post_office, killed: in doubt altogether", found, "letters")


def _slow_relay(folder: Path, sizes: Sizes) -> Iterator[Row]:
    n = sizes.relay_connections
    runs = min(sizes.runs, 5)
    one = slow_relay.rate(folder, connections=1, letters=sizes.relay_letters, runs=runs)
    many = slow_relay.rate(folder, connections=n, letters=sizes.relay_letters * n, runs=runs)
    share = median(many) / (n * median(one))
    yield Row("Slow mail server, 1 connection", one, "letters/s")
    yield Row(
        f"Slow mail server, {n} connections", many, "letters/s",
        "slow_relay", share, "at least 0.92", share >= 0.92,
    )  # fmt: skip
    if sizes.london:
        seconds = slow_relay.london(folder, people_in_it=sizes.london, letter_ms=200)
        yield Row(
            f"{sizes.london:,} people, 200 ms a letter, one worker", [seconds], "s",
            target="under 60 s", is_met=seconds < 60,
        )  # fmt: skip


def _limit(folder: Path, sizes: Sizes) -> Iterator[Row]:
    kept = rate.limit(folder, per_second=sizes.rate_per_second, seconds=sizes.rate_seconds)
    share = kept.average / kept.limit
    yield Row(
        f"Limit of {kept.limit:g}/s, 4 workers: on average", [kept.average], "letters/s",
        target="95 to 100 %", is_met=0.95 <= share <= 1,
    )  # fmt: skip
    yield Row(
        f"Limit of {kept.limit:g}/s, 4 workers: busiest second", [float(kept.busiest)], "letters",
        target=f"at most {kept.limit:g}", is_met=kept.busiest <= kept.limit,
    )  # fmt: skip


def _growth(folder: Path, sizes: Sizes) -> Iterator[Row]:
    clicks = click.clicks(sizes.growth, runs=31)
    for members, answered in zip(sizes.growth, clicks, strict=True):
        yield Row(
            f"Click, {members:,} members, {answered.statements} statements", [answered.ms], "ms",
            target="at most 50 ms", is_met=answered.ms <= 50,
        )  # fmt: skip
    naively = prepare.one_by_one(sizes.one_by_one, runs=min(sizes.runs, 5))
    yield Row("Prepare one by one (get_or_create)", naively, "members/s")
    with Sink() as sink:
        found = []
        for members in sizes.growth:
            size = growth.grow(folder, sink, members=members, runs=sizes.growth_runs)
            found.append(size)
            yield from _of_size(size, naively)
    first, last = found[0], found[-1]
    slower, larger = clicks[-1].ms / clicks[0].ms, last.worker_mb / first.worker_mb
    name = f"{last.members:,} against {first.members:,} members"
    yield Row(
        f"Click, {name}", [slower], "times", "click_100k_1k", slower, "at most 1.5", slower <= 1.5
    )
    yield Row(
        f"Worker's memory, {name}", [larger], "times", "rss_100k_1k", larger, "at most 1.1",
        larger <= 1.1,
    )  # fmt: skip


def _of_size(size: growth.Size, naively: list[float]) -> Iterator[Row]:
    name = f"{size.members:,} members"
    faster = median(size.prepare_rates) / median(naively)
    ratio_name = {10_000: "prepare_10k", 100_000: "prepare_100k"}.get(size.members, "")
    yield Row(
        f"Prepare {name}, {size.prepare_statements} statements", size.prepare_rates, "members/s",
        ratio_name, faster if ratio_name else None,
        "at least 100 times" if ratio_name else "", faster >= 100 if ratio_name else None,
    )  # fmt: skip
    yield Row(f"Send, {name}", size.send_rates, "letters/s")
    yield Row(f"Log page, {name}, {size.log_page.statements} statements", [size.log_page.ms], "ms")
    yield Row(f"Worker's memory at its peak, {name}", [size.worker_mb], "MB")


STORIES: dict[str, Callable[[Path, Sizes], Iterator[Row]]] = {
    "sending": _sending,
    "parts": _parts,
    "killed: ours": _in_doubt,
    "killed: django-post_office": _theirs_in_doubt,
    "slow relay": _slow_relay,
    "limit": _limit,
    "growth": _growth,
}


def _drawn(rows: list[Row]) -> Table:
    table = Table("what", "median", "from … to", "", "ratio", "target", "met")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.median:,.2f}",
            f"{min(row.values):,.2f} … {max(row.values):,.2f}" if len(row.values) > 1 else "",
            row.unit,
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.target,
            {True: "yes", False: "no", None: ""}[row.is_met],
        )
    return table


def _as_data(rows: list[Row], sizes: Sizes) -> dict[str, Any]:
    return {
        "ratios": {row.ratio_name: round(row.ratio, 3) for row in rows if row.ratio is not None},
        "runs": [
            {
                "name": row.name,
                "unit": row.unit,
                "median": round(row.median, 3),
                "values": [round(value, 3) for value in row.values],
            }
            for row in rows
        ],
        "measured": {"at": datetime.now(UTC).isoformat(timespec="seconds"), "sizes": sizes.name}
        | _versions(),
    }


def _versions() -> dict[str, Any]:
    packages = (
        "django",
        "psycopg2-binary",
        "celery",
        "redis",
        "django-post_office",
        "django-mailer",
    )
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgresql = cursor.fetchone()[0]
    return {
        "python": platform.python_version(),
        "postgresql": postgresql,
        "processors": os.cpu_count(),
        **{name: version(name) for name in packages},
    }
