"""
Writing to the people of one workshop: an organiser's own words, a change, a cancellation.

Each audience gets a log of its own, like an invitation. Nobody sees an address, and nobody is
written to who was not invited.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from chapters.models import Role, Workshop
from invitations import tasks
from invitations.queries import audiences
from invitations.services import inviting
from invitations.services.inviting import Refused
from logs.models import Action, Audience, InvitationLog
from logs.services import activities
from logs.services.logger import InvitationLogger
from members.models import Member

AUDIENCES = (Audience.ATTENDING, Audience.WAITING, Audience.UNANSWERED)
TOLD_ALWAYS = (Audience.ATTENDING, Audience.WAITING)
EMPTY = {
    Audience.ATTENDING: "nobody is coming",
    Audience.WAITING: "nobody is on the waiting list",
    Audience.UNANSWERED: "nobody who was invited is still to answer",
}


class UnknownAudience(Refused):
    message = "Choose whom to write to."


class WorkshopCancelled(Refused):
    message = "This workshop is cancelled. Everybody was told, and no further message is sent."


class Nobody(Refused):
    """The audience is empty, or nobody in it can be written to."""


@transaction.atomic
def write_to(
    workshop: Workshop,
    *,
    audience: str,
    subject: str,
    text: str,
    initiator: Member,
    at: datetime,
    request_key: UUID,
    seen_count: int | None = None,
    typed_count: int | None = None,
) -> InvitationLog:
    """
    Write down that these people are to get this message. The workers do the rest.

    Before the workshop and after it: people are thanked, too.

    :param seen_count: how many people the page promised; far more than that are never written to
    :param typed_count: the same number typed by hand, which is asked for beyond GUARD_SIZE
    :param request_key: of the form; the same form again finds the log of the first time
    :raises Refused: and nothing is written
    """
    if audience not in AUDIENCES:
        raise UnknownAudience
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    if sent_before := InvitationLog.objects.filter(request_key=request_key).first():
        return sent_before
    if workshop.is_cancelled:
        raise WorkshopCancelled
    inviting.check_seen(seen_count, letters=_check_somebody(workshop, Audience(audience)))
    inviting.check_typed(workshop, Audience(audience), seen=seen_count, typed=typed_count)
    log, _ = InvitationLogger().open_log(
        workshop,
        audience=Audience(audience),
        initiator=initiator,
        action=Action.MESSAGE,
        occasion=None,
        subject=subject,
        note=text,
        seen_count=seen_count,
        request_key=request_key,
    )
    whom = log.get_audience_display().lower()
    activities.note(f"wrote to {whom}", by=initiator, workshop=workshop)
    _ring([log])
    return log


@transaction.atomic
def send_test(
    workshop: Workshop, *, subject: str, text: str, initiator: Member, request_key: UUID
) -> InvitationLog:
    """
    Send this message to whoever asks and to nobody else.

    :param request_key: of the form; the same form again sends nothing
    """
    log, is_new = InvitationLogger().open_log(
        workshop,
        audience=Audience.PEOPLE,
        initiator=initiator,
        action=Action.TEST,
        occasion=f"{Role.STUDENT.value} {request_key}",
        subject=subject,
        note=text,
        request_key=request_key,
    )
    if is_new:
        InvitationLogger().add_test(log, initiator)
        transaction.on_commit(tasks.ring, robust=True)
    return log


@transaction.atomic
def tell_change(
    workshop: Workshop,
    *,
    initiator: Member,
    include_unanswered: bool,
    at: datetime,
    note: str = "",
) -> list[InvitationLog]:
    """
    Tell everybody who comes or waits what is true of the workshop now, and ask calendars to move.

    Nobody gets two letters about the same `sequence`. A later change replaces an earlier one:
    letters about that which have not left are skipped. Once it has begun nobody is told.

    :param include_unanswered: also those who were sent an invitation and have not answered
    :returns: a log for each audience in which there is somebody
    """
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    if workshop.is_cancelled or workshop.has_begun(at):
        return []
    told = AUDIENCES if include_unanswered else TOLD_ALWAYS
    return _tell(workshop, Action.CHANGE, told, initiator=initiator, note=note)


@transaction.atomic
def tell_cancellation(
    workshop: Workshop,
    *,
    initiator: Member,
    include_unanswered: bool,
    at: datetime,
    note: str = "",
) -> list[InvitationLog]:
    """
    Tell everybody who comes or waits that the workshop is cancelled, and take it out of their
    calendars. Whoever calls has cancelled it already. Nobody gets two such letters.

    :param include_unanswered: also those who were sent an invitation and have not answered, as
        long as they could still come
    :returns: a log for each audience in which there is somebody
    """
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    is_for_all = include_unanswered and not workshop.has_begun(at)
    told = AUDIENCES if is_for_all else TOLD_ALWAYS
    return _tell(workshop, Action.CANCELLATION, told, initiator=initiator, note=note)


def _tell(
    workshop: Workshop,
    action: Action,
    told: Iterable[Audience],
    *,
    initiator: Member,
    note: str,
) -> list[InvitationLog]:
    opened = [
        InvitationLogger().open_log(
            workshop,
            audience=audience,
            initiator=initiator,
            action=action,
            occasion=str(workshop.sequence),
            note=note,
        )
        for audience in told
        if audiences.audience_of(workshop, audience).exists()
    ]
    _ring(log for log, is_new in opened if is_new)
    return [log for log, _ in opened]


def _check_somebody(workshop: Workshop, audience: Audience) -> int:
    """How many that are; somebody, at least."""
    reach = audiences.reach(workshop, audience)
    if not reach.subscribers:
        raise Nobody(f"There is nobody to write to: {EMPTY[audience]}.")
    if not reach.to_invite:
        raise Nobody("None of these people can be written to. The page says why.")
    return reach.to_invite


def _ring(logs: Iterable[InvitationLog]) -> None:
    for log in logs:
        transaction.on_commit(partial(tasks.ring_prepare, log.pk), robust=True)
