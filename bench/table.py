"""All of it in one run, side by side: a table for people, and results.json for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import (
    ceiling,
    circumstances,
    click,
    doubts,
    growth,
    ours,
    parts,
    people,
    prepare,
    purge,
    rate,
    slow_relay,
)
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
    clicks: tuple[int, ...]
    click_runs: int
    prepared: tuple[int, ...]
    one_by_one: int
    growth: tuple[int, ...]
    killed: int
    relay_connections: int
    relay_letters: int  # a connection; the one by itself gets half
    london: int
    rate_per_second: int
    rate_seconds: int
    parts: int
    killings: int
    their_killings: int
    purged: int


FULL = Sizes(
    name="full", runs=5, ours=6000, ceiling=6000, post_office=2000, untuned=400, mailer=300,
    naive=150, clicks=(1000, 10_000, 100_000), click_runs=31,
    prepared=(1000, 10_000, 100_000), one_by_one=1000, growth=(1000, 10_000, 100_000), killed=2000,
    relay_connections=16, relay_letters=200, london=4300, rate_per_second=100, rate_seconds=20,
    parts=2000, killings=3, their_killings=3, purged=100_000,
)  # fmt: skip
QUICK = Sizes(
    name="quick", runs=5, ours=6000, ceiling=3000, post_office=2000, untuned=0, mailer=40,
    naive=20, clicks=(1000, 10_000), click_runs=11,
    prepared=(10_000,), one_by_one=60, growth=(), killed=1500,
    relay_connections=8, relay_letters=80, london=0, rate_per_second=100, rate_seconds=5,
    parts=200, killings=1, their_killings=0, purged=0,
)  # fmt: skip
TINY = Sizes(
    name="tiny", runs=1, ours=60, ceiling=60, post_office=40, untuned=0, mailer=20,
    naive=20, clicks=(20, 40), click_runs=1,
    prepared=(20, 40), one_by_one=20, growth=(20, 40), killed=400,
    relay_connections=2, relay_letters=10, london=20, rate_per_second=50, rate_seconds=1,
    parts=20, killings=1, their_killings=1, purged=40,
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
        in_turn: dict[str, list[float]] = {"ceiling": [], "post_office": []}
        runs: list[ours.Run] = []
        with ours.workers(folder, sink, processes=2, threads=THREADS):
            workshop = people.workshop_for(sizes.ours, connections=2 * THREADS + 1)
            for _ in range(sizes.runs):  # whoever does not send, waits
                in_turn["ceiling"].append(ceiling.rate(folder, sink, letters=sizes.ceiling))
                in_turn["post_office"].append(tuned.rate(letters=sizes.post_office))
                runs.append(ours.send(workshop, sink))
        mail = mailer.peer(folder, sink)
        mailed = [mail.rate(letters=sizes.mailer) for _ in range(sizes.runs)]
        naively = naive.rates(folder, sink, letters=sizes.naive, runs=sizes.runs)
        mine = median(run.rate for run in runs)
        yield Row("Ours, 2 processes", [run.rate for run in runs], "letters/s")
        yield Row("Ours, the whole way from the click", [run.whole for run in runs], "letters/s")
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
    if not sizes.their_killings:
        return
    write_sample(folder)
    with Sink() as sink:
        tuned = post_office.peer(folder, sink, tuned=True)
        middle = sizes.post_office // 4  # of a batch, which it writes down at its end
        found = [
            float(tuned.in_doubt_when_killed(letters=sizes.post_office, after=middle))
            for _ in range(sizes.their_killings)
        ]
    yield Row("django-post_office, killed: in doubt altogether", found, "letters")


def _slow_relay(folder: Path, sizes: Sizes) -> Iterator[Row]:
    n = sizes.relay_connections
    runs = min(sizes.runs, 5)
    one = slow_relay.rate(folder, connections=1, letters=sizes.relay_letters // 2, runs=runs)
    many = slow_relay.rate(
        folder, connections=n, letters=sizes.relay_letters * n, runs=runs, processes=2
    )
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


def _purge(folder: Path, sizes: Sizes) -> Iterator[Row]:
    if not sizes.purged:
        return
    found = purge.purge(sizes.purged, runs=3)
    name = f"{sizes.purged:,} letters that wait"
    yield Row(f"Count {name}", [one.count for one in found], "s")
    seconds = [one.purge for one in found]
    yield Row(
        f"Purge {name}", seconds, "s", target="under 10 s", is_met=max(seconds) < 10,
    )  # fmt: skip


def _clicks(folder: Path, sizes: Sizes) -> Iterator[Row]:
    clicks = click.clicks(sizes.clicks, runs=sizes.click_runs)
    for members, answered in zip(sizes.clicks, clicks, strict=True):
        yield Row(
            f"Click, {members:,} members, {answered.statements} statements", [answered.ms], "ms",
            target="at most 50 ms", is_met=answered.ms <= 50,
        )  # fmt: skip
    slower = clicks[-1].ms / clicks[0].ms
    yield Row(
        f"Click, {_against(sizes.clicks)}", [slower], "times",
        "click_100k_1k" if sizes is FULL else "", slower, "at most 1.5", slower <= 1.5,
    )  # fmt: skip


def _prepared(folder: Path, sizes: Sizes) -> Iterator[Row]:
    for members in sizes.prepared:
        one_by_one = min(sizes.one_by_one, members)
        compared = prepare.compare(members, first=one_by_one, runs=sizes.runs)
        yield Row(
            f"Prepare one by one, the first of {members:,} members", compared.naive, "members/s"
        )
        mine = [one.rate for one in compared.ours]
        statements = max(one.statements for one in compared.ours)
        faster = median(mine) / median(compared.naive)
        ratio_name = {10_000: "prepare_10k", 100_000: "prepare_100k"}.get(members, "")
        yield Row(
            f"Prepare {members:,} members, {statements} statements", mine, "members/s",
            ratio_name, faster if ratio_name else None,
            "at least 100 times" if ratio_name else "", faster >= 100 if ratio_name else None,
        )  # fmt: skip


def _growth(folder: Path, sizes: Sizes) -> Iterator[Row]:
    found = []
    with Sink() as sink:
        for members in sizes.growth:
            size = growth.grow(folder, sink, members=members)
            found.append(size)
            name = f"{size.members:,} members"
            yield Row(f"Send, {name}", size.send_rates, "letters/s")
            page = size.log_page
            yield Row(f"Log page, {name}, {page.statements} statements", [page.ms], "ms")
            yield Row(f"Worker's memory at its peak, {name}", [size.worker_mb], "MB")
    if found:
        larger = found[-1].worker_mb / found[0].worker_mb
        yield Row(
            f"Worker's memory, {_against(sizes.growth)}", [larger], "times",
            "rss_100k_1k" if sizes is FULL else "", larger, "at most 1.1", larger <= 1.1,
        )  # fmt: skip


def _against(sizes: tuple[int, ...]) -> str:
    return f"{sizes[-1]:,} against {sizes[0]:,} members"


STORIES: dict[str, Callable[[Path, Sizes], Iterator[Row]]] = {
    "sending": _sending,
    "parts": _parts,
    "killed: ours": _in_doubt,
    "killed: django-post_office": _theirs_in_doubt,
    "slow relay": _slow_relay,
    "limit": _limit,
    "purge": _purge,
    "clicks": _clicks,
    "prepare": _prepared,
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
        "ratios": {row.ratio_name: round(row.ratio or 0, 3) for row in rows if row.ratio_name},
        "runs": [
            {
                "name": row.name,
                "unit": row.unit,
                "median": round(row.median, 3),
                "values": [round(value, 3) for value in row.values],
            }
            for row in rows
        ],
        "measured": {"sizes": sizes.name}
        | circumstances.now("django-post_office", "django-mailer"),
    }
