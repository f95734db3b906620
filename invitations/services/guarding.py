"""
Not too many: the last look at a batch, before its letters may leave.

Written apart from everything that chooses people (R21, after Forem's PR #14121, where one missing
filter wrote to everybody): who is counted here is looked up by other statements, in plain SQL.
Whatever breaks here stops the batch. PostgreSQL looks once more, when the log begins to run: see
`letters_stay_in_their_chapter` among the migrations.
"""

from __future__ import annotations

import logging
import math

from django.db import connection

from logs.models import Action, InvitationLog
from logs.services import tallies
from logs.services.alerts import raise_alert

logger = logging.getLogger(__name__)

TALLY = "guard"
MORE_THAN_SEEN = 1.02
ROLES = {"students": ["student"], "coaches": ["coach"], "everyone": ["student", "coach"]}

IS_NO_SUBSCRIBER = """
    e.member_id NOT IN (
        SELECT s.member_id FROM chapters_subscription s
        JOIN chapters_group g ON g.id = s.group_id
        WHERE g.chapter_id = %(chapter)s AND g.role = ANY(%(roles)s)
    )
"""
IS_NOT_INVITED = """
    e.member_id NOT IN (
        SELECT i.member_id FROM invitations_invitation i WHERE i.workshop_id = %(workshop)s
    )
"""
IS_NOT_AFFECTED = """
    e.member_id NOT IN (
        SELECT a.member_id FROM logs_invitationlogentry a
        JOIN logs_invitationlog repair ON repair.about_id = a.log_id
        WHERE repair.id = %(log)s
            AND coalesce(jsonb_exists(repair.recipients -> 'statuses', a.status), true)
            AND (repair.recipients -> 'members' IS NULL OR a.member_id IN (
                SELECT named.id::bigint
                FROM logs_invitationlog l, jsonb_array_elements_text(l.recipients -> 'members')
                    AS named (id)
                WHERE l.id = %(log)s
            ))
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

OF_ANOTHER_CHAPTER = "not subscribed to this chapter, or not invited to this workshop"
OF_ANOTHER_LOG = "not among those of the log that this letter is about"


class TooMany(Exception):
    """
    More people would be written to than may be, or than the organiser was shown.

    `letters` is how many would have left.
    """

    def __init__(self, message: str, *, letters: int) -> None:
        self.letters = letters
        super().__init__(message)


class Strangers(TooMany):
    """Somebody would be written to who has nothing to do with it: see `are`."""

    def __init__(
        self, *, letters: int, strangers: int | None = None, are: str = OF_ANOTHER_CHAPTER
    ) -> None:
        super().__init__(
            f"{strangers or 'Some'} of {letters} people are {are}. Nobody was written to. Tell the"
            " people who run codebar.",
            letters=letters,
        )


def check(log: InvitationLog, *, letters: int) -> None:
    """
    Compare with what the organiser saw, and with a count made without the sender's queries.

    :param letters: how many wait in this log
    :raises TooMany: and whoever called leaves nothing behind
    """
    if log.seen_count is not None:
        unforeseen = letters - (_newcomers(log) if log.send_at else 0)
        if unforeseen > math.ceil(log.seen_count * MORE_THAN_SEEN):
            raise TooMany(
                f"The page promised letters to {log.seen_count} people, and {letters} would have"
                " been written to. Nobody was. Look at the numbers and send again.",
                letters=letters,
            )
    strangers = _count(_strangers(log), log)
    if strangers:
        are = OF_ANOTHER_LOG if log.about_id else OF_ANOTHER_CHAPTER
        raise Strangers(letters=letters, strangers=strangers, are=are)


def tell(log_id: int, stopped: TooMany) -> None:
    """Somebody must look at it now. Called once nothing is left of the batch."""
    logger.error("log %s was stopped by the guard", log_id, exc_info=stopped)
    tallies.count(TALLY)
    log = InvitationLog.objects.get(pk=log_id)
    raise_alert("guard", log=log, numbers={"letters": stopped.letters, "seen": log.seen_count or 0})


def _strangers(log: InvitationLog) -> str:
    if log.about_id:
        return IS_NOT_AFFECTED
    return IS_NO_SUBSCRIBER if log.action == Action.INVITE else IS_NOT_INVITED


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
                "roles": ROLES.get(log.audience, []),
                "workshop": log.workshop_id,
                "opened_at": log.created_at,
            },
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
