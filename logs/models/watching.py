"""What is seen of the program at work: audits, releases, heartbeats, readings and alerts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from logs.models.ledger import InvitationLog
from members.models import Member


class AuditRun(models.Model):
    """
    One audit of everything: asked for, at work, done; and what it found, by numbers.

    Nobody asked for the nightly one.
    """

    asked_at = models.DateTimeField(default=timezone.now, db_default=Now())
    asked_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="audits_asked_for"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    found = models.JSONField(default=dict, blank=True)
    breaches = models.JSONField(default=list, blank=True)
    release = models.CharField(max_length=100, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_audit_at_a_time",
                fields=["finished_at"],
                condition=Q(finished_at__isnull=True),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"Audit {self.pk}"

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Release(models.Model):
    """A version of the program, and when it was first seen at work."""

    name = models.CharField(max_length=100, primary_key=True)
    seen_at = models.DateTimeField(default=timezone.now, db_default=Now())

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """When something that must go on by itself was last seen at work, such as the sweep."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(default=timezone.now, db_default=Now())
    release = models.CharField(max_length=100, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """How often something happened in a minute: a 5xx answer, a refused webhook, the guard."""

    name = models.CharField(max_length=60)
    minute = models.DateTimeField()
    count = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                name="one_tally_per_minute", fields=["name", "minute"], nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.minute:%Y-%m-%d %H:%M}"


class Reading(models.Model):
    """
    The ledger's instruments, read by the sweep once a minute: what the pictures are drawn from.

    The counts since the reading before: `sent` (accepted by the mail server), `failed`, `unknown`,
    `expired` (leases) and `smtp_ms` (milliseconds that the mail server took). The others are as it
    was at that moment; `oldest_due_seconds` is how long the first letter in line is overdue.
    """

    minute = models.DateTimeField(primary_key=True)
    release = models.CharField(max_length=100, blank=True, default="", db_default="")
    pending = models.BigIntegerField(default=0)
    sending = models.BigIntegerField(default=0)
    oldest_due_seconds = models.FloatField(default=0)
    sent = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)
    expired = models.BigIntegerField(default=0)
    smtp_ms = models.BigIntegerField(default=0)
    totals = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"Reading of {self.minute:%Y-%m-%d %H:%M}"


class Severity(models.TextChoices):
    """Whether somebody must look now, or today."""

    PAGE = "page", "now"
    MAIL = "mail", "today"


class Alert(models.Model):
    """
    Something that a person should look at, from when it began until it was over.

    `kind` names its page in `docs/runbook.md`; `key` tells several of one kind apart. It was last
    told by mail, to the webhook and to the pager when these say so; before its end means that the
    end is still to be told.
    """

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=100, blank=True, default="", db_default="")
    severity = models.CharField(max_length=10, choices=Severity.choices)
    log = models.ForeignKey(InvitationLog, on_delete=models.PROTECT, null=True, blank=True)
    numbers = models.JSONField(default=dict, blank=True)
    release = models.CharField(max_length=100, blank=True, default="", db_default="")
    began_at = models.DateTimeField(default=timezone.now, db_default=Now())
    seen_at = models.DateTimeField(default=timezone.now, db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)
    paged_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    tell_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_alert_at_a_time",
                fields=["kind", "key"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="alert_severity_is_known", condition=Q(severity__in=Severity.values)
            ),
        ]

    def __str__(self) -> str:
        return f"Alert {self.pk}"
