"""
Who comes to a workshop, who waits, and what an organiser should know about each of them.

Whoever is banned meanwhile takes no place, and so is on no list of those who come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import (
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
    Window,
)
from django.db.models.functions import Concat, Lower, RowNumber

from chapters.models import Role, Subscription, Workshop
from invitations.models import Answer, Invitation
from invitations.queries import histories, overviews
from invitations.queries.histories import MISSED_OFTEN, SIX_MONTHS, WARNED_OFTEN
from invitations.queries.overviews import Overview
from logs.models import Action, InvitationLogEntry
from members.models import Ban, DietaryNeed, Member, Note, Notice

# A note counts as recent from a day before the fifth last workshop somebody came to (planner).
WORKSHOPS_A_NOTE_LASTS = 5
A_DAY = timedelta(days=1)


class Show(TextChoices):
    """Which people of a workshop are listed."""

    STUDENTS = "students", "Students"
    COACHES = "coaches", "Coaches"
    WAITING = "waiting", "Waiting"
    DECLINED = "declined", "Not coming"
    ANSWERED = "answered", "Everybody who answered"


def people(workshop: Workshop, show: Show, *, name: str = "") -> QuerySet[Invitation]:
    """
    The invitations of these people, by name; those who wait in the order of the line.

    :param name: a part of a name, to find only those
    """
    found = _with_name(_shown(workshop, show), name).select_related("member", "answered_by")
    if show == Show.WAITING:
        return found.order_by("-role", "answered_at", "pk")
    return found.order_by(Lower("member__name"), Lower("member__surname"), "pk")


def counts(overview: Overview) -> dict[Show, int]:
    """How many people each list holds; the last one is the sum of the others."""
    taken = {places.role: places.taken for places in overview.places}
    numbers = {
        Show.STUDENTS: taken[Role.STUDENT],
        Show.COACHES: taken[Role.COACH],
        Show.WAITING: overview.waiting,
        Show.DECLINED: overview.declined,
    }
    return numbers | {Show.ANSWERED: sum(numbers.values())}


def expected(
    workshop: Workshop, *, role: Role | None = None, name: str = ""
) -> QuerySet[Invitation]:
    """Whom the door waits for, by name: everybody with a place."""
    coming = overviews.coming(workshop)
    if role:
        coming = coming.for_role(role)  # type: ignore[attr-defined]  # of InvitationQuerySet
    return _with_name(coming, name).order_by(Lower("member__name"), Lower("member__surname"), "pk")


@dataclass(frozen=True)
class Arrived:
    """How far the door is."""

    here: int
    expected: int


def arrived(workshop: Workshop) -> Arrived:
    numbers = overviews.coming(workshop).aggregate(
        here=Count("pk", filter=Q(attended_at__isnull=False)), expected=Count("pk")
    )
    return Arrived(**numbers)


@dataclass(frozen=True)
class Flags:
    """What is known about a member from the workshops before this one."""

    came: int = 0
    missed: int = 0
    warned: int = 0
    has_recent_note: bool = False
    is_banned: bool = False

    @property
    def is_new(self) -> bool:
        """Never marked as here, in whatever role (planner's rule)."""
        return self.came == 0

    @property
    def has_missed_often(self) -> bool:
        """More than three in six months (planner's rule)."""
        return self.missed >= MISSED_OFTEN

    @property
    def is_flagged(self) -> bool:
        """Missed often, and warned twice in six months (planner's rule)."""
        return self.has_missed_often and self.warned >= WARNED_OFTEN


def flags(member_ids: Collection[int], *, workshop: Workshop, at: datetime) -> dict[int, Flags]:
    """
    The flags of each of these members, with five statements whatever their number.

    This workshop is no part of them: somebody's first evening stays it, once they are here.
    """
    before = Invitation.objects.filter(member__in=member_ids).exclude(workshop=workshop)
    found = {member_id: Flags() for member_id in member_ids}
    for member_id, came, missed in _came_and_missed(before, at=at):
        found[member_id] = replace(found[member_id], came=came, missed=missed)
    for member_id, warned in _warned(member_ids, at=at):
        found[member_id] = replace(found[member_id], warned=warned)
    for member_id in _with_recent_note(member_ids, before):
        found[member_id] = replace(found[member_id], has_recent_note=True)
    for member_id in (
        Ban.objects.active().filter(member__in=member_ids).values_list("member", flat=True)
    ):
        found[member_id] = replace(found[member_id], is_banned=True)
    return found


def newcomers(invitations: Collection[Invitation], *, workshop: Workshop) -> set[int]:
    """Those of the members who were never marked as here at another workshop; one statement."""
    members = {invitation.member_id for invitation in invitations}
    came = Invitation.objects.filter(member__in=members, attended_at__isnull=False)
    return members - set(came.exclude(workshop=workshop).values_list("member", flat=True))


def line(workshop: Workshop) -> dict[int, int]:
    """Of each invitation on the waiting list: its place in the line of its role, from 1."""
    passed: Counter[str] = Counter()
    places = {}
    for pk, role in workshop.invitations.waiting().values_list("pk", "role"):
        passed[role] += 1
        places[pk] = passed[role]
    return places


def moved_up(workshop: Workshop, invitations: Collection[Invitation]) -> set[int]:
    """Those of these invitations whose place came from the waiting list, by itself."""
    letters = InvitationLogEntry.objects.filter(
        log=None,
        workshop=workshop,
        action=Action.PLACE,
        member__in=[invitation.member_id for invitation in invitations],
    )
    told = set(letters.values_list("member", "occasion"))
    return {i.pk for i in invitations if (i.member_id, str(i.answer_number)) in told}


@dataclass(frozen=True)
class Food:
    """What whoever orders the food has to know."""

    people: int
    needs: list[tuple[str, int]]
    others: list[tuple[str, int]]


def food(workshop: Workshop) -> Food:
    """How many of those who come need what, the most wanted first; other needs in their words."""
    rows = list(
        overviews.coming(workshop)
        .exclude(member__dietary_needs=[], member__other_dietary_needs="")
        .values_list("member__dietary_needs", "member__other_dietary_needs")
    )
    wanted = Counter(need for needs, _ in rows for need in needs if need != DietaryNeed.OTHER)
    others = Counter(other.strip() for _, other in rows if other.strip())
    return Food(
        people=len(rows),
        needs=[(str(DietaryNeed(need).label), people) for need, people in wanted.most_common()],
        others=others.most_common(),
    )


def dietary_needs(member: Member) -> str:
    """What the member needs, in words: "vegan, gluten free, no nuts"."""
    labels = [
        str(DietaryNeed(need).label).lower()
        for need in member.dietary_needs
        if need != DietaryNeed.OTHER
    ]
    return ", ".join(
        [*labels, member.other_dietary_needs] if member.other_dietary_needs else labels
    )


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be given a place, and how they stand with this workshop."""

    member: Member
    roles: list[Role]
    invitation: Invitation | None


def candidates(workshop: Workshop) -> QuerySet[Member]:
    """Everybody whom an organiser may add: subscribers of the chapter, and who was invited."""
    subscribed = Subscription.objects.filter(
        member=OuterRef("pk"), group__chapter=workshop.chapter_id
    )
    invited = Invitation.objects.filter(member=OuterRef("pk"), workshop=workshop)
    members: QuerySet[Member] = Member.objects.filter(closed_at__isnull=True)
    return members.filter(Q(Exists(subscribed)) | Q(Exists(invited)))


def find(
    workshop: Workshop, *, text: str, with_addresses: bool, most: int
) -> tuple[list[Candidate], bool]:
    """
    Whom an organiser may add and whose name contains the text, and whether there are more.

    :param with_addresses: look at the e-mail addresses, too: only for who may read them
    """
    name_in_full = Concat(F("name"), Value(" "), F("surname"))
    wanted = Q(name_in_full__icontains=text)
    if with_addresses:
        wanted |= Q(email__icontains=text)
    members = list(
        candidates(workshop)
        .alias(name_in_full=name_in_full)
        .filter(wanted)
        .order_by(Lower("name"), Lower("surname"), "pk")[: most + 1]
    )
    return as_candidates(workshop, members[:most]), len(members) > most


def as_candidates(workshop: Workshop, members: Collection[Member]) -> list[Candidate]:
    """How these members stand with the workshop, with two statements."""
    roles: dict[int, set[Role]] = {}
    subscriptions = Subscription.objects.filter(
        member__in=members, group__chapter=workshop.chapter_id
    )
    for member_id, role in subscriptions.values_list("member", "group__role"):
        roles.setdefault(member_id, set()).add(Role(role))
    invitations = {
        invitation.member_id: invitation
        for invitation in workshop.invitations.filter(member__in=members).select_related(
            "answered_by"
        )
    }
    return [
        Candidate(
            member=member,
            roles=sorted(roles.get(member.pk, ()), reverse=True),
            invitation=invitations.get(member.pk),
        )
        for member in members
    ]


def gets_a_letter(member: Member, workshop: Workshop, *, at: datetime) -> bool:
    """Whether a letter that takes the member off the list leaves: not after the start."""
    return member.is_answered and not workshop.has_begun(at)


def organisers_of(workshop: Workshop) -> QuerySet[Member]:
    """The workshop's own organisers, or else those of its chapter (planner's rule), by name."""
    own = workshop.organisers.filter(closed_at__isnull=True)
    chapters = workshop.chapter.organisers.filter(closed_at__isnull=True)
    found = own if own.exists() else chapters
    return found.not_banned().order_by("name", "surname", "pk")  # type: ignore[attr-defined,no-any-return]


def _shown(workshop: Workshop, show: Show) -> QuerySet[Invitation]:
    match show:
        case Show.STUDENTS:
            return overviews.coming(workshop).filter(role=Role.STUDENT)
        case Show.COACHES:
            return overviews.coming(workshop).filter(role=Role.COACH)
        case Show.WAITING:
            return workshop.invitations.waiting()
        case Show.DECLINED:
            return workshop.invitations.filter(answer=Answer.DECLINED)
    banned = Exists(Ban.objects.active().filter(member=OuterRef("member")))
    answered = workshop.invitations.exclude(answer=Answer.NONE)
    return answered.exclude(banned, answer=Answer.ATTENDING)


def _with_name(invitations: QuerySet[Invitation], name: str) -> QuerySet[Invitation]:
    if not name:
        return invitations
    full_name = Concat(F("member__name"), Value(" "), F("member__surname"))
    return invitations.alias(full_name=full_name).filter(full_name__icontains=name)


def _came_and_missed(
    before: QuerySet[Invitation], *, at: datetime
) -> QuerySet[Invitation, tuple[int, int, int]]:
    return (
        before.order_by()
        .values("member")
        .annotate(
            came=Count("pk", filter=Q(attended_at__isnull=False)),
            missed=Count("pk", filter=histories.missed(at=at)),
        )
        .values_list("member", "came", "missed")
    )


def _warned(member_ids: Collection[int], *, at: datetime) -> QuerySet[Notice, tuple[int, int]]:
    return (
        Notice.objects.filter(
            member__in=member_ids,
            kind=Notice.Kind.ATTENDANCE,
            created_at__gt=at - SIX_MONTHS,
            created_at__lte=at,
        )
        .order_by()
        .values("member")
        .annotate(times=Count("pk"))
        .values_list("member", "times")
    )


def _with_recent_note(member_ids: Collection[int], before: QuerySet[Invitation]) -> set[int]:
    """Nobody's who never came, like in planner: everything about a newcomer is news."""
    newest_note = dict(
        Note.objects.filter(member__in=member_ids)
        .order_by()
        .values("member")
        .annotate(newest=Max("created_at"))
        .values_list("member", "newest")
    )
    latest_evenings = (
        before.filter(member__in=newest_note, attended_at__isnull=False)
        .annotate(
            nr=Window(RowNumber(), partition_by="member", order_by=F("workshop__starts_at").desc())
        )
        .filter(nr__lte=WORKSHOPS_A_NOTE_LASTS)
        .order_by("-nr")
        .values_list("member", "workshop__starts_at")
    )
    since: dict[int, datetime] = {}
    for member_id, starts_at in latest_evenings:
        since.setdefault(member_id, starts_at - A_DAY)
    return {member_id for member_id in since if newest_note[member_id] > since[member_id]}
