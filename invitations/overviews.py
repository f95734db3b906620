"""
What people see first: who is coming, how many places are left and what was sent.

Each answer is for many workshops or logs at once, so that a list costs what one row costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet

from chapters.models import Role, Sponsor, Workshop, WorkshopSponsor
from chapters.queries import capacity
from invitations.models import Answer, Invitation
from logs.models import EntryStatus, InvitationLog, InvitationLogEntry
from members.models import Ban


@dataclass(frozen=True)
class Places:
    """The places of one role. Whoever is banned meanwhile takes none."""

    role: Role
    capacity: int
    taken: int

    @property
    def left(self) -> int:
        return max(self.capacity - self.taken, 0)

    @property
    def is_full(self) -> bool:
        return self.left == 0

    @property
    def name(self) -> str:
        """Whom these places are for: "students" or "coaches"."""
        return "students" if self.role == Role.STUDENT else "coaches"


@dataclass(frozen=True)
class Overview:
    """One workshop in numbers; the answers add up to its invitations."""

    workshop: Workshop
    host: Sponsor | None
    places: list[Places]
    waiting: int
    declined: int
    unanswered: int

    @property
    def invitations(self) -> int:
        return sum(p.taken for p in self.places) + self.waiting + self.declined + self.unanswered


def overviews(workshops: Collection[Workshop]) -> list[Overview]:
    """The numbers of each of these workshops, in their order; two statements in all."""
    hosts = _hosts_of(workshops)
    answers = _answers_of(workshops)
    return [_overview(w, hosts.get(w.pk), answers) for w in workshops]


def places(workshop: Workshop) -> dict[Role, Places]:
    """How many can come in each role, and how many do."""
    (overview,) = overviews([workshop])
    return {places.role: places for places in overview.places}


def coming(workshop: Workshop) -> QuerySet[Invitation]:
    """Everybody who takes a place, by role and name."""
    return (
        _not_banned(workshop.invitations.attending())
        .select_related("member")
        .order_by("-role", "member__name", "member__surname", "pk")
    )


def letters_of_workshops(workshops: Collection[Workshop]) -> dict[int, Counter[str]]:
    """Of each workshop that was sent to: how many people of its logs stand where."""
    return _counted(
        InvitationLogEntry.objects.filter(log__workshop__in=workshops)
        .values_list("log__workshop", "status")
        .annotate(people=Count("pk"))
        .order_by()
    )


def letters_of_logs(logs: Collection[InvitationLog]) -> dict[int, Counter[str]]:
    """Of each log: how many of its people stand where."""
    return _counted(
        InvitationLogEntry.objects.filter(log__in=logs)
        .values_list("log", "status")
        .annotate(people=Count("pk"))
        .order_by()
    )


@dataclass(frozen=True)
class Sent:
    """A log, and how many of its people stand where."""

    log: InvitationLog
    letters: Counter[str]


def sent(logs: QuerySet[InvitationLog], *, most: int) -> list[Sent]:
    """The newest of these logs, with their numbers; two statements."""
    newest = list(logs.select_related("initiator", "chapter", "workshop").order_by("-pk")[:most])
    letters = letters_of_logs(newest)
    return [Sent(log, letters.get(log.pk, Counter())) for log in newest]


def _counted(rows: QuerySet[InvitationLogEntry, tuple[int, str, int]]) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = {}
    for key, status, people in rows:
        counts.setdefault(key, Counter())[EntryStatus(status).name.lower()] = people
    return counts


def _not_banned(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    return invitations.exclude(Exists(Ban.objects.active().filter(member=OuterRef("member"))))


def _hosts_of(workshops: Collection[Workshop]) -> dict[int, Sponsor]:
    rows = WorkshopSponsor.objects.filter(workshop__in=workshops, is_host=True)
    return {row.workshop_id: row.sponsor for row in rows.select_related("sponsor")}


def _answers_of(workshops: Collection[Workshop]) -> Counter[tuple[int, str, str]]:
    """Invitations by workshop, role and answer; those of the banned who said yes are left out."""
    banned = Exists(Ban.objects.active().filter(member=OuterRef("member")))
    rows = (
        Invitation.objects.filter(workshop__in=workshops)
        .exclude(banned, answer=Answer.ATTENDING)
        .values_list("workshop", "role", "answer")
        .annotate(people=Count("pk"))
        .order_by()
    )
    return Counter({(workshop, role, answer): people for workshop, role, answer, people in rows})


def _overview(
    workshop: Workshop, host: Sponsor | None, answers: Counter[tuple[int, str, str]]
) -> Overview:
    def people(answer: Answer) -> int:
        return sum(answers[workshop.pk, role, answer] for role in Role.values)

    return Overview(
        workshop=workshop,
        host=host,
        places=[
            Places(
                role=role,
                capacity=capacity(workshop, host=host, role=role),
                taken=answers[workshop.pk, role, Answer.ATTENDING],
            )
            for role in Role
        ],
        waiting=people(Answer.WAITING),
        declined=people(Answer.DECLINED),
        unanswered=people(Answer.NONE),
    )
