"""
Saying sorry, and putting right: a letter to exactly the people of another log (R30).

Who gets it is decided once more when it is prepared, by the same query, and compared with the log
it is about by another one. Nobody gets two apologies about one log, nor two corrections: their
occasion is that log's number, and the ledger's constraints know it. So a second one reaches only
those whom the first did not. None is ever repeated by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from chapters.models import Workshop
from invitations import tasks
from invitations.queries import repairing as queries
from invitations.queries.audiences import Reach
from invitations.queries.repairing import Whom
from invitations.services.inviting import Refused
from logs.models import REPAIRS, Action, Audience, EntryStatus, InvitationLog, LogStatus
from logs.services import activities
from logs.services.logger import InvitationLogger
from members.models import Member

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from invitations.queries.audiences import Invitee

STILL_SENDING = (LogStatus.SCHEDULED, LogStatus.PREPARING, LogStatus.RUNNING)


class UnknownAction(Refused):
    message = "Choose an apology or a correction."


class UnknownOutcome(Refused):
    message = f"Choose from {', '.join(status.value for status in queries.OUTCOMES)}."


class NoWords(Refused):
    message = "Write what you have to say."


class AboutNoWorkshop(Refused):
    message = "This log is about no workshop, so nobody can be written to about it."


class Forgotten(Refused):
    message = "This log is so old that its people are forgotten. Nobody can be written to."


class StillSending(Refused):
    message = (
        "This log still sends. Pause or cancel it first, so that it is clear whom you write to."
    )


class OnTheirWay(Refused):
    message = "The last letters of this log are on their way. Try again in a minute."


class Nobody(Refused):
    """Nobody is meant, or nobody of them can be written to."""


class MoreThanSeen(Refused):
    """More people than the page named would get it."""


class NeedsCount(Refused):
    """So many that whoever asks must say the number: `count`."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"That is {count} people. Nobody is written to until you say that number.")


class AlreadyRunning(Refused):
    """Such a letter about the same log is on its way; `log` is that one."""

    def __init__(self, log: InvitationLog) -> None:
        self.log = log
        super().__init__(f"Log {log.pk} is such a letter, and not done yet. Wait until it is.")


def check(about: InvitationLog) -> None:
    """:raises Refused: when nobody can be written to about this log now, whoever asks"""
    if about.workshop_id is None:
        raise AboutNoWorkshop
    if about.forgotten_at:
        raise Forgotten
    if about.status in STILL_SENDING:
        raise StillSending
    if about.entries.filter(status=EntryStatus.SENDING).exists():
        raise OnTheirWay


def can_be_repaired(about: InvitationLog) -> bool:
    """Whether the page of the log offers it; letters on their way arrive in a moment."""
    is_over = about.status not in STILL_SENDING and not about.forgotten_at
    return about.workshop_id is not None and is_over


def reach(about: InvitationLog, *, action: Action, whom: Whom) -> Reach:
    """
    How many would get the letter now, how many would not, and why.

    :raises Refused: when nobody would, or when it is not clear yet
    """
    _check(about, action, whom)
    found = queries.reach(about, action=action, whom=whom)
    if not found.subscribers:
        raise Nobody(f"That is nobody in log {about.pk}. Nobody is written to.")
    if not found.to_invite:
        reasons = ", ".join(f"{reason} ({people})" for reason, people in found.left_out)
        raise Nobody(f"None of these people can be written to: {reasons}.")
    return found


@transaction.atomic
def repair(
    about: InvitationLog,
    *,
    action: Action,
    whom: Whom,
    text: str,
    initiator: Member,
    subject: str = "",
    request_key: UUID | None = None,
    seen_count: int | None = None,
    confirmed: int | None = None,
) -> InvitationLog:
    """
    Write down that these people of this log are to get this apology or correction. The workers do
    the rest.

    :param subject: the sender's own; else it names the day of the workshop
    :param request_key: of the form; the same form again finds the log of the first time
    :param seen_count: how many people the page named
    :param confirmed: the number as it was typed; needed beyond GUARD_SIZE
    :raises Refused: and nothing is written
    """
    request_key = request_key or uuid4()
    if made := InvitationLog.objects.filter(request_key=request_key).first():
        return made
    if not text.strip():
        raise NoWords
    workshop, about = _locked(about)
    people = reach(about, action=action, whom=whom).to_invite
    if seen_count is not None and people > seen_count:
        raise MoreThanSeen(f"You saw {seen_count} people, and now they are {people}. Look again.")
    if people > settings.GUARD_SIZE and confirmed != people:
        raise NeedsCount(people)
    log, is_new = InvitationLogger().open_log(
        workshop,
        audience=Audience.PEOPLE,
        initiator=initiator,
        action=action,
        occasion=str(about.pk),
        subject=subject,
        note=text,
        seen_count=people,
        request_key=request_key,
        about=about,
        recipients=whom.as_recipients(),
    )
    if not is_new:
        raise AlreadyRunning(log)
    activities.note(_did(log, people), by=initiator, workshop=workshop)
    transaction.on_commit(lambda: tasks.ring_prepare(log.pk), robust=True)
    return log


def people_of(log: InvitationLog) -> QuerySet[Invitee]:
    """
    Everybody whom this apology or correction is meant for, as `queries.affected`; for whoever
    prepares it, inside a transaction.

    :raises Refused: when the log it is about sends again
    """
    logs = InvitationLog.objects.select_for_update(no_key=True, of=("self",))
    about = logs.get(repairs=log)
    action, whom = Action(log.action), Whom.of(log.recipients)
    _check(about, action, whom)
    return queries.affected(about, action=action, whom=whom)


def _locked(about: InvitationLog) -> tuple[Workshop, InvitationLog]:
    """The workshop first, as everywhere, then the log, so that nobody resumes it meanwhile."""
    if about.workshop_id is None:
        raise AboutNoWorkshop
    workshop = Workshop.objects.locked().get(pk=about.workshop_id)
    return workshop, InvitationLog.objects.select_for_update(no_key=True).get(pk=about.pk)


def _check(about: InvitationLog, action: Action, whom: Whom) -> None:
    if action not in REPAIRS:
        raise UnknownAction
    if set(whom.statuses) - set(queries.OUTCOMES):
        raise UnknownOutcome
    check(about)


def _did(log: InvitationLog, people: int) -> str:
    whom = "1 person" if people == 1 else f"{people} people"
    if log.action == Action.APOLOGY:
        return f"said sorry to {whom} for log {log.about_id}"
    return f"corrected log {log.about_id} for {whom}"
