"""What was read and what became of it: a table for the terminal, and a file with every finding."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from django.db.models import Count

from invitations.services.planner.rules import Rule
from logs.models import ImportedTable, ImportFinding

COLUMNS = ("table", "old_id", "rule", "outcome", "into_id", "detail")


def write_findings(file: TextIO) -> int:
    """Every finding as CSV, ids only, in the order in which they were made. Returns how many."""
    lines = csv.writer(file)
    lines.writerow(COLUMNS)
    count = 0
    findings = ImportFinding.objects.order_by("pk").values_list(*COLUMNS)
    for finding in findings.iterator(chunk_size=2_000):
        lines.writerow(finding)
        count += 1
    return count


def summary() -> Iterator[str]:
    """Line by line: what each table came to, then how often each rule was needed."""
    yield from _tables()
    yield ""
    yield from _rules()


def _tables() -> Iterator[str]:
    head = ("read", "imported", "merged", "left out")
    yield f"{'table':<28}" + "".join(f"{word:>12}" for word in head)
    for row in ImportedTable.objects.order_by("table"):
        counts = (row.read, row.imported, row.merged, row.left_out)
        yield f"{row.table:<28}" + "".join(f"{count:>12,}" for count in counts)


def _rules() -> Iterator[str]:
    sentences = {rule.code: rule.value for rule in Rule}
    counted = (
        ImportFinding.objects.values_list("table", "rule")
        .annotate(count=Count("pk"))
        .order_by("table", "rule")
    )
    for table, rule, count in counted:
        yield f"{count:>9,}  {table}: {sentences.get(rule, rule)}"
