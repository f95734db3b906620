"""Where the time of one letter goes, on one sender: claim and record, cursor, compose, SMTP."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from bench import ours, people
from bench.sink import LOOPBACK, Sink
from invitations import moulds
from invitations.services import claiming, delivering, preparing, smtp
from logs.services import slots


def microseconds(sink: Sink, *, letters: int) -> dict[str, float]:
    """Of each part, a letter; and what the cursor would cost without waiting for the disk."""
    settings.EMAIL_HOST, settings.EMAIL_PORT = LOOPBACK, sink.port
    workshop = people.workshop_for(letters)
    log = ours.click(workshop, ring=False)
    preparing.prepare(log.pk)
    spent: dict[str, float] = defaultdict(float)
    _send_all(spent)
    spent["cursor, without the wait for the disk"] = _cursor_without_disk(workshop, letters)
    return {part: seconds / letters * 1_000_000 for part, seconds in spent.items()}


def _send_all(spent: dict[str, float]) -> None:
    sender, accepted = smtp.Connection(), {}
    slot = slots.take(worker="bench")
    assert slot
    while True:
        with _timed(spent, "claim and record"):
            block, _ = claiming.claim(slot, accepted, limit=delivering.LARGEST_BLOCK)
        accepted.clear()
        if not block:
            break
        for letter in block:
            with _timed(spent, "cursor"):
                assert slots.move_cursor(slot, letter.entry_id) is not None
            with _timed(spent, "compose"):
                address = moulds.ascii_address(letter.address)
                text = delivering._compose(letter)
            with _timed(spent, "SMTP"):
                deadline = time.monotonic() + settings.LETTER_SECONDS
                outcome = sender.send(text, to=address, deadline=deadline)
            assert isinstance(outcome, smtp.Accepted)
            accepted[letter.entry_id] = outcome.code
    slots.release(slot, accepted)
    sender.close()


def _cursor_without_disk(workshop, letters: int) -> float:
    people.forget_letters()
    log = ours.click(workshop, ring=False)
    preparing.prepare(log.pk)
    slot = slots.take(worker="bench")
    assert slot
    block, _ = claiming.claim(slot, {}, limit=letters)
    spent: dict[str, float] = defaultdict(float)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        with _timed(spent, "cursor"):
            for letter in block:
                slots.move_cursor(slot, letter.entry_id)
        cursor.execute("RESET synchronous_commit")
    slots.release(slot, {})
    return spent["cursor"]


@contextmanager
def _timed(spent: dict[str, float], part: str) -> Iterator[None]:
    began_at = time.perf_counter()
    yield
    spent[part] += time.perf_counter() - began_at
