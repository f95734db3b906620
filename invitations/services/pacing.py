"""
MAIL_RATE_PER_SECOND: each letter has a moment to leave, so that no second gets too many.

The moments come from one row for all workers (`slots.move_cursor`), with room for letters that are
a little late (`slots.PACE`). What is done here is to keep them: a letter that leaves or arrives
later comes among those that follow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.conf import settings

from logs.services import slots

WINDOW_SECONDS = 1  # in which a provider counts
LONGEST_SLEEP = 0.1  # seconds; somebody may ask us to stop
SHARE_OF_THE_LAST = 1 / 8  # in what a letter usually takes


class Pace:
    """
    How one sender keeps to the moments of its letters.

    :param stopping: set when no further letter shall leave
    """

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._moment = 0.0
        self._usual_seconds = 0.0  # the first letters owe: when a batch begins, many are late
        self._owes_a_moment = False

    def wait(self, ask: Callable[[], float | None], *, until: float) -> bool:
        """
        Return at the letter's moment. One that was missed is left unused; so is one that is owed,
        unless it is so far off that it cannot relieve the second in which the late letter came.

        :param ask: gives the letter a new moment, or nothing when it must not leave
        :param until: by `time.monotonic`, when its time is over
        :returns: whether it may leave
        """
        while (moment := ask()) is not None:
            if not settings.MAIL_RATE_PER_SECOND:
                return True
            is_owed, self._owes_a_moment = self._owes_a_moment, False
            if is_owed and moment < time.monotonic() + WINDOW_SECONDS:
                continue
            if not self._sleep_until(moment, until):
                return False
            if time.monotonic() - moment < slots.LATE_SECONDS:
                self._moment = moment
                return True
        return False

    def arrived(self) -> None:
        """
        The mail server has answered. When that took much longer than usual, from its moment on, the
        letter is now among those of later moments, and one of these stays unused instead.
        """
        if not settings.MAIL_RATE_PER_SECOND:
            return
        took = time.monotonic() - self._moment
        self._owes_a_moment = took > 2 * self._usual_seconds + slots.LATE_SECONDS
        self._usual_seconds += (took - self._usual_seconds) * SHARE_OF_THE_LAST

    def _sleep_until(self, moment: float, until: float) -> bool:
        """Whether it came; not waited for where too little time would be left for the letter."""
        if moment + settings.EMAIL_TIMEOUT > until:
            return False
        while (rest := moment - time.monotonic()) > 0 and not self._stopping.is_set():
            # Not stopping.wait(): its lock and a signal's do not mix.
            time.sleep(min(rest, LONGEST_SLEEP))
        return not self._stopping.is_set()
