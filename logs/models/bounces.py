"""Letters that came back."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from logs.models.ledger import InvitationLogEntry
from members.models import Member


class Bounce(models.Model):
    """
    A letter that came back, or that somebody complained about, told once however often it is told.

    `told_by` and `event` are who said so and its own number for it; `code` is the enhanced status
    code of RFC 3463 where there is one.
    """

    class Kind(models.TextChoices):
        HARD = "hard", "the address does not exist"
        SOFT = "soft", "could not be delivered now"
        COMPLAINT = "complaint", "was marked as unwanted"

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="bounces")
    entry = models.ForeignKey(
        InvitationLogEntry, on_delete=models.SET_NULL, null=True, related_name="bounces"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    code = models.CharField(max_length=20, blank=True, default="", db_default="")
    told_by = models.CharField(max_length=40)
    event = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_bounce_per_event", fields=["told_by", "event"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="bounce_kind_is_known", condition=Q(kind__in=["hard", "soft", "complaint"])
            ),
        ]

    def __str__(self) -> str:
        return f"Bounce {self.pk}"
