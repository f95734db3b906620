"""A slow mail server: what more connections bring, and a chapter like London."""

from __future__ import annotations

from pathlib import Path

from bench import ours, people
from bench.sink import Sink

REPLY_MS, ACCEPT_MS = 5, 20


def rate(
    folder: Path, *, connections: int, letters: int, runs: int, processes: int = 1
) -> list[float]:
    """
    Letters a second over so many connections of these workers, while all of them had work.

    The start and the end, when some have none, are left out: the middle four fifths count.
    """
    with (
        Sink(reply_ms=REPLY_MS, accept_ms=ACCEPT_MS) as sink,
        ours.workers(
            folder, sink, processes=processes, threads=connections // processes, warm_up=20
        ),
    ):
        workshop = people.workshop_for(letters, connections=connections + 1)
        return [_in_the_middle(_times(workshop, sink)) for _ in range(runs)]


def london(folder: Path, *, people_in_it: int, letter_ms: float) -> float:
    """Seconds from the click until the log was completed, on one worker with our defaults."""
    from django.conf import settings

    with (
        Sink(accept_ms=letter_ms) as sink,
        ours.workers(
            folder,
            sink,
            processes=1,
            threads=settings.CELERY_WORKER_CONCURRENCY,
            connections=settings.MAIL_CONNECTIONS,
            warm_up=3,
        ),
    ):
        workshop = people.workshop_for(people_in_it, connections=settings.MAIL_CONNECTIONS)
        return ours.send(workshop, sink).seconds


def _times(workshop, sink: Sink) -> list[float]:
    ours.send(workshop, sink)
    return sink.times()


def _in_the_middle(times: list[float]) -> float:
    tenth = len(times) // 10
    middle = times[tenth:-tenth]
    return (len(middle) - 1) / (middle[-1] - middle[0])
