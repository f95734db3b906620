"""
Asking those who have not answered, once for each start of a workshop: an organiser's choice.

Whoever was asked for this start, by whatever log, is left out; so are all whom an invitation would
leave out. A workshop that moves has another start, and may be asked about again.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from chapters.models import Workshop
from invitations import tasks
from invitations.queries import nudges, reminders
from invitations.services import inviting, rsvps
from invitations.services.inviting import Refused
from logs.models import Action, Audience, InvitationLog
from logs.services import activities
from logs.services.logger import InvitationLogger
from members.models import Member


class Nobody(Refused):
    message = "There is nobody left to ask."


class CannotAnswer(Refused):
    """Who is asked could not answer: places are not given yet, or not any more."""


class AlreadyAsking(Refused):
    """They are being asked already; `log` is that one."""

    message = "They are being asked already."

    def __init__(self, log: InvitationLog) -> None:
        self.log = log
        super().__init__()


def check(workshop: Workshop, *, at: datetime) -> None:
    """:raises Refused: when nobody can be asked about this workshop now"""
    inviting.check(workshop, at=at)
    try:
        rsvps.check_open(workshop, at=at)
    except rsvps.Refused as refusal:
        raise CannotAnswer(f"Nobody can be asked now. {refusal.for_organiser}") from refusal


@transaction.atomic
def nudge(
    workshop: Workshop,
    *,
    initiator: Member,
    at: datetime,
    seen_count: int | None = None,
    typed_count: int | None = None,
    request_key: UUID,
) -> InvitationLog:
    """
    Write down that everybody who was invited and is silent is to be asked. The workers do the rest.

    :param seen_count: how many people the button named; far more than that are never written to
    :param typed_count: the same number typed by hand, which is asked for where it is not usual
    :param request_key: of the form; the same form again finds the log of the first time
    :raises Refused: and nothing is written
    """
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    if sent_before := InvitationLog.objects.filter(request_key=request_key).first():
        return sent_before
    check(workshop, at=at)
    live_log = nudges.live_log(workshop)
    if live_log:
        raise AlreadyAsking(live_log)
    letters = nudges.reach(workshop).to_invite
    if not letters:
        raise Nobody
    inviting.check_seen(seen_count, letters=letters)
    inviting.check_typed(workshop, Audience.UNANSWERED, seen=seen_count, typed=typed_count)
    log, _ = InvitationLogger().open_log(
        workshop,
        audience=Audience.UNANSWERED,
        initiator=initiator,
        action=Action.NUDGE,
        occasion=reminders.occasion_of_start(workshop),
        seen_count=seen_count,
        request_key=request_key,
    )
    activities.note("asked those who had not answered", by=initiator, workshop=workshop)
    transaction.on_commit(partial(tasks.ring_prepare, log.pk), robust=True)
    return log
