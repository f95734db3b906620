"""What was sent: counted from the entries, never from a counter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, DurationField, ExpressionWrapper, Min, Q, QuerySet
from django.db.models.functions import Now

from chapters.models import Chapter
from logs.models import EntryStatus, Hold, InvitationLog, Switch
from logs.services import holds


@dataclass(frozen=True)
class Progress:
    """How many people of a log stand where; everybody in its audience in exactly one state."""

    pending: int
    sending: int
    success: int
    failed: int
    skipped: int
    unknown: int
    cancelled: int
    possible_duplicates: int

    @property
    def audience(self) -> int:
        return self.letters + self.skipped + self.cancelled

    @property
    def letters(self) -> int:
        """Letters that left or should."""
        return self.pending + self.sending + self.success + self.failed + self.unknown

    @property
    def still_to_go(self) -> int:
        return self.pending + self.sending


@dataclass(frozen=True)
class Obstacles:
    """Why no letter leaves at the moment, if so."""

    is_stopped: bool
    stopped_chapters: list[Chapter]
    hold: Hold | None


def obstacles(chapters: QuerySet[Chapter]) -> Obstacles:
    """What keeps the letters of these chapters, as the senders see it: no global switch is off."""
    switches = list(
        Switch.objects.filter(Q(chapter=None) | Q(chapter__in=chapters)).select_related("chapter")
    )
    return Obstacles(
        is_stopped=not any(switch.is_on for switch in switches if switch.chapter is None),
        stopped_chapters=[s.chapter for s in switches if s.chapter is not None and not s.is_on],
        hold=holds.current(),
    )


def progress(log: InvitationLog) -> Progress:
    """One count over the entries of the log, by state."""
    counts = log.entries.aggregate(
        possible_duplicates=Count("pk", filter=Q(doubts__gt=0, status=EntryStatus.SUCCESS)),
        **{status.value: Count("pk", filter=Q(status=status)) for status in EntryStatus},
    )
    return Progress(**counts)


def letters_per_second(log: InvitationLog) -> float | None:
    """The pace of the last minute, or nothing when no letter left in it."""
    recent = log.entries.filter(
        status=EntryStatus.SUCCESS, changed_at__gt=Now() - timedelta(minutes=1)
    ).aggregate(
        letters=Count("pk"),
        within=ExpressionWrapper(Now() - Min("changed_at"), output_field=DurationField()),
    )
    if not recent["letters"]:
        return None
    return float(recent["letters"] / max(recent["within"].total_seconds(), 1.0))
