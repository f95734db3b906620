"""What came over from planner: how far that is, and what became of every row that was read."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone


class PlannerImport(models.Model):
    """The one import of this database: from which planner, and as what its times were read."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    source = models.CharField(max_length=64)
    zone = models.CharField(max_length=64)
    schema_version = models.BigIntegerField()
    started_at = models.DateTimeField(default=timezone.now, db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="one_planner_import", condition=Q(id=1))]

    def __str__(self) -> str:
        return "Import from planner"


class ImportedTable(models.Model):
    """
    One table of planner. Every row that was read was imported, merged with another, or left out.

    `last_key` is where the next chunk begins; it is saved together with the rows.
    """

    table = models.CharField(max_length=63, primary_key=True)
    last_key = models.BigIntegerField(null=True, blank=True)
    read = models.PositiveBigIntegerField(default=0)
    imported = models.PositiveBigIntegerField(default=0)
    merged = models.PositiveBigIntegerField(default=0)
    left_out = models.PositiveBigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="imported_rows_add_up",
                condition=Q(read=F("imported") + F("merged") + F("left_out")),
            ),
        ]

    def __str__(self) -> str:
        return self.table


class ImportFinding(models.Model):
    """
    A row of planner that was not as it should be, and the written rule by which it was repaired.

    `detail` holds the name of a column or a number, never anything about a person.
    """

    class Outcome(models.TextChoices):
        KEPT = "kept", "kept"
        MERGED = "merged", "merged"
        LEFT_OUT = "left_out", "left out"

    table = models.CharField(max_length=63)
    old_id = models.BigIntegerField(null=True, blank=True)
    rule = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    into_id = models.BigIntegerField(null=True, blank=True)
    detail = models.CharField(max_length=100, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="import_outcome_is_known",
                condition=Q(outcome__in=["kept", "merged", "left_out"]),
            ),
        ]
        indexes = [models.Index(fields=["table", "old_id"], name="findings_of_a_row")]

    def __str__(self) -> str:
        return f"Finding {self.pk}"
