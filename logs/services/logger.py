"""
Writing letters into the ledger before they leave.

Whoever calls twice finds the row of the first call, since every key is free of status.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from chapters.models import Workshop
from logs.models import (
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
    ) -> tuple[InvitationLog, bool]:
        """
        The log that this form made already, or the live one of this audience and occasion, or
        else a new one; and whether this call opened it.

        `one_live_log_per_audience` decides between two clicks at the same moment.

        :param occasion: nothing, where it is the log's own number: any number of them may be live
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

    def add_letters(self, log: InvitationLog, audience: QuerySet[Any]) -> int:
        """
        A waiting letter for each of these members for whom nothing speaks against it and who has
        no live one, in ascending member id.

        The set-based twin of `single`, on the same constraints.

        :param audience: annotated with `reason`, which is empty where nothing speaks against it
        :returns: how many letters were added
        """
        return self._add(log, audience, status=EntryStatus.PENDING)

    def add_skipped(self, log: InvitationLog, audience: QuerySet[Any], *, otherwise: str) -> int:
        """
        An entry that says why for each of these members without one in this log.

        :param audience: annotated with `reason`; where it is empty, `otherwise` is noted
        :returns: how many entries were added
        """
        return self._add(log, audience, status=EntryStatus.SKIPPED, otherwise=otherwise)

    def single(
        self, *, member: Member, workshop: Workshop | None, action: Action, occasion: str = ""
    ) -> InvitationLogEntry:
        """
        The one letter of this occasion, waiting to leave before all bulk.

        Called again it changes nothing, except that a letter that failed is tried once more.
        """
        entry, is_new = InvitationLogEntry.objects.get_or_create(
            log=None,
            workshop=workshop,
            member=member,
            action=action,
            occasion=occasion,
            defaults={"priority": Priority.SINGLE},
        )
        if not is_new and entry.status == EntryStatus.FAILED:
            InvitationLogEntry.objects.filter(pk=entry.pk, status=EntryStatus.FAILED).update(
                status=EntryStatus.PENDING, tries=0, due_at=Now(), changed_at=Now()
            )
            entry.refresh_from_db()
        return entry

    def _add(
        self,
        log: InvitationLog,
        audience: QuerySet[Any],
        *,
        status: EntryStatus,
        otherwise: str = "",
    ) -> int:
        people, values = audience.order_by().values_list("pk", "reason").query.sql_with_params()
        with connection.cursor() as cursor:
            # Materialized: PostgreSQL cannot guess how many have which reason, and would plan for
            # a handful.
            cursor.execute(
                f"""
                WITH person (id, reason) AS MATERIALIZED ({people})
                INSERT INTO logs_invitationlogentry
                    (log_id, workshop_id, action, occasion, member_id, status, reason)
                SELECT %s, %s, %s, %s, person.id, %s, coalesce(nullif(person.reason, ''), %s)
                FROM person
                WHERE (person.reason = '' OR %s) AND NOT EXISTS (
                    SELECT FROM logs_invitationlogentry e
                    WHERE e.log_id = %s AND e.member_id = person.id
                )
                ORDER BY person.id
                ON CONFLICT DO NOTHING
                """,  # noqa: S608 -- the inner statement is Django's own, with its values apart
                [
                    *values,
                    *(log.pk, log.workshop_id, log.action, log.occasion, status, otherwise),
                    status == EntryStatus.SKIPPED,
                    log.pk,
                ],
            )
            return int(cursor.rowcount)
