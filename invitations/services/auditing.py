"""
The audit: does the ledger hold what was promised, and who is missing?

It reads one snapshot and writes nothing there, so it can run while letters leave. It imports
nothing that counts, prepares, claims or sends (see `invitations.queries.auditing`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from invitations import tasks
from invitations.queries import auditing, declared_rules
from invitations.queries.auditing import Breach
from logs.models import AuditRun
from members.models import Member

logger = logging.getLogger(__name__)

# What is found, in the words of a table; in the order in which one looks at it.
KINDS = {
    "not_invited": "Eligible, and not invited",
    "not_eligible": "Invited, and not eligible",
    "no_invitation": "Written to without an invitation",
    "duplicate": "Twice",
    "no_answer": "Sent without an answer",
    "no_reason": "No reason given",
    "stuck": "Stuck",
    "counts": "Counts that do not add up",
    "misplaced": "In another's log",
    "nobody_asked": "Nobody asked for it",
    "forgotten": "Forgotten too soon, or not at all",
    "no_index": "Rules of uniqueness without an index",
    "no_check": "Rules that nothing checks",
}
KEPT = 500  # of one run, for its page; `manage.py audit` names them all
NAMED = 20  # in one line of the log
GIVEN_UP = timedelta(minutes=10)  # whoever began an audit so long ago has died


@contextmanager
def one_moment() -> Iterator[None]:
    """Everything inside sees the database as it is at the first question, and changes nothing."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def breaches(workshop_id: int | None = None) -> Iterator[Breach]:
    """
    Whatever is wrong, with one workshop or anywhere; of everything also the rules of the database.

    To be read inside `one_moment`.
    """
    if workshop_id is None:
        yield from declared_rules.broken_rules()
    yield from auditing.breaches(workshop_id)


@transaction.atomic
def ask(*, by: Member | None) -> AuditRun:
    """Have everything audited soon. While an audit is asked for or at work, that one is it."""
    run, is_new = AuditRun.objects.get_or_create(finished_at=None, defaults={"asked_by": by})
    if is_new:
        transaction.on_commit(lambda: tasks.ring_audit(run.pk), robust=True)
    return run


def run(run_id: int) -> bool:
    """
    Audit everything, keep what was found, and say aloud what must not be.

    :returns: whether this call did it; it may be done, or at work elsewhere
    """
    is_free = Q(started_at=None) | Q(started_at__lt=Now() - GIVEN_UP)
    asked = AuditRun.objects.filter(is_free, pk=run_id, finished_at=None)
    if not asked.update(started_at=Now(), release=settings.RELEASE):
        return False
    found: Counter[str] = Counter()
    broken: list[Breach] = []
    to_do: list[Breach] = []
    with one_moment():
        for breach in breaches():
            found[breach.kind] += 1
            kept = to_do if breach.is_open else broken
            if len(kept) < KEPT:
                kept.append(breach)
    AuditRun.objects.filter(pk=run_id).update(
        found={kind: found[kind] for kind in KINDS if found[kind]},
        breaches=[breach.as_dict() for breach in (broken + to_do)[:KEPT]],
        finished_at=Now(),
    )
    _say_aloud(run_id, found, broken or to_do)
    return True


def ring_for_what_was_asked() -> None:
    """Ring again for an audit that nobody heard of, or whose worker died."""
    late = Now() - timedelta(minutes=1)
    waiting = Q(started_at=None, asked_at__lt=late) | Q(started_at__lt=Now() - GIVEN_UP)
    for run_id in AuditRun.objects.filter(waiting, finished_at=None).values_list("pk", flat=True):
        tasks.ring_audit(run_id)


def _say_aloud(run_id: int, found: Counter[str], named: list[Breach]) -> None:
    """With numbers, not names; people who wait for a click are no fault."""
    is_broken = any(not breach.is_open for breach in named)
    level = logging.ERROR if is_broken else logging.WARNING if named else logging.INFO
    counts = ", ".join(f"{count} {kind}" for kind, count in found.items()) or "nothing"
    logger.log(level, "audit %s found %s", run_id, counts)
    for breach in named[:NAMED]:
        logger.log(level, "audit %s: %s", run_id, in_one_line(breach))


def in_one_line(breach: Breach) -> str:
    """What it is and where, by numbers: "stuck: workshop 3, log 7: being sent, and …"."""
    where = ", ".join(
        f"{name} {number}"
        for name, number in (
            ("workshop", breach.workshop),
            ("log", breach.log),
            ("entry", breach.entry),
            ("member", breach.member),
        )
        if number is not None
    )
    return ": ".join(part for part in (breach.kind, where, breach.reason) if part)
