"""From a click to the ledger: one set-based transaction, or a `get_or_create` for each member."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench import ours, people
from chapters.models import Role, Workshop
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


@dataclass(frozen=True)
class Compared:
    """Each way as often as the other, in turn, in one chapter: both meet the same minutes."""

    ours: list[Prepared]
    naive: list[float]  # members a second


def compare(members: int, *, first: int, runs: int) -> Compared:
    """
    Prepare letters for a chapter of so many members.

    :param first: with so many of them the naive way is measured, which would take a quarter of an
        hour for 100,000
    """
    workshop = people.workshop_for(members)
    both = [(_one_by_one(workshop, first=first), _set_based(workshop)) for _ in range(runs)]
    return Compared(ours=[one for _, one in both], naive=[one for one, _ in both])


def _set_based(workshop: Workshop) -> Prepared:
    people.forget_letters()
    log = ours.click(workshop, ring=False)
    began_at = time.monotonic()
    with CaptureQueriesContext(connection) as asked:
        assert preparing.prepare(log.pk)
    seconds = time.monotonic() - began_at
    statements = [query for query in asked.captured_queries if query["sql"] not in BRACKETS]
    return Prepared(rate=log.entries.count() / seconds, statements=len(statements))


def _one_by_one(workshop: Workshop, *, first: int) -> float:
    """Members a second of the naive way, which writes the same two rows for each."""
    people.forget_letters()
    log = ours.click(workshop, ring=False)
    began_at = time.monotonic()
    members = Member.objects.filter(subscriptions__group__chapter=workshop.chapter)[:first]
    for member in members:
        Invitation.objects.get_or_create(
            workshop=workshop, member=member, defaults={"role": Role.STUDENT}
        )
        InvitationLogEntry.objects.get_or_create(log=log, member=member, workshop=workshop)
    return len(members) / (time.monotonic() - began_at)
