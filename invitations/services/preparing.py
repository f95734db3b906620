"""
From a click to the ledger: one entry for everybody in the audience, in one transaction.

Whole or nothing, a handful of statements whatever the size of the chapter, and harmless when run
twice.
"""

from __future__ import annotations

import logging
import math

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from chapters.models import Workshop
from invitations.queries import audiences
from invitations.services import inviting
from logs.locks import lock_workshop
from logs.models import Action, Audience, InvitationLog, LogStatus
from logs.services.logger import InvitationLogger

logger = logging.getLogger(__name__)

MOST_TRIES = 5
JUST_ELIGIBLE = "became eligible while the letters were prepared; invite them with one more click"
WRITTEN_TO = "has this letter already"

IS_NO_SUBSCRIBER = """
    e.member_id NOT IN (
        SELECT s.member_id FROM chapters_subscription s
        JOIN chapters_group g ON g.id = s.group_id WHERE g.chapter_id = %(chapter)s
    )
"""
IS_NOT_INVITED = """
    e.member_id NOT IN (
        SELECT i.member_id FROM invitations_invitation i WHERE i.workshop_id = %(workshop)s
    )
"""
CAME_LATER = """
    e.member_id NOT IN (
        SELECT m.id FROM members_member m
        JOIN chapters_subscription s ON s.member_id = m.id AND s.created_at <= %(opened_at)s
        JOIN chapters_group g ON g.id = s.group_id AND g.chapter_id = %(chapter)s
        WHERE m.accepted_terms_at <= %(opened_at)s
    )
"""


class TooMany(Exception):
    """More people would be written to than may be, or than the organiser was shown."""


class Strangers(TooMany):
    """Somebody would be written to who is not of this chapter, or not invited to this workshop."""


def prepare(log_id: int) -> bool:
    """
    Fill the log and let its letters leave.

    :returns: whether there are letters to send now
    """
    counted = InvitationLog.objects.filter(
        pk=log_id, status=LogStatus.PREPARING, prepare_tries__lt=MOST_TRIES
    ).update(prepare_tries=F("prepare_tries") + 1)
    if not counted:
        _give_up(log_id, f"It could not be prepared in {MOST_TRIES} tries.")
        return False
    try:
        return _fill_again_if_somebody_left(log_id)
    except TooMany as error:
        logger.exception("log %s was stopped by the guard", log_id)
        _give_up(log_id, str(error), tries=0)
        return False
    except inviting.Refused as refusal:
        _give_up(log_id, refusal.message, tries=0)
        return False


def _fill_again_if_somebody_left(log_id: int) -> bool:
    """
    Whoever unsubscribes between the letters and the count looks like a stranger to it: once.

    :raises TooMany: as `_guard` does
    """
    try:
        return _fill(log_id)
    except Strangers:
        return _fill(log_id)


@transaction.atomic
def _fill(log_id: int) -> bool:
    workshop = Workshop.objects.select_related("chapter").get(invitation_logs=log_id)
    lock_workshop(workshop.pk)
    log = InvitationLog.objects.select_for_update(no_key=True).get(pk=log_id)
    if log.status != LogStatus.PREPARING:
        return False
    audience = audiences.audience_of(workshop, Audience(log.audience))
    is_invitation = log.action == Action.INVITE
    if is_invitation:
        _check_again(log, workshop)
        _invite(workshop, audience)
    letters = InvitationLogger().add_letters(log, audience)
    InvitationLogger().add_skipped(
        log, audience, otherwise=JUST_ELIGIBLE if is_invitation else WRITTEN_TO
    )
    _guard(log, letters)
    changes: dict[str, object] = {"status": LogStatus.RUNNING, "started_at": Now()}
    if not letters:
        changes |= {"status": LogStatus.COMPLETED, "finished_at": Now()}
    InvitationLog.objects.filter(pk=log_id).update(**changes)
    return bool(letters)


def _invite(workshop: Workshop, audience: QuerySet[audiences.Invitee]) -> None:
    """
    An invitation for whom nothing speaks against. One never delivered takes the role of this run.
    """
    columns = audience.order_by().values_list("pk", "invited_as", "reason")
    people, values = columns.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH person (id, role, reason) AS MATERIALIZED ({people})
            INSERT INTO invitations_invitation (workshop_id, member_id, role)
            SELECT %s, person.id, person.role FROM person WHERE person.reason = ''
            ORDER BY person.id
            ON CONFLICT (workshop_id, member_id) DO UPDATE SET role = excluded.role
            WHERE invitations_invitation.answer = ''
                AND invitations_invitation.role <> excluded.role
            """,  # noqa: S608 -- the inner statement is Django's own, with its values apart
            [*values, workshop.pk],
        )


def _check_again(log: InvitationLog, workshop: Workshop) -> None:
    """
    What was true when the letters were planned may be so no longer.

    :raises inviting.Refused: when nobody can be invited any more
    """
    if log.send_at:
        inviting.check(workshop, at=timezone.now())


def _guard(log: InvitationLog, letters: int) -> None:
    """
    Compare with what the organiser saw and with a count made without this module's queries.

    :raises TooMany: and the transaction leaves nothing behind
    """
    if log.seen_count is not None:
        unforeseen = letters - (_newcomers(log) if log.send_at else 0)
        if unforeseen > math.ceil(log.seen_count * 1.02):
            raise TooMany(
                f"The page promised letters to {log.seen_count} people, and {letters} would have"
                " been written to. Nobody was. Look at the numbers and send again."
            )
    strangers = _count(IS_NO_SUBSCRIBER if log.action == Action.INVITE else IS_NOT_INVITED, log)
    if strangers:
        raise Strangers(
            f"{strangers} of {letters} people are not subscribed to this chapter, or not invited to"
            " this workshop. Nobody was written to. Tell the people who run codebar."
        )


def _newcomers(log: InvitationLog) -> int:
    """
    Whoever joined the chapter, or accepted the terms, after the letters were planned.

    An organiser who plans letters for Thursday expects whoever joins on Wednesday to get one, so
    these do not count towards the number she saw.
    """
    return _count(CAME_LATER, log)


def _count(which: str, log: InvitationLog) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FROM logs_invitationlogentry e
            WHERE e.log_id = %(log)s AND e.status = 'pending' AND {which}
            """,  # noqa: S608 -- made of constants
            {
                "log": log.pk,
                "chapter": log.chapter_id,
                "workshop": log.workshop_id,
                "opened_at": log.created_at,
            },
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _give_up(log_id: int, reason: str, *, tries: int = MOST_TRIES) -> None:
    InvitationLog.objects.filter(
        pk=log_id, status=LogStatus.PREPARING, prepare_tries__gte=tries
    ).update(status=LogStatus.FAILED, reason=reason, finished_at=Now())
