"""What a sender holds and asks before each letter leaves: its slot, the switches, hold and pace."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from chapters.models import Chapter


class Slot(models.Model):
    """
    The place of one SMTP connection. Whoever holds its token may send.

    It counts, for ever, what went through it: letters that were accepted, the milliseconds that
    the mail server took for them, and leases that ran out.
    """

    nr = models.PositiveSmallIntegerField(primary_key=True)
    token = models.UUIDField(null=True, blank=True, unique=True)
    cursor = models.BigIntegerField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    worker = models.TextField(blank=True, default="", db_default="")
    letters = models.BigIntegerField(default=0, db_default=0)
    smtp_ms = models.BigIntegerField(default=0, db_default=0)
    expired = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"Slot {self.nr}"


class Switch(models.Model):
    """Whether letters may leave: globally (no chapter) and for a chapter. No global row: off."""

    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, null=True, blank=True)
    is_on = models.BooleanField()

    class Meta:
        verbose_name_plural = "switches"
        constraints = [
            models.UniqueConstraint(
                name="one_switch_per_chapter", fields=["chapter"], nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"Switch of chapter {self.chapter_id}" if self.chapter_id else "Global switch"


class Hold(models.Model):
    """The one row that says whether, since when and why the mail server refuses us."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    probes = models.PositiveSmallIntegerField(default=0)
    next_probe_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="one_hold", condition=Q(id=1))]

    def __str__(self) -> str:
        return "Hold"


class Pace(models.Model):
    """The one row from which every sender takes its moment (MAIL_RATE_PER_SECOND)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    next_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(name="one_pace", condition=Q(id=1))]

    def __str__(self) -> str:
        return "Pace"
