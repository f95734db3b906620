"""Cancelling what waits: a whole batch that should not have been, before its letters leave."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench import ours, people
from chapters.models import Workshop
from invitations.services import preparing
from logs.services import purging


@dataclass(frozen=True)
class Purged:
    """Seconds until somebody knows how many letters are meant, and until they are cancelled."""

    count: float
    purge: float


def purge(letters: int, *, runs: int) -> list[Purged]:
    """So many letters of one batch wait, and all of them are cancelled."""
    workshop = people.workshop_for(letters)
    return [_once(workshop, letters=letters) for _ in range(runs)]


def _once(workshop: Workshop, *, letters: int) -> Purged:
    people.forget_letters()
    log = ours.click(workshop, ring=False)
    assert preparing.prepare(log.pk)
    which = purging.Which(chapter=workshop.chapter)
    began_at = time.monotonic()
    assert which.letters().count() == letters
    counted_at = time.monotonic()
    assert purging.purge(which, at_most=letters, reason="It should not have been.") == letters
    return Purged(count=counted_at - began_at, purge=time.monotonic() - counted_at)
