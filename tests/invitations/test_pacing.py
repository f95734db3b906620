"""Each letter at its moment, and what becomes of a moment that was missed."""

from __future__ import annotations

import threading

import pytest
from pytest_django.fixtures import Settings

from invitations.services import pacing
from invitations.services.pacing import Pace

QUICK, SLOW = 0.005, 0.2  # seconds that a mail server takes for a letter


class Clock:
    """Time that passes when somebody sleeps."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Moments:
    """One in ten milliseconds, as the row of all workers grants them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.given: list[float] = []

    def ask(self) -> float:
        last = self.given[-1] if self.given else 0.0
        self.given.append(max(last + 0.01, self._clock.now))
        return self.given[-1]


@pytest.fixture(autouse=True)
def clock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Clock:
    settings.MAIL_RATE_PER_SECOND, settings.EMAIL_TIMEOUT = 100, 10
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    return clock


@pytest.fixture
def moments(clock: Clock) -> Moments:
    return Moments(clock)


@pytest.fixture
def pace() -> Pace:
    return Pace(threading.Event())


def send(pace: Pace, moments: Moments, clock: Clock, *, seconds: float = QUICK) -> int:
    """How many moments one letter needs, with which the mail server takes so long."""
    before = len(moments.given)
    assert pace.wait(moments.ask, until=clock.now + 30)
    clock.sleep(seconds)
    pace.arrived()
    return len(moments.given) - before


def test_a_letter_leaves_at_its_moment(pace, clock):
    assert pace.wait(lambda: 1000.25, until=1030)

    assert clock.now == pytest.approx(1000.25)


def test_a_missed_moment_is_left_unused(pace, clock):
    moments = iter([clock.now - 0.5, clock.now - 0.1, clock.now + 0.1])

    assert pace.wait(lambda: next(moments), until=clock.now + 30)

    assert clock.now == pytest.approx(1000.1)


def test_letters_that_take_as_long_as_usual_need_one_moment_each(pace, moments, clock):
    assert [send(pace, moments, clock) for _ in range(20)] == [1] * 20


def test_after_one_that_took_much_longer_a_moment_is_left_unused_once(pace, moments, clock):
    for _ in range(20):
        send(pace, moments, clock)

    send(pace, moments, clock, seconds=0.05)

    assert [send(pace, moments, clock) for _ in range(3)] == [2, 1, 1]


def test_a_slow_mail_server_is_soon_what_is_usual(pace, moments, clock):
    needed = [send(pace, moments, clock, seconds=SLOW) for _ in range(30)]

    assert max(needed) == 2
    assert needed[6:] == [1] * 24


def test_a_far_moment_is_not_left_unused_since_it_would_relieve_nobody(pace, moments, clock):
    for _ in range(20):
        send(pace, moments, clock)
    send(pace, moments, clock, seconds=0.05)
    moments.given.append(clock.now + 1.5)  # others wait as well

    assert send(pace, moments, clock) == 1
    assert send(pace, moments, clock) == 1


def test_who_must_not_leave_is_told_so(pace, clock):
    assert not pace.wait(lambda: None, until=clock.now + 30)


def test_no_letter_leaves_with_too_little_time_to_send_it(pace, clock):
    assert not pace.wait(lambda: clock.now + 25, until=clock.now + 30)

    assert clock.now == 1000


def test_nobody_waits_when_asked_to_stop(clock):
    stopping = threading.Event()
    stopping.set()

    assert not Pace(stopping).wait(lambda: clock.now + 5, until=clock.now + 30)

    assert clock.now == 1000


def test_without_a_limit_nothing_waits_and_nothing_is_owed(pace, settings, clock):
    settings.MAIL_RATE_PER_SECOND = 0
    asked = []

    for _ in range(3):
        assert pace.wait(lambda: asked.append(1) or clock.now + 60, until=clock.now + 30)
        clock.sleep(SLOW)
        pace.arrived()

    assert len(asked) == 3
    assert clock.now == pytest.approx(1000 + 3 * SLOW)
