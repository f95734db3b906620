"""One chapter ten, a hundred times as large: what stays flat, and what grows with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import click, ours, people
from bench.sink import Sink
from logs.models import InvitationLog

THREADS = 5


@dataclass(frozen=True)
class Size:
    """What one chapter of so many members costs."""

    members: int
    send_rates: list[float]  # of each fifth of one batch
    log_page: click.Answered
    worker_mb: float  # at its peak


def grow(folder: Path, sink: Sink, *, members: int) -> Size:
    """Everything about a chapter of this size, with workers of its own."""
    with ours.workers(folder, sink, processes=1, threads=THREADS) as [worker]:
        workshop = people.workshop_for(members, connections=THREADS + 1)
        ours.send(workshop, sink)
        sent = sink.times()
        peak = _high_water_mark(worker) / 1024
    page = click.log_page(InvitationLog.objects.get(), runs=11)
    return Size(
        members=members,
        send_rates=[_rate(fifth) for fifth in _fifths(sent)],
        log_page=page,
        worker_mb=peak,
    )


def _fifths(times: list[float]) -> list[list[float]]:
    size = len(times) // 5
    return [times[start : start + size] for start in range(0, 5 * size, size)]


def _rate(times: list[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0])


def _high_water_mark(worker: psutil.Process) -> int:
    """Kilobytes: the most it ever had, where the system tells; else what it has."""
    status = Path(f"/proc/{worker.pid}/status")
    if not status.exists():
        return int(worker.memory_info().rss) // 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])
