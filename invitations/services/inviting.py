"""The click: may this audience be invited now? Then the log is written, and nothing else."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from chapters.models import Workshop
from chapters.queries import host_of
from invitations import tasks
from logs.models import CHAPTER_AUDIENCES, Audience, InvitationLog
from logs.services.logger import InvitationLogger
from members.models import Member


class Refused(Exception):
    """Nobody is invited; `message` tells the organiser why."""

    message = "Nobody can be invited now."

    def __init__(self, message: str = "") -> None:
        self.message = message or self.message
        super().__init__(self.message)


class UnknownAudience(Refused):
    message = "Choose students, coaches or everyone."


class WorkshopCancelled(Refused):
    message = "This workshop is cancelled, so nobody can be invited."


class WorkshopBegun(Refused):
    message = "This workshop has already begun, so nobody can be invited."


class NotInvitable(Refused):
    message = "This workshop is not open for invitations. Tick “invitable” to open it."


class NoVenue(Refused):
    message = "The venue is missing, so nobody can be invited."


class AlreadyRunning(Refused):
    """A log of the same audience is live; `log` is that one."""

    def __init__(self, log: InvitationLog) -> None:
        self.log = log
        started_at = log.created_at.astimezone(log.chapter.time_zone)
        by = log.initiator.full_name if log.initiator else "the schedule"
        super().__init__(
            f"{log.get_audience_display()} are being invited already:"
            f" {by} started that on {started_at:%-d %B at %H:%M}."
        )


def check(workshop: Workshop, *, at: datetime) -> None:
    """:raises Refused: when nobody can be invited to this workshop, whoever asks"""
    if workshop.is_cancelled:
        raise WorkshopCancelled
    if workshop.has_begun(at):
        raise WorkshopBegun
    if not workshop.is_invitable:
        raise NotInvitable
    if not workshop.is_virtual and host_of(workshop) is None:
        raise NoVenue


@transaction.atomic
def invite(
    workshop: Workshop,
    *,
    audience: str,
    initiator: Member | None,
    at: datetime,
    source: InvitationLog.Source = InvitationLog.Source.PERSON,
    seen_count: int | None = None,
) -> InvitationLog:
    """
    Write down that this audience is to be invited. The workers do the rest.

    Its cost does not depend on the size of the chapter.

    :param seen_count: how many people the page promised; far more than that are never written to
    :raises Refused: and nothing is written
    """
    if audience not in CHAPTER_AUDIENCES:
        raise UnknownAudience
    workshop = (
        Workshop.objects.select_related("chapter")
        .select_for_update(no_key=True, of=("self",))
        .get(pk=workshop.pk)
    )
    check(workshop, at=at)
    log, is_new = InvitationLogger().open_log(
        workshop,
        audience=Audience(audience),
        initiator=initiator,
        source=source,
        seen_count=seen_count,
    )
    if not is_new:
        raise AlreadyRunning(log)
    transaction.on_commit(lambda: tasks.ring_prepare(log.pk), robust=True)
    return log
