"""What was sent: counted from the entries, never from a counter."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import UTC, timedelta, tzinfo

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
    Activity,
    Bounce,
    EntryStatus,
    Hold,
    InvitationLog,
    InvitationLogEntry,
    Switch,
)
from logs.services import holds, switches


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
class Stop:
    """The letters of a chapter are stopped, or all of them; and who did it, where that is known."""

    chapter: Chapter | None
    done: Activity | None

    @property
    def zone(self) -> tzinfo:
        """By whose clocks its moment is told."""
        return self.chapter.time_zone if self.chapter else UTC

    @property
    def needs_admin(self) -> bool:
        """Whether only an admin lets them leave again."""
        return switches.needs_admin(self.done)


@dataclass(frozen=True)
class Obstacles:
    """Why no letter leaves at the moment, if so."""

    stops: list[Stop]
    hold: Hold | None

    @property
    def is_stopped(self) -> bool:
        """Whether no letter leaves, of whatever chapter."""
        return self.of_all is not None

    @property
    def of_all(self) -> Stop | None:
        return next((stop for stop in self.stops if stop.chapter is None), None)

    @property
    def of_chapters(self) -> list[Stop]:
        return [stop for stop in self.stops if stop.chapter]

    @property
    def stopped_chapters(self) -> list[Chapter]:
        return [stop.chapter for stop in self.stops if stop.chapter]


def obstacles(chapters: QuerySet[Chapter]) -> Obstacles:
    """What keeps the letters of these chapters, as the senders see it: no global switch is off."""
    return Obstacles(stops=stops(chapters), hold=holds.current())


def stops(chapters: QuerySet[Chapter]) -> list[Stop]:
    """What is stopped of these chapters: all of it first, then by name."""
    found = Switch.objects.filter(Q(chapter=None) | Q(chapter__in=chapters))
    turned = list(found.select_related("chapter").order_by("chapter__name"))
    stopped: list[Chapter | None] = [s.chapter for s in turned if s.chapter and not s.is_on]
    if not any(switch.is_on for switch in turned if switch.chapter is None):
        stopped.insert(0, None)
    done = switches.last_stops(stopped) if stopped else {}
    return [Stop(chapter, done.get(chapter.pk if chapter else None)) for chapter in stopped]


def waiting(chapter: Chapter | None = None) -> int:
    """How many letters wait to leave, about workshops of this chapter or all of them."""
    letters = InvitationLogEntry.objects.filter(status=EntryStatus.PENDING)
    return (letters.filter(workshop__chapter=chapter) if chapter else letters).count()


def progress(log: InvitationLog) -> Progress:
    """
    The entries of the log counted by state, along its indexes however many they are; of a log that
    was forgotten, as they were counted then.
    """
    if log.forgotten_at:
        return Progress(**numbers_kept(log))
    counts = dict(log.entries.order_by().values_list("status").annotate(people=Count("*")))
    doubtful = log.entries.filter(doubts__gt=0, status=EntryStatus.SUCCESS)
    return Progress(
        possible_duplicates=doubtful.count(),
        **{status.value: counts.get(status.value, 0) for status in EntryStatus},
    )


def numbers_kept(log: InvitationLog) -> dict[str, int]:
    """What is left of a forgotten log: its progress when it was forgotten, by field."""
    return {field.name: (log.counts or {}).get(field.name, 0) for field in fields(Progress)}


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


def came_back(entries: QuerySet[InvitationLogEntry]) -> QuerySet[InvitationLogEntry]:
    """Of these: the letters that came back, or were complained about, after they had left."""
    return entries.filter(did_come_back())


def did_come_back() -> Exists:
    """Of an outer query over entries: whether the letter came back, or was complained about."""
    return Exists(Bounce.objects.filter(entry=OuterRef("pk")))


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
