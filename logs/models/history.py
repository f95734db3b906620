"""Who did what, when."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from chapters.models import Chapter, Workshop
from members.models import Member


class Activity(models.Model):
    """
    Who did what, when: written by the service that did it, in the same transaction.

    `did` completes a sentence that begins with the person ("moved the workshop"); people are
    named by the foreign keys and never in a text.
    """

    at = models.DateTimeField(default=timezone.now, db_default=Now())
    by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="activities_of_theirs"
    )
    did = models.CharField(max_length=200)
    changes = models.JSONField(default=dict, blank=True)
    remark = models.TextField(blank=True, default="")
    chapter = models.ForeignKey(
        Chapter, on_delete=models.CASCADE, null=True, related_name="activities"
    )
    workshop = models.ForeignKey(
        Workshop, on_delete=models.SET_NULL, null=True, related_name="activities"
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="activities"
    )

    class Meta:
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return f"Activity {self.pk}"
