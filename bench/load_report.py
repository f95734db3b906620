"""What the load test found: on the terminal, in `results-load.json` and in docs/performance.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from bench import load, pages, town
from codebar.local.paths import CHECKOUT

RESULTS = CHECKOUT / "bench" / "results-load.json"
MARK = "bin/bench --load"
COUNTED, SPREAD = ("requests", "errors"), ("p50", "p95", "worst")


def tell(folder: Path, sizes: town.Sizes) -> None:
    """Measure and print; a whole run is written down as well."""
    found = load.measure(folder, sizes)
    Console(width=150).print(Markdown(written(found)))
    if sizes is town.FULL:
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")
        pages.write(MARK, written(found))


def written(found: dict[str, Any]) -> str:
    """All of it as Markdown."""
    parts = [_said(found), _table(found["pages"]), _letters(found["letters"]), _remarks(found)]
    return "\n\n".join(parts)


def _said(found: dict[str, Any]) -> str:
    sizes, batch, measured = found["sizes"], found["batch"], found["measured"]
    return (
        f"{measured['at'][:16].replace('T', ' ')} UTC, Python {measured['python']}, PostgreSQL"
        f" {measured['postgresql']}, {measured['processors']} processors for everything. *Busy*: a"
        f" batch of {batch['letters']:,} letters leaves, to a mail server that takes"
        f" {sizes['letter_ms']} ms for each, by one worker as it comes, while"
        f" {sizes['organisers']} organisers, {sizes['members']} members and"
        f" {sizes['answering']} people with a letter use the site at the same time for"
        f" {sizes['seconds']} s, on gunicorn as it comes. *Calm*: the same people on the same"
        f" pages once the batch is over. It took {batch['seconds']:.0f} s"
        f" ({batch['letters'] / batch['seconds']:.0f} letters/s); {batch['missing']} people got"
        f" no letter, {batch['twice']} got two."
    )


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| page | requests | errors | busy: median | p95 | worst | calm: median | p95 | worst |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for page in rows:
        parts = (page["busy"], page["calm"])
        numbers = [" + ".join(f"{part[key]:,}" for part in parts) for key in COUNTED]
        times = [f"{part[key]:,.0f} ms" if key in part else "" for part in parts for key in SPREAD]
        lines.append(_row(page["name"] or "all of them", *numbers, *times))
    busy, calm = (rows[-1][part]["per_second"] for part in ("busy", "calm"))
    return "\n".join(lines) + f"\n\n{busy:.1f} requests a second busy, {calm:.1f} calm."


def _letters(letters: dict[str, Any]) -> str:
    lines = [
        "| letter about an answer, from the tap until the mail server had it"
        " | answers | missing | median | p95 | worst |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, part in letters.items():
        times = [f"{part[key]:.2f} s" if key in part else "" for key in SPREAD]
        lines.append(_row(name, str(part["answers"]), str(part["missing"]), *times))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _remarks(found: dict[str, Any]) -> str:
    remarks = [
        "Each visit comes from an address of its own, so that no limit is met;"
        " that one who guesses links is stopped at the 61st was tried afterwards, and"
        + (" held." if found["limits_hold"] else " DID NOT HOLD.")
    ]
    if not found["batch"]["was_sending_to_the_end"]:
        remarks.append("The batch was over before the visitors had gone.")
    unwritten = sum(part["missing"] for part in found["letters"].values())
    if unwritten:
        remarks.append(f"Answers without a letter: {unwritten}.")
    if found["errors"]:
        remarks.append(f"Errors: {'; '.join(found['errors'])}.")
    return " ".join(remarks)
