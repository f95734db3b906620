"""
Forgetting whom we wrote to, once nobody needs to know it any more: after RETENTION_DAYS.

A log that is over, of a workshop that is over, keeps who asked for it and its numbers; its entries
go, and so do the invitations that nobody answered. Answers stay, since they tell who came. What
would let somebody be written to twice stays, too: a workshop whose letters are forgotten cannot
move into the future, and a hello or a welcome is remembered for as long as the account is open.

All in small transactions, each of them harmless when repeated. Whoever is stopped in the middle,
or does it twice at once, leaves nothing wrong: the next one carries on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from chapters.models import Workshop
from invitations.models import Invitation
from invitations.queries import forgetting as queries
from logs.models import TO_GO, EntryStatus, InvitationLog, InvitationLogEntry
from logs.queries import progress
from logs.services import steering

logger = logging.getLogger(__name__)

ROWS = 1000  # of one transaction
WAS_LEFT_WAITING = "It was left waiting until long after the workshop."


def forget(*, at: datetime, seconds: float | None = None) -> bool:
    """
    Forget what is older than RETENTION_DAYS, and end what was left waiting.

    :param seconds: after which the rest is left to another call; by default those of a task
    :returns: whether something is left to forget
    """
    until = time.monotonic() + (settings.TASK_SECONDS if seconds is None else seconds)
    forgotten = 0
    for _, rows in steps(at=at):
        forgotten += rows
        if time.monotonic() >= until:
            logger.info("forgot %s rows, and there are more", forgotten)
            return True
    if forgotten:
        logger.info("forgot %s rows", forgotten)
    return False


def steps(*, at: datetime) -> Iterator[tuple[str, int]]:
    """
    One small transaction after the other: of what, as `queries.counted` calls it, and how many
    rows it took away or ended.
    """
    for log_id in list(queries.logs_left_waiting(at).values_list("pk", flat=True)):
        yield "logs that were left waiting", _end(log_id)
    if letters := _cancel_letters_left_waiting(at):
        yield "letters that were left waiting", letters
    if settings.RETENTION_DAYS:
        yield from _forget_people(before=queries.kept_since(at))
    for what, rows in queries.everything_else(at).items():
        for deleted in _delete_all(rows):
            yield what, deleted


# ---- Left waiting --------------------------------------------------------------------------


def _end(log_id: int) -> int:
    """A log that nobody carried on with; the sweep closes it, and so it is forgotten in time."""
    try:
        steering.cancel(InvitationLog.objects.get(pk=log_id), reason=WAS_LEFT_WAITING)
    except steering.Refused:
        return 0  # it ended by itself meanwhile
    return 1


@transaction.atomic
def _cancel_letters_left_waiting(at: datetime) -> int:
    """Locked first: one that a sender takes meanwhile is left to it."""
    letters = queries.letters_left_waiting(at).select_for_update(no_key=True, of=("self",))
    ids = list(letters.order_by("pk").values_list("pk", flat=True))
    return InvitationLogEntry.objects.filter(pk__in=ids).update(
        status=EntryStatus.CANCELLED, reason=WAS_LEFT_WAITING, changed_at=Now()
    )


# ---- Whom we wrote to ----------------------------------------------------------------------


def _forget_people(*, before: datetime) -> Iterator[tuple[str, int]]:
    for log_id in list(queries.logs_over(before).order_by("pk").values_list("pk", flat=True)):
        _keep_the_numbers(log_id, before=before)
        yield "letters of logs", 0
    left = queries.letters(log=OuterRef("pk"))
    for log in InvitationLog.objects.filter(Exists(left), queries.FORGOTTEN):
        for rows in _delete_all(queries.letters(log=log)):
            yield "letters of logs", rows
    for letters in queries.single_letters(before):
        for rows in _delete_all(letters):
            yield "single letters", rows
    workshops = queries.workshops_unanswered(before)
    for workshop_id in list(workshops.values_list("pk", flat=True)):
        while rows := _forget_unanswered(workshop_id):
            yield "invitations that nobody answered", rows


@transaction.atomic
def _keep_the_numbers(log_id: int, *, before: datetime) -> None:
    """From here on the log is forgotten: its numbers are written down, and its letters may go."""
    workshop_id = InvitationLog.objects.values_list("workshop", flat=True).get(pk=log_id)
    Workshop.objects.locked().filter(pk=workshop_id).first()  # it must not move meanwhile
    log = InvitationLog.objects.select_for_update(no_key=True).get(pk=log_id)
    is_still_over = queries.logs_over(before).filter(pk=log_id).exists()
    if not is_still_over or log.entries.filter(status__in=TO_GO).exists():
        return
    log.counts = asdict(progress(log))
    InvitationLog.objects.filter(pk=log_id).update(
        counts=log.counts, recipients={}, forgotten_at=Now()
    )


@transaction.atomic
def _forget_unanswered(workshop_id: int) -> int:
    """Some of them; the newest log of invitations keeps how many there were, for each role."""
    logs = queries.invitation_logs(workshop=workshop_id).filter(queries.FORGOTTEN)
    log = logs.select_for_update(no_key=True).order_by("-pk")[0]
    some = list(queries.unanswered(workshop=workshop_id).select_for_update(of=("self",))[:ROWS])
    counts = log.counts or {}
    unanswered = counts.get("unanswered", {})
    for invitation in some:
        unanswered[invitation.role] = unanswered.get(invitation.role, 0) + 1
    Invitation.objects.filter(pk__in=[invitation.pk for invitation in some]).delete()
    logs.filter(pk=log.pk).update(counts=counts | {"unanswered": unanswered})
    return len(some)


def _delete_all(rows: QuerySet[Any]) -> Iterator[int]:
    while deleted := _delete_some(rows):
        yield deleted


@transaction.atomic
def _delete_some(rows: QuerySet[Any]) -> int:
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS])
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)
