"""
Chapters in numbers: how big they are, how they stand, who came to them and who answered.

Each answer is for all the chapters or workshops it is asked about at once, so that 54 chapters
cost as many statements as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from django.db.models import Count, Max, Q, QuerySet

from chapters.models import Chapter, Group, Role, Subscription, Workshop
from invitations.models import Answer, Invitation
from invitations.queries import overviews
from invitations.queries.overviews import Room
from logs.models import Action, InvitationLog, Switch
from members.models import Member

MONTHS = 12


@dataclass(frozen=True)
class Size:
    """How many people are subscribed, each of them once, and how many of them can be invited."""

    eligible: int = 0
    subscribed: int = 0


@dataclass(frozen=True)
class Standing:
    """How a chapter is doing: its size, its next workshop and the last letters of a click."""

    chapter: Chapter
    organisers: int
    students: Size
    coaches: Size
    everybody: Size
    next: Room | None
    to_invite: int
    last_start: datetime | None
    last_log: InvitationLog | None
    letters: Counter[str]
    is_switched_off: bool

    @property
    def misses_a_venue(self) -> bool:
        return self.next is not None and not self.next.workshop.is_virtual and not self.next.host

    @property
    def needs(self) -> list[str]:
        """What somebody should look at, in words; empty where nothing does."""
        to_invite, failed, in_doubt = (
            self.to_invite,
            self.letters["failed"],
            self.letters["unknown"],
        )
        reasons = [
            (not self.organisers, "Nobody organises this chapter."),
            (self.is_switched_off, "Sending is switched off."),
            (self.misses_a_venue, "The venue is missing, so nobody can be invited."),
            (
                to_invite and not self.misses_a_venue,
                f"{to_invite:,} eligible {_plural(to_invite, 'is', 'are')} not invited yet.",
            ),
            (failed, f"{failed:,} {_plural(failed, 'letter', 'letters')} failed."),
            (in_doubt, f"{in_doubt:,} {_plural(in_doubt, 'letter is', 'letters are')} in doubt."),
        ]
        return [words for holds, words in reasons if holds]


def standings(chapters: Collection[Chapter], *, at: datetime) -> list[Standing]:
    """How each of these chapters stands, in their order."""
    by_role = _sizes(chapters, "group__chapter", "group__role")
    everybody = _sizes(chapters, "group__chapter")
    organisers = _organisers(chapters)
    coming = _next_workshops(chapters, at=at)
    to_invite = overviews.to_invite([overview.workshop for overview in coming.values()])
    last_starts = _last_starts(chapters, at=at)
    last_logs = _last_logs(chapters)
    letters = overviews.letters_of_logs(last_logs.values())
    switched_off = _switched_off(chapters)

    def standing(chapter: Chapter) -> Standing:
        following = coming.get(chapter.pk)
        last_log = last_logs.get(chapter.pk)
        return Standing(
            chapter=chapter,
            organisers=organisers[chapter.pk],
            students=by_role.get((chapter.pk, Role.STUDENT), Size()),
            coaches=by_role.get((chapter.pk, Role.COACH), Size()),
            everybody=everybody.get((chapter.pk,), Size()),
            next=following,
            to_invite=to_invite[following.workshop.pk] if following else 0,
            last_start=last_starts.get(chapter.pk),
            last_log=last_log,
            letters=letters.get(last_log.pk, Counter()) if last_log else Counter(),
            is_switched_off=chapter.pk in switched_off,
        )

    return [standing(chapter) for chapter in chapters]


def sizes_of_groups(chapter: Chapter) -> list[tuple[Group, Size]]:
    """The groups of the chapter by role and name, students first, each with its size."""
    sizes = _sizes([chapter], "group")
    groups = chapter.groups.order_by("-role", "name", "pk")
    return [(group, sizes.get((group.pk,), Size())) for group in groups]


def size_of(chapter: Chapter) -> Size:
    """The whole chapter, each person once."""
    return _sizes([chapter], "group__chapter").get((chapter.pk,), Size())


@dataclass(frozen=True)
class Month:
    """
    Who came to the workshops of one month.

    At `unmarked` of them nobody was marked as there, so these count who had a place.
    """

    first_day: date
    workshops: int = 0
    unmarked: int = 0
    students: int = 0
    coaches: int = 0

    @property
    def people(self) -> int:
        return self.students + self.coaches

    @property
    def how_counted(self) -> str:
        if not self.workshops:
            return "no workshop"
        if not self.unmarked:
            return "marked as there"
        if self.unmarked == self.workshops:
            return "had a place"
        marked = self.workshops - self.unmarked
        return f"marked as there at {marked}, had a place at {self.unmarked}"


@dataclass(frozen=True)
class Answers:
    """How those who were invited to one workshop answered; the answers add up to `invited`."""

    workshop: Workshop
    coming: int = 0
    waiting: int = 0
    declined: int = 0
    unanswered: int = 0

    @property
    def invited(self) -> int:
        return self.coming + self.waiting + self.declined + self.unanswered


@dataclass(frozen=True)
class Year:
    """What became of the workshops of twelve months."""

    chapter: Chapter
    months: list[Month]
    answers: list[Answers]


def last_year(chapter: Chapter, *, at: datetime) -> Year:
    """
    Twelve calendar months by the chapter's own clock, the one that runs included.

    Workshops that were cancelled or have not begun are left out, and whoever was banned since
    still came. The oldest month stands first, and so does the newest workshop. Three statements.
    """
    days = _first_days(at.astimezone(chapter.time_zone).date())
    since = datetime(days[0].year, days[0].month, 1, tzinfo=chapter.time_zone)
    workshops = list(
        chapter.workshops.filter(starts_at__gte=since, starts_at__lte=at, cancelled_at=None)
        .select_related("chapter")
        .order_by("-starts_at", "-pk")
    )
    counts = _counts(workshops)
    evenings = [_evening(workshop, counts.get(workshop.pk, {})) for workshop in workshops]
    return Year(
        chapter=chapter,
        months=[_month(day, evenings) for day in days],
        answers=[_answers(workshop, counts.get(workshop.pk, {})) for workshop in workshops],
    )


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _sizes(chapters: Collection[Chapter], *columns: str) -> dict[tuple[object, ...], Size]:
    """The subscribers of these chapters, counted by these columns of their subscriptions."""
    rows = (
        Subscription.objects.filter(group__chapter__in=chapters)
        .values_list(*columns)
        .annotate(
            eligible=Count(
                "member",
                distinct=True,
                filter=Q(member__in=Member.objects.able_to_be_invited()),
            ),
            subscribed=Count("member", distinct=True),
        )
        .order_by()
    )
    return {tuple(key): Size(eligible, subscribed) for *key, eligible, subscribed in rows}


def _organisers(chapters: Collection[Chapter]) -> Counter[int]:
    rows = Member.objects.filter(organised_chapters__in=chapters, closed_at=None)
    return Counter(rows.values_list("organised_chapters", flat=True))


def _next_workshops(chapters: Collection[Chapter], *, at: datetime) -> dict[int, Room]:
    """The next workshop of each chapter that has one, by chapter."""
    workshops = list(
        Workshop.objects.filter(chapter__in=chapters)
        .upcoming(at)
        .select_related("chapter")
        .order_by("chapter", "starts_at", "pk")
        .distinct("chapter")
    )
    return {found.workshop.chapter_id: found for found in overviews.rooms(workshops)}


def _last_starts(chapters: Collection[Chapter], *, at: datetime) -> dict[int, datetime]:
    """When the last workshop of each chapter began that has held one."""
    held = Workshop.objects.filter(chapter__in=chapters, starts_at__lte=at, cancelled_at=None)
    return dict(held.values_list("chapter").annotate(last=Max("starts_at")).order_by())


def _last_logs(chapters: Collection[Chapter]) -> dict[int, InvitationLog]:
    """The newest log of each chapter that has one; a test tells nothing."""
    newest: QuerySet[InvitationLog] = (
        InvitationLog.objects.filter(chapter__in=chapters, workshop__isnull=False)
        .exclude(action=Action.TEST)
        .order_by("chapter", "-pk")
        .distinct("chapter")
    )
    return {log.chapter_id: log for log in newest}


def _switched_off(chapters: Collection[Chapter]) -> set[int]:
    off = Switch.objects.filter(chapter__in=chapters, is_on=False)
    return set(cast("Iterable[int]", off.values_list("chapter", flat=True)))


def _first_days(today: date) -> list[date]:
    """The first days of this month and of the eleven before it."""
    this = today.year * MONTHS + today.month - 1
    return [date(n // MONTHS, n % MONTHS + 1, 1) for n in range(this - MONTHS + 1, this + 1)]


def _counts(workshops: Collection[Workshop]) -> dict[int, dict[str, int]]:
    """The invitations of each workshop, counted by what came of them."""
    filters = {f"{role}_there": Q(role=role, attended_at__isnull=False) for role in Role.values} | {
        f"{role}_placed": Q(role=role, answer=Answer.ATTENDING) for role in Role.values
    }
    filters |= {
        "coming": Q(answer=Answer.ATTENDING),
        "waiting": Q(answer=Answer.WAITING),
        "declined": Q(answer=Answer.DECLINED),
        "unanswered": Q(answer=Answer.NONE),
    }
    rows = (
        Invitation.objects.filter(workshop__in=workshops)
        .values("workshop")
        .annotate(**{name: Count("pk", filter=which) for name, which in filters.items()})
        .order_by()
    )
    counts = {row["workshop"]: row for row in cast("Iterable[dict[str, int]]", rows)}
    for (workshop, _, _), people in overviews.unanswered_and_forgotten(workshops).items():
        counts.setdefault(workshop, dict.fromkeys(filters, 0))["unanswered"] += people
    return counts


def _evening(workshop: Workshop, counts: dict[str, int]) -> Month:
    """One workshop as the month it was in would count it, were it the only one."""
    is_marked = bool(counts.get("student_there") or counts.get("coach_there"))
    how = "there" if is_marked else "placed"
    return Month(
        first_day=workshop.local_start.date().replace(day=1),
        workshops=1,
        unmarked=0 if is_marked else 1,
        students=counts.get(f"student_{how}", 0),
        coaches=counts.get(f"coach_{how}", 0),
    )


def _month(first_day: date, evenings: list[Month]) -> Month:
    those = [evening for evening in evenings if evening.first_day == first_day]
    return Month(
        first_day=first_day,
        workshops=len(those),
        unmarked=sum(evening.unmarked for evening in those),
        students=sum(evening.students for evening in those),
        coaches=sum(evening.coaches for evening in those),
    )


def _answers(workshop: Workshop, counts: dict[str, int]) -> Answers:
    return Answers(
        workshop=workshop,
        coming=counts.get("coming", 0),
        waiting=counts.get("waiting", 0),
        declined=counts.get("declined", 0),
        unanswered=counts.get("unanswered", 0),
    )
