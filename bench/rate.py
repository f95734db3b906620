"""MAIL_RATE_PER_SECOND, over several workers at once, as the mail server sees it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from bench import ours, people
from bench.sink import Sink


@dataclass(frozen=True)
class Kept:
    limit: float
    average: float  # letters a second over the whole batch
    busiest: int  # most letters in any second


def limit(folder: Path, *, per_second: float, seconds: float) -> Kept:
    """Four workers with two connections each share one limit."""
    with (
        Sink() as sink,
        ours.workers(
            folder,
            sink,
            processes=4,
            threads=2,
            warm_up=5,
            MAIL_RATE_PER_SECOND=per_second,
        ),
    ):
        workshop = people.workshop_for(round(per_second * seconds), connections=9)
        ours.send(workshop, sink)
        times = sorted(sink.times())
    return Kept(
        limit=per_second,
        average=(len(times) - 1) / (times[-1] - times[0]),
        busiest=max(
            bisect_left(times, start + 1) - position for position, start in enumerate(times)
        ),
    )
