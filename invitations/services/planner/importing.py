"""
The import from planner: in which order, each chunk in one transaction of its own.

A chunk's rows, its findings and its counts are saved together. So a run that was killed goes on
exactly where it was, and a run after the end finds nothing to do. Nobody is written to: no row
that could become a letter is ever made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from chapters.models import Chapter, Sponsor, Workshop
from invitations.services.planner import (
    bookkeeping,
    chapters,
    feedback,
    histories,
    invitations,
    marks,
    people,
    permissions,
    records,
    sequences,
    source,
    sponsors,
    workshops,
)
from invitations.services.planner.bookkeeping import Chunk
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Refused, Source, Step
from logs import locks
from logs.models import ImportedTable, InvitationLog, PlannerImport
from members.models import Member
from members.terminal import Advance

Bring = Callable[[Chunk], None]

# Each needs what stands above it.
STEPS: tuple[tuple[Step, Bring], ...] = (
    (people.MEMBERS, people.bring_members),
    (people.IDENTITIES, people.bring_identities),
    (people.TAGS, people.bring_tags),
    (people.SKILLS, people.bring_skills),
    (records.BANS, records.bring_bans),
    (records.NOTES, records.bring_notes),
    (records.WARNINGS, records.bring_warnings),
    (records.QUESTIONS, records.bring_questions),
    (chapters.CHAPTERS, chapters.bring_chapters),
    (chapters.GROUPS, chapters.bring_groups),
    (chapters.SUBSCRIPTIONS, chapters.bring_subscriptions),
    (sponsors.SPONSORS, sponsors.bring_sponsors),
    (sponsors.ADDRESSES, sponsors.bring_addresses),
    (sponsors.CONTACTS, sponsors.bring_contacts),
    (workshops.WORKSHOPS, workshops.bring_workshops),
    (workshops.SPONSORS, workshops.bring_sponsors),
    (permissions.PERMISSIONS, permissions.bring_permissions),
    (permissions.HOLDERS, permissions.bring_holders),
    (invitations.INVITATIONS, invitations.bring),
    (invitations.NOBODYS_PLACES, invitations.leave_out_nobodys_places),
    (histories.LOGS, histories.bring_logs),
    (histories.ENTRIES, histories.bring_entries),
    (marks.HELLOS, marks.bring_hellos),
    (feedback.REQUESTS, feedback.bring_requests),
    (feedback.ANSWERS, feedback.bring_answers),
    (feedback.TUTORIALS, feedback.leave_out_tutorials),
)


class AnotherRuns(Refused):
    def __init__(self) -> None:
        super().__init__("Another import is running at this moment. Wait for it, or stop it.")


class NotSaved(Refused):
    """A row that no rule foresaw; what the database says of it could name a person."""

    def __init__(self, chunk: Chunk, odd: DatabaseError) -> None:
        diagnosis = getattr(odd.__cause__, "diag", None)
        rule = getattr(diagnosis, "constraint_name", None) or type(odd).__name__
        super().__init__(
            f"A row of {chunk.table} does not fit into codebar's database ({rule}), and no written"
            f" rule says how to repair it. None of these {len(chunk.rows):,} rows was saved, and"
            " everything before them is. Report it, or mend the row in planner, and run the same"
            " command again: it goes on where it stopped."
        )


@dataclass(frozen=True)
class Difference:
    """A table that has grown or shrunk in planner since it was read."""

    table: str
    read: int
    there: int


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    was_finished: bool
    """An earlier run had brought everything; this one changed nothing."""
    differences: list[Difference]


def rows_to_read(planner: Source) -> int:
    """How many rows there are in all, for whoever shows how far the import is."""
    return sum(planner.count(table) for table in _tables(planner))


def run(planner: Source, *, at: datetime, advance: Advance) -> Done:
    """
    Bring everything over that is not here yet. Killed and run again it goes on; at the end it
    changes nothing.

    :param advance: told how many more rows were read, those of an earlier run first
    :raises Refused: when this database has people of its own, belongs to another planner, its times
        were read in another zone, or another import is running
    """
    with _alone():
        record = _begin(planner, at=at)
        advance(sum(ImportedTable.objects.values_list("read", flat=True)))
        was_finished = record.finished_at is not None
        if not was_finished:
            _leave_out_what_has_no_room(planner, at=at, advance=advance)
            for step, bring in STEPS:
                _bring_table(step, bring, planner=planner, at=at, advance=advance)
            marks.mark(planner, at=at)
            with transaction.atomic():
                marks.count()
                PlannerImport.objects.update(finished_at=at)
            _analyze()
        return Done(was_finished, _differences(planner))


@transaction.atomic
def try_out(
    planner: Source, *, at: datetime, advance: Advance, look: Callable[[Done], None]
) -> None:
    """
    The very same, and then nothing of it: all is undone once `look` has seen it.

    :raises Refused: as `run` does
    """
    look(run(planner, at=at, advance=advance))
    transaction.set_rollback(True)


def _begin(planner: Source, *, at: datetime) -> PlannerImport:
    fingerprint = source.fingerprint(planner)
    record = PlannerImport.objects.first()
    if record is None:
        _check_nobody_is_here()
        with transaction.atomic():
            record = bookkeeping.begin(
                source=fingerprint, zone=planner.zone, version=planner.version
            )
            sequences.make_room(planner)
        return record
    if record.source != fingerprint:
        raise Refused(
            f"This database was filled from another planner than {planner.place}. Nothing was"
            " changed. Give the address of the first one, or begin with an empty database."
        )
    if record.zone != planner.zone:
        raise Refused(
            f"Planner's times were read in the zone {record.zone} until now, and not"
            f" {planner.zone}. Nothing was changed. Go on with --zone {record.zone}, or begin with"
            " an empty database."
        )
    if record.finished_at is None:
        with transaction.atomic():
            sequences.make_room(planner)
    return record


def _check_nobody_is_here() -> None:
    counts = {
        "members": Member.objects.count(),
        "chapters": Chapter.objects.count(),
        "companies": Sponsor.objects.count(),
        "workshops": Workshop.objects.count(),
        "logs": InvitationLog.objects.count(),
    }
    found = [f"{count:,} {what}" for what, count in counts.items() if count]
    if found:
        raise Refused(
            f"There are {', '.join(found)} in codebar's database already, and the ids of planner"
            " are to be kept. Nothing was changed. Make an empty database (CREATE DATABASE), let"
            " DATABASE_URL name it, run manage.py migrate, and import into that."
        )


def _leave_out_what_has_no_room(planner: Source, *, at: datetime, advance: Advance) -> None:
    for table in source.tables_without_room(planner):
        if bookkeeping.is_finished(table):
            continue
        rows = planner.count(table)
        with transaction.atomic():
            bookkeeping.leave_out_table(table, rows=rows, rule=Rule.NOT_PART_OF_CODEBAR, at=at)
        advance(rows)


def _bring_table(
    step: Step, bring: Bring, *, planner: Source, at: datetime, advance: Advance
) -> None:
    if bookkeeping.is_finished(step.table):
        return
    key = bookkeeping.last_key(step.table)
    while found := planner.rows_after(step, key):
        rows, key = found
        chunk = Chunk(step.table, rows, planner, at)
        try:
            _save(chunk, bring, key=key)
        except (IntegrityError, DataError) as odd:
            raise NotSaved(chunk, odd) from odd
        advance(len(rows) + sum(len(other.rows) for other in chunk.others))
    bookkeeping.finish(step.table, at=at)


@transaction.atomic
def _save(chunk: Chunk, bring: Bring, *, key: int) -> None:
    bring(chunk)
    bookkeeping.save(chunk, key=key)
    connection.check_constraints()  # now, and not only at a commit that a dry run lacks


def _differences(planner: Source) -> list[Difference]:
    there = {table: planner.count(table) for table in _tables(planner)}
    read = dict(ImportedTable.objects.values_list("table", "read"))
    return [
        Difference(table, read.get(table, 0), count)
        for table, count in there.items()
        if read.get(table, 0) != count
    ]


def _tables(planner: Source) -> list[str]:
    brought = dict.fromkeys(step.table for step, _bring in STEPS)
    return [*source.tables_without_room(planner), *brought]


def _analyze() -> None:
    """So that the first pages after it are as fast as all others."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@contextmanager
def _alone() -> Iterator[None]:
    if not locks.try_import():
        raise AnotherRuns
    try:
        yield
    except Refused:
        locks.end_import()
        raise
    locks.end_import()  # whatever else goes wrong ends the process, and the lock with it
