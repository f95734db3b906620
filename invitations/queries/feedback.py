"""
How people found the workshops: whom to ask, and what organisers may read.

Whoever answers was promised that nobody learns who said what. A coach sits with one or two
students, so an answer that names its coach, or what was worked on, names its author to whoever
made the pairs. So nothing that was said together is shown together: ratings, coaches, tutorials and
texts stand apart from each other, in an order drawn by lot, and each only among LEAST or more. What
was said of a workshop with fewer answers stands with what was said of other small ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, Exists, OuterRef, QuerySet

from chapters.models import Chapter, Role, Subscription, Workshop
from invitations.models import Feedback, Invitation
from logs.models import LIVE_LOG_STATUSES, Action, InvitationLog
from members.models import Member

ASKED_FOR = timedelta(days=3)
# At the end of an evening somebody ticks off the list; then one log asks all of them.
QUIET_FOR = timedelta(minutes=30)
LEAST = 3
RATINGS = (5, 4, 3, 2, 1)


# ---- Whom to ask ---------------------------------------------------------------------------


def to_ask(workshop: Workshop | OuterRef) -> QuerySet[Invitation]:
    """
    Students who were marked as here and were not asked yet how it was.

    Not whoever closed the account, is banned, cannot be reached or wants no letters of ours at all.

    :param workshop: one, or the reference to an outer query's
    """
    subscribed = Subscription.objects.filter(member=OuterRef("member"))
    return Invitation.objects.filter(
        Exists(subscribed),
        workshop=workshop,
        role=Role.STUDENT,
        attended_at__isnull=False,
        feedback_request__isnull=True,
        member__in=Member.objects.able_to_be_invited(),
    )


def due(at: datetime) -> QuerySet[Workshop]:
    """
    The workshops to ask about now: over since at most three days, and nobody is being marked.

    Where nobody was marked as here, nobody is asked: then nobody knows who came.
    """
    just_marked = Invitation.objects.filter(
        workshop=OuterRef("pk"), attended_at__gt=at - QUIET_FOR, attended_at__lte=at
    )
    being_asked = InvitationLog.objects.filter(
        workshop=OuterRef("pk"), action=Action.FEEDBACK, status__in=LIVE_LOG_STATUSES
    )
    return Workshop.objects.filter(
        Exists(to_ask(OuterRef("pk"))),
        ~Exists(just_marked),
        ~Exists(being_asked),
        ends_at__lte=at,
        ends_at__gt=at - ASKED_FOR,
        cancelled_at=None,
    ).order_by("pk")


def coaches_at(workshop: Workshop) -> QuerySet[Member]:
    """The coaches who were there, by name; one of them may be named in an answer."""
    there = Invitation.objects.filter(
        workshop=workshop, member=OuterRef("pk"), role=Role.COACH, attended_at__isnull=False
    )
    coaches: QuerySet[Member] = Member.objects.filter(Exists(there), closed_at=None)
    return coaches.order_by("name", "surname", "pk")


# ---- What was said -------------------------------------------------------------------------


@dataclass(frozen=True)
class Ratings:
    """How many answered, and how they rated it; empty below LEAST."""

    answers: int
    average: float | None
    counts: dict[int, int]


@dataclass(frozen=True)
class OfCoach:
    """What those said who named this coach."""

    coach: Member
    answers: int
    average: float


@dataclass(frozen=True)
class Texts:
    """What people wrote, each question by itself."""

    how_it_was: list[str]
    suggestions: list[str]
    tutorials: list[tuple[str, int]]

    def __bool__(self) -> bool:
        return bool(self.how_it_was or self.suggestions or self.tutorials)


@dataclass(frozen=True)
class OfWorkshop:
    """One workshop in the list of a chapter; without an average below LEAST."""

    workshop: Workshop
    answers: int
    average: float | None


def of_workshop(workshop: Workshop) -> QuerySet[Feedback]:
    return Feedback.objects.filter(workshop=workshop)


def of_chapter(chapter: Chapter) -> QuerySet[Feedback]:
    return Feedback.objects.filter(workshop__chapter=chapter)


def of_small_workshops(chapter: Chapter) -> QuerySet[Feedback]:
    """What was said of workshops about which fewer than LEAST answered."""
    answers = Workshop.objects.filter(chapter=chapter).annotate(answers=Count("feedback"))
    return Feedback.objects.filter(workshop__in=answers.filter(answers__lt=LEAST))


def asked_about(workshop: Workshop) -> int:
    """How many people were asked about this workshop."""
    return Invitation.objects.filter(workshop=workshop, feedback_request__isnull=False).count()


def ratings(answers: QuerySet[Feedback]) -> Ratings:
    """One statement, however many answers there are."""
    counts = Counter(dict(answers.values_list("rating").annotate(people=Count("pk")).order_by()))
    people = counts.total()
    if people < LEAST:
        return Ratings(people, None, {})
    total = sum(rating * count for rating, count in counts.items())
    return Ratings(people, total / people, {rating: counts[rating] for rating in RATINGS})


def texts(answers: QuerySet[Feedback], *, most: int) -> Texts:
    """
    What was written; nothing where fewer than LEAST answered.

    :param most: how many answers are read at all
    """
    drawn_by_lot = answers.order_by("pk")
    found = list(drawn_by_lot.values_list("how_it_was", "suggestions", "tutorial")[:most])
    if len(found) < LEAST:
        return Texts([], [], [])
    how_it_was, suggestions, tutorials = zip(*found, strict=True)
    return Texts(_said(how_it_was), sorted(_said(suggestions)), _counted(tutorials))


def coaches(answers: QuerySet[Feedback]) -> list[OfCoach]:
    """The coaches whom LEAST or more answers name, by name."""
    rows = (
        answers.filter(coach__isnull=False)
        .values("coach")
        .annotate(answers=Count("pk"), average=Avg("rating"))
        .filter(answers__gte=LEAST)
        .order_by()
    )
    by_id = {row["coach"]: row for row in rows}
    named = Member.objects.filter(pk__in=by_id).order_by("name", "surname", "pk")
    return [
        OfCoach(coach, by_id[coach.pk]["answers"], by_id[coach.pk]["average"]) for coach in named
    ]


def workshops(chapter: Chapter) -> QuerySet[Workshop]:
    """Those of the chapter about which somebody answered, the newest first."""
    answers = Feedback.objects.filter(workshop=OuterRef("pk"))
    found = Workshop.objects.filter(Exists(answers), chapter=chapter).select_related("chapter")
    return found.order_by("-starts_at", "-pk")


def by_workshop(workshops: Iterable[Workshop]) -> list[OfWorkshop]:
    """The answers to each of these workshops, in their order; one statement."""
    listed = list(workshops)
    rows = (
        Feedback.objects.filter(workshop__in=listed)
        .values("workshop")
        .annotate(answers=Count("pk"), average=Avg("rating"))
        .order_by()
    )
    by_id = {row["workshop"]: (row["answers"], row["average"]) for row in rows}
    found = [(workshop, *by_id.get(workshop.pk, (0, None))) for workshop in listed]
    return [
        OfWorkshop(workshop, people, average if people >= LEAST else None)
        for workshop, people, average in found
    ]


def _said(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text]


def _counted(tutorials: Iterable[str]) -> list[tuple[str, int]]:
    """Each tutorial with how many named it, the most named first."""
    named = Counter(tutorial for tutorial in tutorials if tutorial)
    return sorted(named.items(), key=lambda row: (-row[1], row[0].casefold()))
