"""Letters of which nobody knows whether they arrived, for those who may decide about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from chapters.models import Workshop
from logs.models import REPAIRS, Action, EntryStatus, InvitationLog, InvitationLogEntry
from logs.services import steering
from members.models import Member

SHOWN = 10
ALSO_AFTERWARDS = {Action.MESSAGE, Action.FEEDBACK, Action.CANCELLATION, *REPAIRS, Action.TEST}


@dataclass(frozen=True)
class Doubt:
    """One letter in doubt, and why it would not be sent again; "" where it can be."""

    entry: InvitationLogEntry
    why_not_again: str


@dataclass(frozen=True)
class Doubts:
    """
    The letters in doubt of one log, or those of none: how many, and the first of them.

    `why_not_again` is about all of a log.
    """

    log: InvitationLog | None
    letters: int
    first: list[Doubt]
    why_not_again: str = ""

    @property
    def anchor(self) -> str:
        return f"log-{self.log.pk}" if self.log else "single"

    @property
    def zone(self) -> tzinfo:
        """By whose clocks its moments are told."""
        return self.log.chapter.time_zone if self.log else UTC

    @property
    def are_several_of_a_log(self) -> bool:
        return self.log is not None and self.letters > 1

    @property
    def more(self) -> int:
        """How many are not among the first."""
        return self.letters - len(self.first)


def why_not_again(letters: InvitationLog | InvitationLogEntry, *, at: datetime) -> str:
    """Why such letters in doubt are not sent again, of a log or a single one; "" where they can."""
    if isinstance(letters, InvitationLog) and (why := steering.why_not_again(letters)):
        return why
    workshop = letters.workshop
    if workshop is None or letters.action in ALSO_AFTERWARDS:
        return ""
    if workshop.is_cancelled:
        return "The workshop is cancelled, so no such letter leaves any more."
    if workshop.has_begun(at):
        return "The workshop has begun, so no such letter leaves any more."
    return ""


def decidable_by(user: Member) -> QuerySet[InvitationLogEntry]:
    """
    Letters about which this person decides: an admin about all, an organiser about those of their
    workshops.
    """
    letters = InvitationLogEntry.objects.all()
    if user.is_superuser:
        return letters
    return letters.filter(workshop__in=Workshop.objects.organised_by(user))


def in_doubt(letters: QuerySet[InvitationLogEntry]) -> QuerySet[InvitationLogEntry]:
    """Those of these that wait for a decision, along their index."""
    return letters.filter(status=EntryStatus.UNKNOWN)


def counted(letters: QuerySet[InvitationLogEntry]) -> list[tuple[int | None, int]]:
    """How many of these each log has, the newest log first, those of no log at the end."""
    by_log = letters.order_by(F("log").desc(nulls_last=True)).values_list("log")
    return list(by_log.annotate(letters=Count("pk")))


def with_people(
    counts: Sequence[tuple[int | None, int]],
    letters: QuerySet[InvitationLogEntry],
    *,
    at: datetime,
) -> list[Doubts]:
    """Each of these with its log and its first people, by two statements."""
    logs = InvitationLog.objects.select_related("workshop__chapter", "chapter").in_bulk(
        [log for log, _ in counts if log]
    )
    theirs = letters.filter(Q(log__in=logs) | Q(log=None)).annotate(
        nr=Window(RowNumber(), partition_by="log", order_by="pk")
    )
    first: dict[int | None, list[InvitationLogEntry]] = {}
    for entry in theirs.filter(nr__lte=SHOWN).select_related("member", "workshop__chapter"):
        first.setdefault(entry.log_id, []).append(entry)
    found = []
    for log_id, count in counts:
        log = logs[log_id] if log_id else None
        why = why_not_again(log, at=at) if log else ""
        entries = sorted(first.get(log_id, []), key=_by_id)
        each = [Doubt(entry, why if log else why_not_again(entry, at=at)) for entry in entries]
        found.append(Doubts(log, count, each, why))
    return found


def _by_id(entry: InvitationLogEntry) -> int:
    return entry.pk
