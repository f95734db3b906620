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
from invitations.templatetags.sending import seal
from logs.models import InvitationLog


@dataclass(frozen=True)
class Answered:
    """What the server needs for one request: the median in milliseconds, and its statements."""

    ms: float
    statements: int


def clicks(sizes: tuple[int, ...], *, runs: int) -> list[Answered]:
    """
    A click on Students in a chapter of each size, with everything a request goes through.

    In turn, in one database: the disk may still be busy with what was done minutes before.
    """
    workshops = people.workshops_for(sizes)
    clients = [_organiser(number) for number, _ in enumerate(sizes)]
    found: list[list[Answered]] = [[] for _ in sizes]
    for _ in range(runs + 2):
        people.forget_letters()
        for size, workshop, client, answers in zip(sizes, workshops, clients, found, strict=True):
            answers.append(_click(client, workshop, students=size))
    return [_median(answers[2:]) for answers in found]


def _click(client: Client, workshop: Workshop, *, students: int) -> Answered:
    form = {
        "for": "students",
        "seen_count": students,
        "students-typed": students,
        "seal": seal(workshop, "students", students),  # as the page of the button sends it along
    }
    with CaptureQueriesContext(connection) as asked:
        began_at = time.monotonic()
        answer = client.post(reverse("invite", args=[workshop.pk]), form)
        took = time.monotonic() - began_at
    assert answer.status_code == 302
    return Answered(ms=took * 1000, statements=len(asked.captured_queries))


def log_page(log: InvitationLog, *, runs: int) -> Answered:
    """The page of a log, with its progress and its people."""
    client = _organiser()
    return _median([_look(client, log) for _ in range(runs + 2)][2:])


def _look(client: Client, log: InvitationLog) -> Answered:
    with CaptureQueriesContext(connection) as asked:
        began_at = time.monotonic()
        answer = client.get(reverse("invitation_log", args=[log.workshop_id, log.pk]))
        took = time.monotonic() - began_at
    assert answer.status_code == 200
    return Answered(ms=took * 1000, statements=len(asked.captured_queries))


def _median(answers: list[Answered]) -> Answered:
    return Answered(
        ms=median(answer.ms for answer in answers),
        statements=max(answer.statements for answer in answers),
    )


def _organiser(number: int = 1) -> Client:
    client = Client()
    client.force_login(people.organiser(number))
    return client
