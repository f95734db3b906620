"""
What people see first: who is coming, how many places are left and what was sent.

Each answer is for many workshops or logs at once, so that a list costs what one row costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from chapters.models import Role, Sponsor, Subscription, Workshop, WorkshopSponsor
from chapters.queries import capacity
from invitations.models import Answer, Invitation
from logs.models import (
    LIVE_ENTRY_STATUSES,
    Action,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from logs.queries import failed_single_letters, live_letters_elsewhere, numbers_kept
from members.models import Ban, Member

IN_A_PLACE_OR_LINE = (Answer.ATTENDING, Answer.WAITING)


@dataclass(frozen=True)
class Places:
    """The places of one role. Whoever is banned meanwhile takes none."""

    role: Role
    capacity: int
    taken: int
    waiting: int

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

    @property
    def are_free_while_some_wait(self) -> bool:
        """Somebody on the waiting list could have one of them now."""
        return self.left > 0 and self.waiting > 0


@dataclass(frozen=True)
class Room:
    """Where a workshop is, and its places: what members are told."""

    workshop: Workshop
    host: Sponsor | None
    places: list[Places]

    @property
    def attending(self) -> int:
        return sum(places.taken for places in self.places)

    @property
    def waiting(self) -> int:
        return sum(places.waiting for places in self.places)

    @property
    def misses_a_venue(self) -> bool:
        return not self.workshop.is_virtual and self.host is None


@dataclass(frozen=True)
class Overview(Room):
    """One workshop in numbers; the answers add up to its invitations."""

    declined: int
    unanswered: int

    @property
    def invitations(self) -> int:
        return self.attending + self.waiting + self.declined + self.unanswered


def rooms(workshops: Collection[Workshop]) -> list[Room]:
    """
    The places of each of these workshops, in their order; two statements in all.

    However many are invited, only those who come or wait are counted, along an index.
    """
    answers = _answers(Invitation.objects.filter(answer__in=IN_A_PLACE_OR_LINE), workshops)
    hosts = _hosts_of(workshops)
    return [_room(w, hosts.get(w.pk), answers) for w in workshops]


def overviews(workshops: Collection[Workshop]) -> list[Overview]:
    """The numbers of each of these workshops, in their order; two statements in all."""
    answers = _answers(Invitation.objects.all(), workshops) + unanswered_and_forgotten(workshops)
    hosts = _hosts_of(workshops)
    return [_overview(_room(w, hosts.get(w.pk), answers), answers) for w in workshops]


def places(workshop: Workshop) -> dict[Role, Places]:
    """How many can come in each role, and how many do."""
    (room,) = rooms([workshop])
    return {places.role: places for places in room.places}


def coming(workshop: Workshop) -> QuerySet[Invitation]:
    """Everybody who takes a place, by role and name."""
    return (
        _not_banned(workshop.invitations.attending())
        .select_related("member")
        .order_by("-role", "member__name", "member__surname", "pk")
    )


@dataclass(frozen=True)
class Outlook:
    """A workshop that is not over: its numbers, what was sent for it, and who is not invited."""

    overview: Overview
    letters: Counter[str]
    failed_singles: int
    to_invite: int
    is_paused: bool
    scheduled: list[InvitationLog]
    has_begun: bool
    takes_answers: bool

    @property
    def workshop(self) -> Workshop:
        return self.overview.workshop

    @property
    def is_invited(self) -> bool:
        return self.overview.invitations > 0

    @property
    def is_being_sent(self) -> bool:
        return bool(self.letters["pending"] or self.letters["sending"]) and not self.is_paused

    @property
    def needs(self) -> list[str]:
        """What somebody should look at, in sentences; empty where nothing does, or it is late."""
        if self.has_begun:
            return []
        failed, in_doubt = self.letters["failed"], self.letters["unknown"]
        sentences = [
            (self.overview.misses_a_venue, "The venue is missing, so nobody can be invited."),
            (not self.workshop.is_invitable, "It is not open for invitations."),
            (self.is_paused, "Sending is paused."),
            (self.wants_invitations, _not_invited(self.to_invite)),
            (failed, f"{failed:,} {'letter' if failed == 1 else 'letters'} failed."),
            (self.failed_singles, _failed_singles(self.failed_singles)),
            (in_doubt, f"{in_doubt:,} {'letter is' if in_doubt == 1 else 'letters are'} in doubt."),
            *(
                (places.are_free_while_some_wait, _free_while_some_wait(places))
                for places in self.overview.places
            ),
        ]
        return [sentence for holds, sentence in sentences if holds]

    @property
    def wants_invitations(self) -> bool:
        """Somebody can be invited now, and no letters are planned for later."""
        is_open = self.workshop.is_invitable and not self.overview.misses_a_venue
        return is_open and self.takes_answers and self.to_invite > 0 and not self.scheduled


def outlooks(workshops: Collection[Workshop], *, at: datetime) -> list[Outlook]:
    """What each of these workshops needs, in their order; six statements in all."""
    letters = letters_of_workshops(workshops)
    singles = _failed_singles_of(workshops)
    missing = to_invite(workshops)
    paused, scheduled = _held_logs_of(workshops)
    return [
        Outlook(
            overview=overview,
            letters=letters.get(overview.workshop.pk, Counter()),
            failed_singles=singles[overview.workshop.pk],
            to_invite=missing[overview.workshop.pk],
            is_paused=overview.workshop.pk in paused,
            scheduled=scheduled.get(overview.workshop.pk, []),
            has_begun=overview.workshop.has_begun(at),
            takes_answers=_takes_answers(overview.workshop, at=at),
        )
        for overview in overviews(workshops)
    ]


def to_invite(workshops: Collection[Workshop]) -> Counter[int]:
    """
    Of each workshop: how many people the button Everybody would invite now.

    It counts as `audiences.reach` does, in one statement for all of them.
    """
    theirs = {"workshop": OuterRef("workshop"), "member": OuterRef("member")}
    answers = Invitation.objects.filter(**theirs).exclude(answer=Answer.NONE)
    letters = InvitationLogEntry.objects.filter(
        **theirs, action=Action.INVITE, occasion="", status__in=LIVE_ENTRY_STATUSES
    )
    rows = (
        Subscription.objects.annotate(workshop=F("group__chapter__workshops"))
        .filter(
            ~Exists(answers),
            ~Exists(letters),
            workshop__in=[workshop.pk for workshop in workshops],
            member__in=Member.objects.able_to_be_invited(),
        )
        .values_list("workshop")
        .annotate(people=Count("member", distinct=True))
        .order_by()
    )
    return Counter(dict(rows))


def letters_of_workshops(workshops: Collection[Workshop]) -> dict[int, Counter[str]]:
    """
    Of each workshop that was sent to: how many people of its logs stand where, tests aside.

    A letter that failed is not counted once another one reached the same person.
    """
    is_replaced = Q(Exists(live_letters_elsewhere()), status=EntryStatus.FAILED)
    return _counted(
        InvitationLogEntry.objects.filter(log__workshop__in=workshops)
        .exclude(action=Action.TEST)
        .exclude(is_replaced)
        .values_list("log__workshop", "status")
        .annotate(people=Count("pk"))
        .order_by()
    )


def letters_of_logs(logs: Collection[InvitationLog]) -> dict[int, Counter[str]]:
    """Of each log: how many of its people stand where, or stood when they were forgotten."""
    known = [log for log in logs if not log.forgotten_at]
    counted = _counted(
        InvitationLogEntry.objects.filter(log__in=known)
        .values_list("log", "status")
        .annotate(people=Count("pk"))
        .order_by()
    )
    for log in logs:
        if log.forgotten_at:
            kept = numbers_kept(log)
            counted[log.pk] = Counter({status: kept[status] for status in EntryStatus.values})
    return counted


@dataclass(frozen=True)
class Sent:
    """A log, and how many of its people stand where."""

    log: InvitationLog
    letters: Counter[str]

    @property
    def people(self) -> int:
        return self.letters.total()


def sent(logs: QuerySet[InvitationLog], *, most: int) -> list[Sent]:
    """The newest of these logs, with their numbers; two statements."""
    newest = list(logs.select_related("initiator", "chapter", "workshop").order_by("-pk")[:most])
    letters = letters_of_logs(newest)
    return [Sent(log, letters.get(log.pk, Counter())) for log in newest]


def _takes_answers(workshop: Workshop, *, at: datetime) -> bool:
    """Whether somebody who is invited now could still say yes or no."""
    closes_at = workshop.rsvp_closes_at
    return not workshop.has_begun(at) and (closes_at is None or at < closes_at)


def _failed_singles_of(workshops: Collection[Workshop]) -> Counter[int]:
    rows = failed_single_letters(workshops).values_list("workshop").order_by()
    return Counter(dict(rows.annotate(letters=Count("pk"))))


def _held_logs_of(
    workshops: Collection[Workshop],
) -> tuple[set[int | None], dict[int | None, list[InvitationLog]]]:
    """Workshops with a paused log, and the invitations of each that leave later, the next first."""
    paused: set[int | None] = set()
    scheduled: dict[int | None, list[InvitationLog]] = {}
    held = Q(status=LogStatus.PAUSED) | Q(status=LogStatus.SCHEDULED, action=Action.INVITE)
    logs = InvitationLog.objects.filter(held, workshop__in=workshops)
    for log in logs.order_by("send_at", "pk"):
        if log.status == LogStatus.PAUSED:
            paused.add(log.workshop_id)
        else:
            scheduled.setdefault(log.workshop_id, []).append(log)
    return paused, scheduled


def _failed_singles(count: int) -> str:
    return "1 letter to one person failed." if count == 1 else f"{count:,} single letters failed."


def _not_invited(count: int) -> str:
    if count == 1:
        return "1 eligible member is not invited yet."
    return f"{count:,} eligible members are not invited yet."


def _free_while_some_wait(places: Places) -> str:
    role = places.role.label.lower()
    free = f"{places.left} {role} {'place is' if places.left == 1 else 'places are'} free"
    return f"{free} and {places.waiting} {'waits' if places.waiting == 1 else 'wait'}."


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


def _answers(
    invitations: QuerySet[Invitation], workshops: Collection[Workshop]
) -> Counter[tuple[int, str, str]]:
    """These by workshop, role and answer; those of the banned who said yes are left out."""
    banned = Exists(Ban.objects.active().filter(member=OuterRef("member")))
    rows = (
        invitations.filter(workshop__in=workshops)
        .exclude(banned, answer=Answer.ATTENDING)
        .values_list("workshop", "role", "answer")
        .annotate(people=Count("pk"))
        .order_by()
    )
    return Counter({(workshop, role, answer): people for workshop, role, answer, people in rows})


def unanswered_and_forgotten(
    workshops: Collection[Workshop],
) -> Counter[tuple[int, str, str]]:
    """
    Who was invited, never answered and is forgotten: by workshop, role and the answer not given.
    """
    now = timezone.now()
    kept = InvitationLog.objects.filter(
        workshop__in=[workshop for workshop in workshops if workshop.has_begun(now)],
        counts__unanswered__isnull=False,
    )
    people: Counter[tuple[int, str, str]] = Counter()
    for workshop, by_role in kept.values_list("workshop", "counts__unanswered"):
        for role, count in by_role.items():
            people[workshop, role, Answer.NONE] += count
    return people


def _room(workshop: Workshop, host: Sponsor | None, answers: Counter[tuple[int, str, str]]) -> Room:
    places = [
        Places(
            role=role,
            capacity=capacity(workshop, host=host, role=role),
            taken=answers[workshop.pk, role, Answer.ATTENDING],
            waiting=answers[workshop.pk, role, Answer.WAITING],
        )
        for role in Role
    ]
    return Room(workshop, host, places)


def _overview(room: Room, answers: Counter[tuple[int, str, str]]) -> Overview:
    def people(answer: Answer) -> int:
        return sum(answers[room.workshop.pk, role, answer] for role in Role.values)

    return Overview(
        room.workshop,
        room.host,
        room.places,
        declined=people(Answer.DECLINED),
        unanswered=people(Answer.NONE),
    )
