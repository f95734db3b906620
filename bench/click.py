"""The click: how long an organiser waits for the answer, and for the pages around it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench import people
from chapters.models import Workshop
from logs.models import InvitationLog


@dataclass(frozen=True)
class Answered:
    """What the server needs for one request: the median in milliseconds, and its statements."""

    ms: float
    statements: int


def clicks(workshop: Workshop, *, runs: int) -> Answered:
    """A click on Students, with everything a request goes through, from a real session."""
    client = _organiser()

    def click() -> None:
        answer = client.post(reverse("invite", args=[workshop.pk]), {"for": "students"})
        assert answer.status_code == 302

    return _measure(click, before=people.forget_letters, runs=runs)


def log_page(log: InvitationLog, *, runs: int) -> Answered:
    """The page of a log, with its progress and its people."""
    client = _organiser()

    def look() -> None:
        answer = client.get(reverse("invitation_log", args=[log.workshop_id, log.pk]))
        assert answer.status_code == 200

    return _measure(look, before=lambda: None, runs=runs)


def _measure(act, *, before, runs: int) -> Answered:
    times = []
    for _ in range(runs + 2):
        before()
        with CaptureQueriesContext(connection) as asked:
            began_at = time.monotonic()
            act()
            times.append(time.monotonic() - began_at)
    return Answered(ms=median(times[2:]) * 1000, statements=len(asked.captured_queries))


def _organiser() -> Client:
    client = Client()
    client.force_login(people.organiser())
    return client
