"""Cancelling a workshop: no letter about it leaves any more, and those who reckon with it hear."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from chapters.models import Workshop
from invitations.services import messaging
from invitations.services.claiming import WORKSHOP_CANCELLED
from logs.models import LIVE_LOG_STATUSES, EntryStatus
from logs.services import activities, steering
from members.models import Member


class Refused(Exception):
    """Nothing was cancelled; `message` tells the organiser why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class WorkshopBegun(Refused): ...


@transaction.atomic
def cancel(
    workshop: Workshop,
    *,
    reason: str,
    include_unanswered: bool,
    by: Member,
    at: datetime,
) -> bool:
    """
    Cancel the workshop, with every letter about it that has not left, and tell people.

    Whoever comes or waits is told always. Answers stay as they are, and the calendar entry is
    withdrawn by the letter, under a higher sequence (RFC 5546, 3.2.5).

    :param reason: for those who are told; may be empty
    :param include_unanswered: also tell those who were invited and have not answered
    :returns: whether this call cancelled it; cancelling twice changes nothing
    :raises WorkshopBegun: when it is too late
    """
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    if workshop.is_cancelled:
        return False
    if workshop.has_begun(at):
        raise WorkshopBegun("This workshop has begun, so it cannot be cancelled any more.")
    workshop.cancelled_at = at
    workshop.sequence += 1
    workshop.save(update_fields=["cancelled_at", "sequence"])
    _stop_letters(workshop, by=by)
    activities.note("cancelled the workshop", by=by, workshop=workshop, remark=reason)
    messaging.tell_cancellation(
        workshop, initiator=by, include_unanswered=include_unanswered, at=at, note=reason
    )
    return True


def _stop_letters(workshop: Workshop, *, by: Member) -> None:
    """Logs first: one that is being prepared is waited for, and its letters are seen then."""
    for log in workshop.invitation_logs.filter(status__in=LIVE_LOG_STATUSES).order_by("pk"):
        with suppress(steering.Refused):  # it ended while we waited for its row
            steering.cancel(log, by=by, reason=WORKSHOP_CANCELLED)
    workshop.log_entries.filter(status=EntryStatus.PENDING).update(
        status=EntryStatus.CANCELLED, reason=WORKSHOP_CANCELLED, changed_at=Now()
    )
