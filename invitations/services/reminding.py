"""
Reminding people of a workshop: those who are coming, and those who wait for a place.

The sweep asks every half minute, from thirty hours before the start to one hour before it; so a
scheduler that was down for a night has missed nothing.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from chapters.models import Workshop
from invitations import tasks
from invitations.queries import reminders
from logs.models import Action, Audience, InvitationLog
from logs.services.logger import InvitationLogger


def remind_where_due(at: datetime) -> list[InvitationLog]:
    """A log for each workshop and audience whose moment has come."""
    logs = [remind(workshop_id, audience=audience) for workshop_id, audience in reminders.due(at)]
    return [log for log in logs if log]


@transaction.atomic
def remind(workshop_id: int, *, audience: Audience) -> InvitationLog | None:
    """
    Write down that these people are to be reminded of this start. The workers do the rest.

    Two who call at the same moment make one log: the second waits for the workshop and finds it.
    Whoever gets a place later has a letter that says when and where, and is not reminded; the
    claim leaves out whoever answered in the last hours before the log was made.

    :returns: the log, or nothing where this start has one already, or the workshop is cancelled
    """
    workshop = Workshop.objects.locked().get(pk=workshop_id)
    occasion = reminders.occasion_of_start(workshop)
    done = workshop.invitation_logs.filter(
        audience=audience, action=Action.REMINDER, occasion=occasion
    )
    if workshop.is_cancelled or done.exists():
        return None
    log, _ = InvitationLogger().open_log(
        workshop,
        audience=audience,
        initiator=None,
        source=InvitationLog.Source.SCHEDULE,
        action=Action.REMINDER,
        occasion=occasion,
    )
    transaction.on_commit(partial(tasks.ring_prepare, log.pk), robust=True)
    return log
