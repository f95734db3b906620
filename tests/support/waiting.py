"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(
    is_so: Callable[[], object], *, seconds: float = 60, every: float = 0.1, what: str = ""
) -> None:
    """Return as soon as it is so; fail with `what` when it is not after `seconds`."""
    ends_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends_at:
            raise AssertionError(f"still not after {seconds} s: {what or is_so}")
        time.sleep(every)
