"""What was sent: counted from the entries, never from a counter."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import (
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Now

from chapters.models import Chapter, Workshop
from logs.models import (
    LIVE_ENTRY_STATUSES,
    EntryStatus,
    Hold,
    InvitationLog,
    InvitationLogEntry,
    Switch,
)
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


def live_letters_elsewhere() -> QuerySet[InvitationLogEntry]:
    """
    The live letter to the same person about the same thing, of an outer query over entries that
    are not live: while there is one, `one_live_letter_per_occasion` lets no other leave.
    """
    return InvitationLogEntry.objects.filter(
        workshop=OuterRef("workshop"),
        member=OuterRef("member"),
        action=OuterRef("action"),
        occasion=OuterRef("occasion"),
        status__in=LIVE_ENTRY_STATUSES,
    )


def can_be_retried(log: InvitationLog) -> int:
    """How many of those who failed got no letter from another log since."""
    failed = log.entries.filter(status=EntryStatus.FAILED)
    return failed.exclude(Exists(live_letters_elsewhere())).count()


def failed_single_letters(workshops: Collection[Workshop]) -> QuerySet[InvitationLogEntry]:
    """
    Letters of no log that failed, such as confirmations, and which nothing has replaced since.

    :param workshops: those that the letters are about
    """
    return InvitationLogEntry.objects.filter(
        ~Exists(live_letters_elsewhere()),
        log=None,
        workshop__in=workshops,
        status=EntryStatus.FAILED,
    )


def written_to_since(entries: Collection[InvitationLogEntry]) -> dict[int, int]:
    """Of these entries: those that failed and have a letter by another log since, and which log."""
    failed = InvitationLogEntry.objects.filter(
        pk__in=[entry.pk for entry in entries], status=EntryStatus.FAILED
    )
    since = Subquery(live_letters_elsewhere().values("log")[:1])
    return dict(failed.annotate(since=since).filter(since__isnull=False).values_list("pk", "since"))
