"""
Writing letters into the ledger before they leave.

Whoever calls twice finds the row of the first call, since every key is free of status.
"""

from __future__ import annotations

from typing import Any

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
        source: InvitationLog.Source = InvitationLog.Source.PERSON,
        seen_count: int | None = None,
    ) -> tuple[InvitationLog, bool]:
        """
        The live log of this audience, and whether this call opened it.

        `one_live_log_per_audience` decides between two clicks at the same moment.
        """
        return InvitationLog.objects.get_or_create(
            workshop=workshop,
            chapter_id=workshop.chapter_id,
            audience=audience,
            action=Action.INVITE,
            occasion="",
            status__in=LIVE_LOG_STATUSES,
            defaults={"initiator": initiator, "source": source, "seen_count": seen_count},
        )

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
