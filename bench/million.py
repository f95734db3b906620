"""
A million members in 500 chapters: what the ledger alone needs, without mail server and commits a
letter. `bin/bench --million [MEMBERS]`.

Every chapter invites all of its students at one workshop; the letters are claimed and recorded in
full blocks, as if the mail server took no time. So it shows what grows in PostgreSQL.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from django.db import connection
from django.utils import timezone
from rich.console import Console

from bench import people
from chapters.models import Workshop
from invitations.services import claiming, delivering, inviting, preparing
from logs.models import Audience
from logs.services import slots, steering

CHAPTERS = 500
LEDGER = "logs_invitationlogentry"


@dataclass(frozen=True)
class Claimed:
    """How long a claim took, and how many letters were in it."""

    seconds: float
    letters: int


def simulate(members: int, *, chapters: int = CHAPTERS) -> None:
    """Print what it costs; nothing is asserted."""
    say = Console().print
    people.workshop_for(0)
    workshops = [
        people.chapter_of(members // chapters, nr, analyze=nr % 50 == 0) for nr in range(chapters)
    ]
    say(f"{members:,} members in {chapters} chapters")
    began_at = time.monotonic()
    first, *_, last = [_prepare(workshop) for workshop in workshops]
    say(f"prepare: {members / (time.monotonic() - began_at):,.0f} members/s over all;")
    say(f"   first chapter {first * 1000:.0f} ms, last chapter {last * 1000:.0f} ms")
    _tell_sizes(say, "before sending")
    began_at = time.monotonic()
    claims = list(_claims())
    seconds = time.monotonic() - began_at
    say(f"claim and record: {sum(c.letters for c in claims) / seconds:,.0f} letters/s")
    tenth = max(len(claims) // 10, 1)
    say(f"   a claim of the first tenth {median(c.seconds for c in claims[:tenth]) * 1000:.0f} ms,")
    say(f"   of the last tenth {median(c.seconds for c in claims[-tenth:]) * 1000:.0f} ms")
    _tell_sizes(say, "after sending")
    began_at = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {LEDGER}")
    say(f"vacuum of the ledger: {time.monotonic() - began_at:.1f} s")
    _tell_sizes(say, "after the vacuum")


def _prepare(workshop: Workshop) -> float:
    log = inviting.invite(
        workshop, audience=Audience.STUDENTS, initiator=people.organiser(), at=timezone.now()
    )
    began_at = time.monotonic()
    preparing.prepare(log.pk)
    return time.monotonic() - began_at


def _claims() -> Iterator[Claimed]:
    slot = slots.take(worker="bench")
    assert slot
    accepted: dict[int, int] = {}
    while True:
        began_at = time.monotonic()
        letters, was_due = claiming.claim(slot, accepted, limit=delivering.LARGEST_BLOCK)
        if not was_due:
            break
        yield Claimed(seconds=time.monotonic() - began_at, letters=len(letters))
        accepted = {letter.entry_id: 250 for letter in letters}
    slots.release(slot, accepted)
    steering.finish_done()


def _tell_sizes(say, when: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_relation_size(relid), pg_indexes_size(relid), n_dead_tup, autovacuum_count
            FROM pg_stat_user_tables WHERE relname = %s
            """,
            [LEDGER],
        )
        table, indexes, dead, vacuums = cursor.fetchone()
        cursor.execute(
            """
            SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes
            WHERE relname = %s ORDER BY 2 DESC
            """,
            [LEDGER],
        )
        largest = ", ".join(f"{name} {size / 2**20:.0f}" for name, size in cursor.fetchall())
        cursor.execute("SELECT pg_database_size(current_database())")
        database = cursor.fetchone()[0]
    say(
        f"{when}: ledger {table / 2**20:.0f} MB, its indexes {indexes / 2**20:.0f} MB"
        f" ({largest}); {dead:,} dead rows, {vacuums} autovacuums; database"
        f" {database / 2**20:.0f} MB"
    )
