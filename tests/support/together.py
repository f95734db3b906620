"""Several things at the same moment, each with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(*steps: Callable[[], T]) -> list[T]:
    """What each of them returned, in their order; raises what one of them raised."""
    start = Barrier(len(steps))

    def run(step: Callable[[], T]) -> T:
        try:
            start.wait(20)
            return step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(run, steps))
