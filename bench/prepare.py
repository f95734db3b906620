"""From a click to the ledger: one set-based transaction, or a `get_or_create` for each member."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench import ours, people
from chapters.models import Role
from invitations.models import Invitation
from invitations.services import preparing
from logs.models import InvitationLogEntry
from members.models import Member

BRACKETS = ("BEGIN", "COMMIT")


@dataclass(frozen=True)
class Prepared:
    """Members a second, each with an invitation and an entry, and how many statements it took."""

    rate: float
    statements: int


def set_based(members: int, *, runs: int) -> list[Prepared]:
    """Our own way."""
    workshop = people.workshop_for(members)
    found = []
    for _ in range(runs):
        people.forget_letters()
        log = ours.click(workshop, ring=False)
        began_at = time.monotonic()
        with CaptureQueriesContext(connection) as asked:
            assert preparing.prepare(log.pk)
        seconds = time.monotonic() - began_at
        statements = [query for query in asked.captured_queries if query["sql"] not in BRACKETS]
        found.append(Prepared(rate=members / seconds, statements=len(statements)))
    return found


def one_by_one(members: int, *, runs: int) -> list[float]:
    """Members a second of the naive way, which writes the same two rows for each."""
    workshop = people.workshop_for(members)
    rates = []
    for _ in range(runs):
        people.forget_letters()
        log = ours.click(workshop, ring=False)
        began_at = time.monotonic()
        for member in Member.objects.filter(subscriptions__group__chapter=workshop.chapter):
            Invitation.objects.get_or_create(
                workshop=workshop, member=member, defaults={"role": Role.STUDENT}
            )
            InvitationLogEntry.objects.get_or_create(log=log, member=member, workshop=workshop)
        rates.append(members / (time.monotonic() - began_at))
    return rates
