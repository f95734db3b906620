"""
What the sweep looks at to know whether somebody should look: few statements, along the partial
indexes of what is at work or went wrong, and never through the whole ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from logs.models import (
    Alert,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Priority,
    Switch,
)
from logs.services import slots

LATELY = timedelta(days=1)  # so long a finished log, or a failed letter, is somebody's work to do


@dataclass(frozen=True)
class Head:
    """
    The first letter in line of those that may leave now, and its log if it has one.

    `still_seconds` is how long neither it nor another letter of its log has moved although it
    could have.
    """

    log_id: int | None
    still_seconds: float


def heads_of_the_lines() -> dict[Priority, Head]:
    """
    Of single letters and of bulk. None where nothing waits that may leave: also while sending is
    stopped or held.
    """
    rows = _ask(
        f"""
        SELECT head.priority, head.log_id, extract(epoch FROM now() - greatest(head.due_at, (
            SELECT max(e.changed_at) FROM logs_invitationlogentry e
            WHERE e.log_id = head.log_id AND e.status <> 'pending'
                AND head.due_at < now() - interval '1 minute'
        )))::float
        FROM (VALUES (0), (1)) line (priority), LATERAL (
            SELECT e.priority, e.log_id, e.due_at FROM logs_invitationlogentry e
            LEFT JOIN logs_invitationlog l ON l.id = e.log_id
            LEFT JOIN chapters_workshop w ON w.id = e.workshop_id
            WHERE e.status = 'pending' AND e.priority = line.priority AND e.due_at <= now()
                AND {slots.IS_OPEN}
            ORDER BY e.log_id, e.id LIMIT 1
        ) head
        """  # noqa: S608 -- made of constants
    )
    return {Priority(priority): Head(log_id, still) for priority, log_id, still in rows}


def minutes_in_preparation(*, longer_than: timedelta) -> dict[int, int]:
    """Logs whose letters nobody has written down for so long, by id."""
    rows = _ask(
        """
        SELECT id, floor(extract(epoch FROM now() - greatest(created_at, send_at)) / 60)::int
        FROM logs_invitationlog
        WHERE status = 'preparing' AND greatest(created_at, send_at) < now() - %s
        """,
        [longer_than],
    )
    return dict(rows)


@dataclass(frozen=True)
class Rate:
    """How many letters of a log failed, of how many that were tried; single ones are of none."""

    log_id: int | None
    failed: int
    tried: int


def failure_rates(*, above: float, at_least: int, or_all_of: int) -> list[Rate]:
    """
    Of logs at work or finished lately, those of which more than this part failed.

    No more letters of a log are counted than say whether it is one: a few failures of a large one
    are soon known to be few.

    :param above: such as 0.05
    :param at_least: so many letters must have been tried
    :param or_all_of: so many are enough where every one that was tried failed
    """
    rows = _ask(
        """
        SELECT l.id, failed.letters, (
            SELECT count(*) FROM logs_invitationlogentry e
            WHERE e.log_id = l.id AND e.status IN ('success', 'failed', 'unknown')
        )
        FROM logs_invitationlog l JOIN (
            SELECT e.log_id, count(*) AS letters FROM logs_invitationlogentry e
            WHERE e.status = 'failed' AND e.changed_at > now() - %(lately)s
                AND e.log_id IS NOT NULL
            GROUP BY e.log_id
        ) failed ON failed.log_id = l.id
        CROSS JOIN LATERAL (
            SELECT count(*) AS letters FROM (
                SELECT FROM logs_invitationlogentry e
                WHERE e.log_id = l.id AND e.status IN ('success', 'failed', 'unknown')
                LIMIT greatest(ceil(failed.letters / %(above)s), %(at_least)s)::bigint
            ) few
        ) tried
        WHERE (l.finished_at IS NULL OR l.finished_at > now() - %(lately)s) AND (
            tried.letters BETWEEN %(at_least)s AND ceil(failed.letters / %(above)s) - 1
            OR failed.letters >= %(or_all_of)s AND tried.letters = failed.letters
        )
        """,
        {"lately": LATELY, "above": above, "at_least": at_least, "or_all_of": or_all_of},
    )
    return [Rate(*row) for row in rows]


def failure_rates_of_single_letters(*, above: float, at_least: int) -> list[Rate]:
    """
    One rate, or none: of the single letters of the last hour, where more than this part failed.

    Those that arrived are along no index of time; they are counted only where enough have failed.

    :param above: such as 0.05
    :param at_least: so many letters must have failed
    """
    rows = _ask(
        """
        SELECT NULL, failed.letters, tried.letters
        FROM (
            SELECT count(*) AS letters FROM logs_invitationlogentry e
            WHERE e.status = 'failed' AND e.changed_at > now() - interval '1 hour'
                AND e.log_id IS NULL
            HAVING count(*) >= %(at_least)s
        ) failed CROSS JOIN LATERAL (
            SELECT count(*) AS letters FROM logs_invitationlogentry e
            WHERE e.log_id IS NULL AND e.status IN ('success', 'failed', 'unknown')
                AND e.changed_at > now() - interval '1 hour' AND failed.letters > 0
        ) tried
        WHERE failed.letters > tried.letters * %(above)s
        """,
        {"above": above, "at_least": at_least},
    )
    return [Rate(*row) for row in rows]


def letters_in_doubt() -> dict[int | None, int]:
    """How many letters of each log wait for a person's decision; of single ones by no log."""
    return _by_log(Q(status=EntryStatus.UNKNOWN))


def letters_given_up() -> dict[int | None, int]:
    """How many letters of each log failed lately after the last of their tries."""
    return _by_log(
        Q(
            status=EntryStatus.FAILED,
            changed_at__gt=Now() - LATELY,
            tries__gte=slots.MOST_TRIES,
        )
    )


def logs_given_up(*, tries: int) -> dict[int, int]:
    """Logs that failed lately after so many tries to prepare them: id, and how many there were."""
    given_up = InvitationLog.objects.filter(
        ~Exists(_successors()),
        status=LogStatus.FAILED,
        prepare_tries__gte=tries,
        finished_at__gt=Now() - LATELY,
    )
    return dict(given_up.values_list("pk", "prepare_tries"))


def guarded_logs() -> dict[int | None, dict[str, int]]:
    """Logs that the guard stopped lately, where no other has begun since, with their numbers."""
    guarded = Alert.objects.filter(kind="guard", ended_at=None, began_at__gt=Now() - LATELY)
    begun_again = InvitationLog.objects.filter(Exists(_successors()), pk=OuterRef("log"))
    return dict(guarded.filter(~Exists(begun_again)).values_list("log", "numbers"))


@dataclass(frozen=True)
class Broken:
    """How many promises of one kind an audit found broken, in one place."""

    audit: int
    kind: str
    place: str  # such as "workshop 3" or "log 7"; nothing where it is about neither
    breaches: int

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.kind, self.place) if part)


def what_must_not_be() -> list[Broken]:
    """What the newest audit kept of broken promises; people who wait are none."""
    rows = _ask(
        """
        SELECT id, breach->>'kind', coalesce(
            'workshop ' || (breach->>'workshop'), 'log ' || (breach->>'log'), ''
        ) AS place, count(*)
        FROM (
            SELECT id, breaches FROM logs_auditrun
            WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1
        ) newest, jsonb_array_elements(breaches) breach
        WHERE (breach->>'is_open') = 'false'
        GROUP BY 1, 2, 3 ORDER BY 2, 3
        """
    )
    return [Broken(*row) for row in rows]


@dataclass(frozen=True)
class LastAudits:
    """
    How long ago an audit last came to its end, or was first asked for; how old the open one is.
    """

    silent: timedelta
    open_for: timedelta


def last_audits() -> LastAudits | None:
    """Nothing where no audit was ever asked for."""
    ((silent, open_for),) = _ask(
        """
        SELECT now() - coalesce(max(finished_at), min(asked_at)), coalesce(
            now() - min(asked_at) FILTER (WHERE finished_at IS NULL), interval '0'
        )
        FROM logs_auditrun
        """
    )
    return LastAudits(silent, open_for) if silent is not None else None


def is_switch_there() -> bool:
    """Whether the switch for all letters is there, on or off; without it nothing leaves."""
    return Switch.objects.filter(chapter=None).exists()


def _successors() -> QuerySet[InvitationLog]:
    """Logs for the same people that came after and have not failed."""
    return InvitationLog.objects.filter(
        workshop=OuterRef("workshop"),
        chapter=OuterRef("chapter"),
        audience=OuterRef("audience"),
        action=OuterRef("action"),
        occasion=OuterRef("occasion"),
        pk__gt=OuterRef("pk"),
    ).exclude(status=LogStatus.FAILED)


def _by_log(which: Q) -> dict[int | None, int]:
    letters = InvitationLogEntry.objects.filter(which).order_by()
    return dict(letters.values_list("log").annotate(letters=Count("*")))


def _ask(statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
