"""
What is old enough to be forgotten (`services/forgetting.py`), and what was left waiting though its
workshop is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet

from chapters.models import Workshop
from invitations.models import Answer, Invitation
from logs.models import (
    LIVE_LOG_STATUSES,
    TO_GO,
    Action,
    Activity,
    Alert,
    AuditRun,
    Bounce,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    Tally,
)

# Who did what is asked about longer than who was written to: about places, bans and numbers.
HISTORY_KEPT = timedelta(days=3 * 365)
LEFT_WAITING = timedelta(days=14)  # so long after a workshop a letter about it is no news
ONCE_IN_A_LIFE = (Action.HELLO, Action.WELCOME)

FORGOTTEN = Q(forgotten_at__isnull=False)


def kept_since(at: datetime) -> datetime:
    """Whatever ended before this moment is forgotten."""
    return at - timedelta(days=settings.RETENTION_DAYS)


def counted(*, at: datetime) -> dict[str, int]:
    """How many rows of each kind `forgetting` would end, write down or take away now."""
    found = {
        "logs that were left waiting": logs_left_waiting(at).count(),
        "letters that were left waiting": letters_left_waiting(at).count(),
    }
    if settings.RETENTION_DAYS:
        before = kept_since(at)
        over = FORGOTTEN | Q(pk__in=logs_over(before).values("pk"))
        workshops = workshops_unanswered(before, forgotten=over)
        found |= {
            "letters of logs": letters(log__in=InvitationLog.objects.filter(over)).count(),
            "single letters": sum(rows.count() for rows in single_letters(before)),
            "invitations that nobody answered": unanswered(workshop__in=workshops).count(),
        }
    rows = {what: rows.count() for what, rows in everything_else(at).items()}
    return {what: count for what, count in (found | rows).items() if count}


# ---- Left waiting --------------------------------------------------------------------------


def logs_left_waiting(at: datetime) -> QuerySet[InvitationLog]:
    """Logs that somebody paused, or something held, until long after their workshop."""
    long_ago = at - LEFT_WAITING
    return InvitationLog.objects.filter(
        status__in=LIVE_LOG_STATUSES, created_at__lt=long_ago, workshop__ends_at__lt=long_ago
    )


def letters_left_waiting(at: datetime) -> QuerySet[InvitationLogEntry]:
    """The same of single letters."""
    long_ago = at - LEFT_WAITING
    return InvitationLogEntry.objects.filter(
        log=None,
        status=EntryStatus.PENDING,
        created_at__lt=long_ago,
        workshop__ends_at__lt=long_ago,
    )


# ---- Logs and letters ----------------------------------------------------------------------


def logs_over(before: datetime) -> QuerySet[InvitationLog]:
    """
    Logs that ended long ago, about workshops that did. What repairs another log comes after it:
    its entries say who has had the apology.
    """
    return InvitationLog.objects.filter(
        Q(workshop=None) | Q(workshop__ends_at__lt=before),
        Q(about=None) | Q(about__forgotten_at__isnull=False),
        finished_at__lt=before,
        forgotten_at=None,
    ).exclude(status__in=LIVE_LOG_STATUSES)


def letters(**of: Any) -> QuerySet[InvitationLogEntry]:
    """Letters of which nothing is left to do."""
    return InvitationLogEntry.objects.filter(**of).exclude(status__in=TO_GO)


def single_letters(before: datetime) -> Iterator[QuerySet[InvitationLogEntry]]:
    """Those of each workshop that is over, along its index; then those about none."""
    old = _single_letters(before, workshop=OuterRef("pk"))
    for workshop in Workshop.objects.filter(Exists(old), ends_at__lt=before).order_by("pk"):
        yield _single_letters(before, workshop=workshop)
    account_is_open = Q(action__in=ONCE_IN_A_LIFE, member__closed_at=None)
    yield _single_letters(before, workshop=None).exclude(account_is_open)


def _single_letters(before: datetime, **of: Any) -> QuerySet[InvitationLogEntry]:
    return letters(log=None, changed_at__lt=before, **of)


# ---- Invitations that nobody answered ------------------------------------------------------


def unanswered(**of: Any) -> QuerySet[Invitation]:
    """Those that say nothing but that somebody was invited."""
    return Invitation.objects.filter(
        **of,
        answer=Answer.NONE,
        answer_number=0,
        attended_at=None,
        feedback_request=None,
    )


def invitation_logs(**of: Any) -> QuerySet[InvitationLog]:
    return InvitationLog.objects.filter(**of, action=Action.INVITE)


def workshops_unanswered(before: datetime, *, forgotten: Q = FORGOTTEN) -> QuerySet[Workshop]:
    """Workshops of which all that was sent is forgotten, but not yet who never answered."""
    logs = InvitationLog.objects.filter(workshop=OuterRef("pk"))
    return Workshop.objects.filter(
        Exists(unanswered(workshop=OuterRef("pk"))),
        Exists(invitation_logs(workshop=OuterRef("pk")).filter(forgotten)),
        ~Exists(logs.exclude(forgotten)),
        ends_at__lt=before,
    ).order_by("pk")


# ---- Everything else -----------------------------------------------------------------------


def everything_else(at: datetime) -> dict[str, QuerySet[Any]]:
    """What only says how things went, and keys to sessions that have ended; these go always."""
    sessions = {"sessions that have ended": Session.objects.filter(expire_date__lt=at)}
    if not settings.RETENTION_DAYS:
        return sessions
    before, history = kept_since(at), at - HISTORY_KEPT
    return sessions | {
        "audits": AuditRun.objects.filter(finished_at__lt=before),
        "alerts": Alert.objects.filter(ended_at__lt=before),
        "letters that came back": Bounce.objects.filter(at__lt=before),
        "tallies": Tally.objects.filter(minute__lt=before),
        "lines of history": Activity.objects.filter(at__lt=history),
        "changes at /staff/": LogEntry.objects.filter(action_time__lt=history),
    }
