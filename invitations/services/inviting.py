"""The click: may this audience be invited now? Then the log is written, and nothing else."""

from __future__ import annotations

import math
from datetime import datetime
from uuid import UUID

from django.db import transaction

from chapters.models import Role, Workshop
from chapters.queries import host_of
from invitations import tasks
from invitations.queries import sizes
from invitations.services import rules
from invitations.services.guarding import MORE_THAN_SEEN
from logs.models import CHAPTER_AUDIENCES, Action, Audience, InvitationLog, LogStatus
from logs.services import activities
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


class AnswersClosed(Refused):
    message = "Answers are closed, so nobody can be invited or asked any more."


class NotInvitable(Refused):
    message = (
        "This workshop is not open for invitations."
        " Tick “Invitations can be sent” when you edit the workshop."
    )


class NoVenue(Refused):
    message = "The venue is missing, so nobody can be invited."


class WrongMoment(Refused):
    """The letters can leave neither in the past nor once nobody can answer them any more."""


class MustBeTyped(Refused):
    """More people than usual would be written to, and nobody has typed how many; `why` says so."""

    def __init__(self, why: str, *, letters: int) -> None:
        self.why = why
        super().__init__(f"Nobody was written to yet. {why} Type {letters} to write to them.")


class FewerThanSeen(Refused):
    """
    The page can hardly have named so many: a number told too large would blind the guard.
    """

    def __init__(self, *, seen: int, letters: int) -> None:
        super().__init__(
            f"You saw {seen:,} people, and now they are {letters:,}. Nobody was written to. Look at"
            " the numbers and send again."
        )


class AlreadyRunning(Refused):
    """A log of the same audience is live; `log` is that one."""

    def __init__(self, log: InvitationLog) -> None:
        self.log = log
        by = log.initiator.full_name if log.initiator else "the schedule"
        started = f"{by} started that on {_moment(log, log.created_at)}"
        if log.status == LogStatus.SCHEDULED and log.send_at:
            super().__init__(
                f"{log.get_audience_display()} are going to be invited on"
                f" {_moment(log, log.send_at)}: {started}. Cancel that first to send now."
            )
        else:
            super().__init__(f"{log.get_audience_display()} are being invited already: {started}.")


def _moment(log: InvitationLog, at: datetime) -> str:
    return f"{at.astimezone(log.chapter.time_zone):%-d %B at %H:%M}"


def check(workshop: Workshop, *, at: datetime) -> None:
    """:raises Refused: when nobody can be invited to this workshop, whoever asks"""
    if workshop.is_cancelled:
        raise WorkshopCancelled
    if workshop.has_begun(at):
        raise WorkshopBegun
    if at >= rules.answers_until(workshop):
        raise AnswersClosed
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
    note: str = "",
    send_at: datetime | None = None,
    seen_count: int | None = None,
    typed_count: int | None = None,
    request_key: UUID | None = None,
) -> InvitationLog:
    """
    Write down that this audience is to be invited, now or at `send_at`. The workers do the rest.

    Its cost does not depend on the size of the chapter.

    :param note: the organiser's own words, shown in the letter
    :param seen_count: how many people the page promised; far more than that are never written to
    :param typed_count: the same number typed by hand, which is asked for where it is not usual
    :param request_key: of the form; the same form again finds the log of the first time
    :raises Refused: and nothing is written
    """
    if audience not in CHAPTER_AUDIENCES:
        raise UnknownAudience
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    check(workshop, at=at)
    check_typed(workshop, Audience(audience), seen=seen_count, typed=typed_count)
    if send_at and not at < send_at < workshop.starts_at:
        raise WrongMoment("The letters must leave later than now, and before the workshop begins.")
    if send_at and send_at >= rules.answers_until(workshop):
        raise WrongMoment("The letters must leave before answers close.")
    log, is_new = InvitationLogger().open_log(
        workshop,
        audience=Audience(audience),
        initiator=initiator,
        source=source,
        note=note,
        send_at=send_at,
        seen_count=seen_count,
        request_key=request_key,
    )
    if not is_new:
        if log.request_key != request_key:
            raise AlreadyRunning(log)
        return log
    activities.note(_did(log, typed_count), by=initiator, workshop=workshop)
    if not send_at:
        transaction.on_commit(lambda: tasks.ring_prepare(log.pk), robust=True)
    return log


@transaction.atomic
def send_test(
    workshop: Workshop, *, role: Role, initiator: Member, note: str, request_key: UUID
) -> InvitationLog:
    """
    Send the invitation, with this note, to whoever asks and to nobody else.

    :param request_key: of the form; the same form again sends nothing
    """
    log, is_new = InvitationLogger().open_log(
        workshop,
        audience=Audience.PEOPLE,
        initiator=initiator,
        action=Action.TEST,
        occasion=f"{role.value} {request_key}",
        note=note,
        request_key=request_key,
    )
    if is_new:
        InvitationLogger().add_test(log, initiator)
        transaction.on_commit(tasks.ring, robust=True)
    return log


def check_typed(
    workshop: Workshop, audience: Audience, *, seen: int | None, typed: int | None
) -> None:
    """
    Whoever promised nobody a number, as the schedule does, is held by the guard alone.

    :raises MustBeTyped: when the number is not usual, and was not typed
    """
    if seen is None or typed == seen:
        return
    why = sizes.why_type(workshop.chapter, audience, letters=seen)
    if why:
        raise MustBeTyped(why, letters=seen)


def check_seen(seen: int | None, *, letters: int) -> None:
    """
    :param letters: how many would be written to now
    :raises FewerThanSeen: when somebody says that they saw far more
    """
    if seen is not None and seen > max(sizes.FEW, math.ceil(letters * MORE_THAN_SEEN)):
        raise FewerThanSeen(seen=seen, letters=letters)


def _did(log: InvitationLog, typed_count: int | None) -> str:
    whom = log.get_audience_display().lower()
    did = f"planned to invite {whom}" if log.send_at else f"invited {whom}"
    return f"typed {typed_count:,} and {did}" if typed_count else did
