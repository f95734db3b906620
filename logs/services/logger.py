"""
Writing letters into the ledger before they leave.

Whoever calls twice finds the row of the first call, since every key is free of status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from chapters.models import Workshop
from logs.models import (
    LIVE_ENTRY_STATUSES,
    LIVE_LOG_STATUSES,
    Action,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Priority,
)
from members.models import Member

NEVER_LEFT = (EntryStatus.FAILED, EntryStatus.SKIPPED)
_IS_LIVE = "status IN ({})".format(", ".join(f"'{status}'" for status in LIVE_ENTRY_STATUSES))
_HAS_NO_ENTRY = """
    NOT EXISTS (
        SELECT FROM logs_invitationlogentry e WHERE e.log_id = %s AND e.member_id = person.id
    )
"""


@dataclass(frozen=True)
class Also:
    """
    A statement about the same people as a log's entries, so that they are looked up once.

    It reads `person`, which has the columns `id`, `reason` and these of the audience.
    """

    statement: str
    values: tuple[Any, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Added:
    """How many letters wait in a log now, and how many people of its audience have no entry."""

    letters: int
    left_over: int


class InvitationLogger:
    """Planner's name, kept: opens logs, fills them, and notes single letters."""

    def open_log(
        self,
        workshop: Workshop,
        *,
        audience: Audience,
        initiator: Member | None,
        action: Action = Action.INVITE,
        occasion: str | None = "",
        source: InvitationLog.Source = InvitationLog.Source.PERSON,
        subject: str = "",
        note: str = "",
        seen_count: int | None = None,
        send_at: datetime | None = None,
        request_key: UUID | None = None,
        about: InvitationLog | None = None,
        recipients: Mapping[str, list[Any]] | None = None,
    ) -> tuple[InvitationLog, bool]:
        """
        The log that this form made already, or the live one of this audience and occasion, or
        else a new one; and whether this call opened it.

        `one_live_log_per_audience` decides between two clicks at the same moment.

        :param occasion: nothing, where it is the log's own number: any number of them may be live
        :param about: the log that an apology or correction is about, to these `recipients` of it
        """
        key = request_key or uuid4()
        sent_before = InvitationLog.objects.filter(request_key=key).first()
        if sent_before:
            return sent_before, False
        log, is_new = InvitationLog.objects.get_or_create(
            workshop=workshop,
            chapter_id=workshop.chapter_id,
            audience=audience,
            action=action,
            occasion=str(key) if occasion is None else occasion,
            status__in=LIVE_LOG_STATUSES,
            defaults={
                "status": LogStatus.SCHEDULED if send_at else LogStatus.PREPARING,
                "initiator": initiator,
                "source": source,
                "subject": subject,
                "note": note,
                "seen_count": seen_count,
                "send_at": send_at,
                "request_key": key,
                "about": about,
                "recipients": dict(recipients or {}),
            },
        )
        if is_new and occasion is None:
            log.occasion = str(log.pk)
            log.save(update_fields=["occasion"])
        return log, is_new

    def add_test(self, log: InvitationLog, member: Member) -> InvitationLogEntry:
        """The one letter of a test, which leaves before all bulk. The log runs from now on."""
        entry = InvitationLogEntry.objects.create(
            log=log,
            workshop_id=log.workshop_id,
            member=member,
            action=log.action,
            occasion=log.occasion,
            priority=Priority.SINGLE,
        )
        InvitationLog.objects.filter(pk=log.pk).update(status=LogStatus.RUNNING, started_at=Now())
        log.refresh_from_db()
        return entry

    def add_everybody(
        self, log: InvitationLog, audience: QuerySet[Any], *, also: Also | None = None
    ) -> Added:
        """
        An entry for each of these members without one in this log, in ascending member id: a
        waiting letter for whom nothing speaks against it, and for everybody else the reason.

        The set-based twin of `single`, on the same constraints: whoever has a live letter of this
        occasion, though no reason said so, gets no entry.

        :param audience: annotated with `reason`, which is empty where nothing speaks against it
        :param also: what else is written for the same people, in the same statement
        """
        columns = ("pk", "reason", *(also.columns if also else ()))
        people, values = audience.order_by().values_list(*columns).query.sql_with_params()
        names = ", ".join(("id", "reason", *(also.columns if also else ())))
        with connection.cursor() as cursor:
            # Materialized: PostgreSQL cannot guess how many have which reason, and would plan for
            # a handful. No conflict is possible within this log, whose row the caller has locked.
            cursor.execute(
                f"""
                WITH person ({names}) AS MATERIALIZED ({people})
                {f", also AS ({also.statement})" if also else ""}
                , added AS (
                    INSERT INTO logs_invitationlogentry
                        (log_id, workshop_id, action, occasion, member_id, status, reason)
                    SELECT %s, %s, %s, %s, person.id,
                        CASE person.reason WHEN '' THEN 'pending' ELSE 'skipped' END, person.reason
                    FROM person
                    WHERE {_HAS_NO_ENTRY}
                    ORDER BY person.id
                    ON CONFLICT (workshop_id, member_id, action, occasion) WHERE {_IS_LIVE}
                    DO NOTHING
                    RETURNING status
                )
                SELECT count(*) FILTER (WHERE status = 'pending'),
                    (SELECT count(*) FROM person) - count(*)
                FROM added
                """,  # noqa: S608 -- the inner statement is Django's own, with its values apart
                [
                    *values,
                    *(also.values if also else ()),
                    *(log.pk, log.workshop_id, log.action, log.occasion),
                    log.pk,
                ],
            )
            letters, left_over = cursor.fetchone()
        return Added(letters=letters, left_over=left_over)

    def add_left_over(self, log: InvitationLog, audience: QuerySet[Any], *, otherwise: str) -> int:
        """
        An entry that says why there is no letter, for each of these members without one.

        :param audience: annotated with `reason`; where it is empty, `otherwise` is noted
        :returns: how many entries were added
        """
        people, values = audience.order_by().values_list("pk", "reason").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH person (id, reason) AS MATERIALIZED ({people})
                INSERT INTO logs_invitationlogentry
                    (log_id, workshop_id, action, occasion, member_id, status, reason)
                SELECT %s, %s, %s, %s, person.id, 'skipped', coalesce(nullif(person.reason, ''), %s)
                FROM person
                WHERE {_HAS_NO_ENTRY}
                ORDER BY person.id
                """,  # noqa: S608 -- the inner statement is Django's own, with its values apart
                [
                    *values,
                    *(log.pk, log.workshop_id, log.action, log.occasion, otherwise),
                    log.pk,
                ],
            )
            return int(cursor.rowcount)

    def single(
        self, *, member: Member, workshop: Workshop | None, action: Action, occasion: str = ""
    ) -> InvitationLogEntry:
        """
        The one letter of this occasion, waiting to leave before all bulk.

        Called again it changes nothing, except that a letter that failed is tried once more; so is
        one that was left out, since the reason may hold no longer.
        """
        entry, is_new = InvitationLogEntry.objects.get_or_create(
            log=None,
            workshop=workshop,
            member=member,
            action=action,
            occasion=occasion,
            defaults={"priority": Priority.SINGLE},
        )
        if not is_new and entry.status in NEVER_LEFT:
            InvitationLogEntry.objects.filter(pk=entry.pk, status__in=NEVER_LEFT).update(
                status=EntryStatus.PENDING, reason="", tries=0, due_at=Now(), changed_at=Now()
            )
            entry.refresh_from_db()
        return entry
