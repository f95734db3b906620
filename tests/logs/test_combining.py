"""Threads that ask at the same moment are answered together, each with its own answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from logs.services.combining import Combiner
from tests.support.waiting import wait_until


class Slow:
    """Doubles numbers, and lets nobody through before it is told so."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go_on = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        assert self.go_on.wait(10)
        if -1 in numbers:
            raise LookupError("minus one")
        return [2 * number for number in numbers]


def _waiting(combiner: Combiner[int, int]) -> int:
    return len(combiner._waiting)


def test_alone_one_is_answered_at_once():
    slow = Slow()
    slow.go_on.set()
    combiner = Combiner(slow)

    assert [combiner.ask(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert slow.calls == [[1], [2], [3]]


def test_those_who_come_meanwhile_are_answered_together():
    slow = Slow()
    combiner = Combiner(slow)
    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(combiner.ask, 1)
        wait_until(lambda: slow.calls)
        others = [threads.submit(combiner.ask, number) for number in (2, 3, 4, 5)]
        wait_until(lambda: _waiting(combiner) == 4)
        slow.go_on.set()

        assert first.result() == 2
        assert [other.result() for other in others] == [4, 6, 8, 10]
    assert [sorted(call) for call in slow.calls] == [[1], [2, 3, 4, 5]]


def test_what_goes_wrong_reaches_all_it_was_asked_for_and_nobody_after_them():
    slow = Slow()
    combiner = Combiner(slow)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(combiner.ask, 1)
        wait_until(lambda: slow.calls)
        others = [threads.submit(combiner.ask, number) for number in (-1, 7)]
        wait_until(lambda: _waiting(combiner) == 2)
        slow.go_on.set()

        assert first.result() == 2
        for other in others:
            with pytest.raises(LookupError):
                other.result()
    assert combiner.ask(4) == 8


def test_a_crowd_gets_its_own_answers():
    slow = Slow()
    slow.go_on.set()
    combiner = Combiner(slow)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(combiner.ask, range(5000)))

    assert answers == [2 * number for number in range(5000)]
    assert sum(map(len, slow.calls)) == 5000
