"""
Asking how a workshop was, and keeping what was said without who said it.

A request knows whom it asked and that the link is used up. An answer knows the workshop. Nothing
leads from one to the other: an answer carries the day of the workshop and not its own, and a number
drawn by lot and not the next one, so neither a date nor an order tells whose it is.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from chapters.models import Role, Workshop
from invitations import tasks
from invitations.models import Feedback, FeedbackRequest
from invitations.queries import feedback
from logs.models import LIVE_LOG_STATUSES, Action, Audience, InvitationLog
from logs.services.logger import InvitationLogger
from members.models import Member


class AlreadyGiven(Exception):
    """This link was used before; what was said then stays."""


@dataclass(frozen=True)
class Answer:
    """What somebody says about a workshop."""

    rating: int
    coach: Member | None
    tutorial: str
    how_it_was: str
    suggestions: str


def ask_where_due(at: datetime) -> list[InvitationLog]:
    """A log for each workshop that is over, with those who were not asked about it yet."""
    logs = [ask(workshop, at=at) for workshop in feedback.due(at)]
    return [log for log in logs if log]


@transaction.atomic
def ask(workshop: Workshop, *, at: datetime) -> InvitationLog | None:
    """
    Write down that the students who came are to be asked, each with a link of their own.

    Whoever is marked as here later is asked by another log; nobody is asked twice.

    :returns: the log, or nothing where it is not over, somebody is being asked, or nobody is left
    """
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    asking = workshop.invitation_logs.filter(action=Action.FEEDBACK, status__in=LIVE_LOG_STATUSES)
    if workshop.is_cancelled or at < workshop.ends_at or asking.exists():
        return None
    requests = [FeedbackRequest(invitation=asked) for asked in feedback.to_ask(workshop)]
    if not requests:
        return None
    FeedbackRequest.objects.bulk_create(requests)
    log, _ = InvitationLogger().open_log(
        workshop,
        audience=Audience.ATTENDED,
        initiator=None,
        source=InvitationLog.Source.SCHEDULE,
        action=Action.FEEDBACK,
    )
    transaction.on_commit(partial(tasks.ring_prepare, log.pk), robust=True)
    return log


@transaction.atomic
def give(request: FeedbackRequest, answer: Answer, *, at: datetime) -> None:
    """
    Keep what was said, and use the link up: both or neither.

    :raises AlreadyGiven: for everybody but the first of those who come at the same moment
    """
    used = FeedbackRequest.objects.filter(pk=request.pk, answered_on=None)
    if not used.update(answered_on=at.date()):
        raise AlreadyGiven
    workshop = request.invitation.workshop
    Feedback.objects.create(
        pk=secrets.randbits(62),
        workshop=workshop,
        role=Role.STUDENT,
        rating=answer.rating,
        coach=answer.coach,
        tutorial=answer.tutorial,
        how_it_was=answer.how_it_was,
        suggestions=answer.suggestions,
        given_on=workshop.local_start.date(),
    )
