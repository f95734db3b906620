"""What became of each row: counts that add up, findings, and where the next chunk begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Model

from chapters.models import Chapter, Group, Sponsor, Workshop
from invitations.models import Invitation
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Source
from logs.models import (
    ImportedTable,
    ImportFinding,
    InvitationLog,
    InvitationLogEntry,
    PlannerImport,
)
from members.models import Member

Outcome = ImportFinding.Outcome

# Whose rows keep planner's ids.
SAME_IDS: dict[str, type[Model]] = {
    "members": Member,
    "chapters": Chapter,
    "groups": Group,
    "sponsors": Sponsor,
    "workshops": Workshop,
    "workshop_invitations": Invitation,
    "invitation_logs": InvitationLog,
    "invitation_log_entries": InvitationLogEntry,
}


@dataclass
class Chunk:
    """
    Some rows of one table, and what becomes of them.

    Each row is imported, unless it is said here that it was merged or left out.
    """

    table: str
    rows: list[Row]
    source: Source
    at: datetime
    merged: int = 0
    left_out: int = 0
    findings: list[ImportFinding] = field(default_factory=list)
    others: list[Chunk] = field(default_factory=list)

    def note(self, rule: Rule, row: int | None, *, detail: str = "") -> None:
        """This row was imported, repaired by this rule."""
        self._find(rule, row, Outcome.KEPT, detail=detail)

    def merge(self, rule: Rule, row: int | None, *, into: int | None, detail: str = "") -> None:
        """This row has none of its own here: what is its is of another row, `into`."""
        self.merged += 1
        self._find(rule, row, Outcome.MERGED, into=into, detail=detail)

    def leave_out(self, rule: Rule, row: int | None, *, detail: str = "") -> None:
        """This row is not here."""
        self.left_out += 1
        self._find(rule, row, Outcome.LEFT_OUT, detail=detail)

    def beside(self, table: str, rows: list[Row]) -> Chunk:
        """Rows of another table that were read with these; saved and counted with them."""
        other = Chunk(table, rows, self.source, self.at)
        self.others.append(other)
        return other

    def cut(self, text: str | None, longest: int, row: int | None, *, name: str) -> str:
        """The text without spaces around it, cut to the room there is."""
        stripped = (text or "").strip()
        if len(stripped) > longest:
            self.note(Rule.TEXT_CUT, row, detail=name)
            return stripped[: longest - 1].rstrip() + "…"
        return stripped

    def _find(
        self,
        rule: Rule,
        row: int | None,
        outcome: Outcome,
        *,
        into: int | None = None,
        detail: str = "",
    ) -> None:
        self.findings.append(
            ImportFinding(
                table=self.table,
                old_id=row,
                rule=rule.code,
                outcome=outcome,
                into_id=into,
                detail=detail,
            )
        )


def here(table: str, ids: Iterable[int | None]) -> dict[int, int]:
    """
    Which of these rows of planner are here, and under which id: their own, or that of the row they
    were merged with. Two statements, however many they are.
    """
    wanted = {number for number in ids if number is not None}
    merged = dict(
        ImportFinding.objects.filter(
            table=table, old_id__in=wanted, outcome=Outcome.MERGED
        ).values_list("old_id", "into_id")
    )
    went_to = {old: merged.get(old) or old for old in wanted}
    there = set(
        SAME_IDS[table]
        ._default_manager.filter(pk__in=set(went_to.values()))
        .values_list("pk", flat=True)
    )
    return {old: new for old, new in went_to.items() if new in there}


def begin(*, source: str, zone: str, version: int) -> PlannerImport:
    """The one import of this database, as it was begun or as it begins now."""
    record, _is_new = PlannerImport.objects.get_or_create(
        id=1, defaults={"source": source, "zone": zone, "schema_version": version}
    )
    return record


def last_key(table: str) -> int | None:
    """Behind which key the next chunk begins; none at the very beginning."""
    return ImportedTable.objects.filter(table=table).values_list("last_key", flat=True).first()


def is_finished(table: str) -> bool:
    return ImportedTable.objects.filter(table=table, finished_at__isnull=False).exists()


def save(chunk: Chunk, *, key: int | None = None) -> None:
    """The counts and findings of a chunk, and of those beside it; with its rows, or not at all."""
    record, _is_new = ImportedTable.objects.get_or_create(table=chunk.table)
    record.read += len(chunk.rows)
    record.merged += chunk.merged
    record.left_out += chunk.left_out
    record.imported += len(chunk.rows) - chunk.merged - chunk.left_out
    if key is not None:
        record.last_key = key
    record.save()
    ImportFinding.objects.bulk_create(chunk.findings)
    for other in chunk.others:
        save(other)


def finish(table: str, *, at: datetime) -> None:
    """Every row of it was read."""
    ImportedTable.objects.update_or_create(table=table, defaults={"finished_at": at})


def note_about(table: str, rule: Rule, *, detail: str) -> None:
    """A finding about many rows of a table, which changes none of its counts."""
    ImportFinding.objects.create(table=table, rule=rule.code, outcome=Outcome.KEPT, detail=detail)


def leave_out_table(table: str, *, rows: int, rule: Rule, at: datetime) -> None:
    """A whole table that has no room here; one finding with the number of its rows."""
    ImportedTable.objects.create(table=table, read=rows, left_out=rows, finished_at=at)
    if not rows:
        return
    ImportFinding.objects.create(
        table=table, rule=rule.code, outcome=Outcome.LEFT_OUT, detail=f"{rows} rows"
    )
