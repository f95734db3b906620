"""
Planning a workshop: when and where it is and who helps, and every later change of that.

People compete for places, so a change locks the workshop first. Whoever has a place keeps it, and
a place that a change adds goes to the first in line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils.text import Truncator

from chapters.models import Chapter, Role, Sponsor, Workshop
from chapters.queries import capacity
from invitations.models import Answer, Invitation
from invitations.queries import audiences, overviews
from invitations.queries.overviews import Places
from invitations.services import rsvps
from logs.models import Action, InvitationLog, InvitationLogEntry, PlannerImport
from logs.services import activities
from members.models import Member

MOMENT = "%A %-d %B %Y, %H:%M"
COLUMNS = (
    "starts_at",
    "ends_at",
    "rsvp_opens_at",
    "rsvp_closes_at",
    "is_invitable",
    "is_virtual",
    "student_spaces",
    "coach_spaces",
    "slack_channel",
    "slack_channel_link",
    "description",
)
MOVED = "moved the workshop"
VENUE_MOVED = "changed the name or address of the venue"
LONGEST_REMARK = 200
FOUR_WEEKS = timedelta(weeks=4)


class Refused(Exception):
    """Nothing was changed; `message` tells the organiser why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InThePast(Refused): ...


class WorkshopCancelled(Refused): ...


class ChangedMeanwhile(Refused):
    """Somebody else saved after this form was opened."""


class FewerPlaces(Refused):
    """There would be fewer places than people who come; the organiser has to want that."""


class Forgotten(Refused):
    """Who was written to about this workshop is not known any more."""


class SomebodyWasInvited(Refused):
    """A workshop that people know of is cancelled, never deleted."""


@dataclass(frozen=True)
class Plan:
    """Everything an organiser decides about a workshop."""

    starts_at: datetime
    ends_at: datetime
    rsvp_opens_at: datetime | None = None
    rsvp_closes_at: datetime | None = None
    is_invitable: bool = True
    is_virtual: bool = False
    student_spaces: int = 0
    coach_spaces: int = 0
    slack_channel: str = ""
    slack_channel_link: str = ""
    description: str = ""
    host: Sponsor | None = None
    sponsors: frozenset[Sponsor] = frozenset()
    organisers: frozenset[Member] = frozenset()

    @property
    def companies(self) -> frozenset[Sponsor]:
        """The other sponsors, and the venue."""
        return self.sponsors | {self.host} if self.host else self.sponsors

    @property
    def mark(self) -> str:
        """What a form that shows this plan carries, to notice that somebody else saved since."""
        values = [_bare(getattr(self, field.name)) for field in fields(self)]
        return sha256(repr(values).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Saved:
    """What a change has led to."""

    workshop: Workshop
    moved_up: int = 0
    is_news: bool = False
    """Whether people who were invited before should hear of it."""


def plan_of(workshop: Workshop) -> Plan:
    """What is planned now, to the minute."""
    rows = list(workshop.workshop_sponsors.select_related("sponsor"))
    columns = {name: getattr(workshop, name) for name in COLUMNS}
    moments = {name: _to_the_minute(columns[name]) for name in COLUMNS if name.endswith("_at")}
    return Plan(
        **columns | moments,
        host=next((row.sponsor for row in rows if row.is_host), None),
        sponsors=frozenset(row.sponsor for row in rows if not row.is_host),
        organisers=frozenset(workshop.organisers.all()),
    )


@transaction.atomic
def create(
    chapter: Chapter, plan: Plan, *, by: Member, key: UUID, at: datetime
) -> tuple[Workshop, bool]:
    """
    A new workshop, and whether this call made it: the same form sent again finds the first.

    :raises InThePast: and nothing is made
    """
    existing = Workshop.objects.filter(request_key=key).select_related("chapter").first()
    if existing is not None:
        return existing, False
    _check_to_come(plan, at=at)
    workshop, is_new = Workshop.objects.get_or_create(
        request_key=key,
        defaults={name: getattr(plan, name) for name in COLUMNS} | {"chapter": chapter},
    )
    if is_new:
        _set_companies(workshop, plan)
        workshop.organisers.set(plan.organisers)
        activities.note("planned the workshop", by=by, workshop=workshop)
    return workshop, is_new


@transaction.atomic
def change(
    workshop: Workshop,
    plan: Plan,
    *,
    by: Member,
    at: datetime,
    seen: str = "",
    accepts_fewer_places: bool = False,
) -> Saved:
    """
    Plan it so from now on. The same plan again changes nothing.

    Another day, time or venue after people heard of the workshop raises its sequence, by which
    calendars know the newer entry (RFC 5545, 3.8.7.4); telling people is another step.

    :param seen: the mark of the plan that the organiser changed
    :raises Refused: one of the above
    """
    workshop = Workshop.objects.locked().get(pk=workshop.pk)
    before = plan_of(workshop)
    if plan == before:
        return Saved(workshop)
    _check_not_cancelled(workshop)
    if seen and seen != before.mark:
        raise ChangedMeanwhile(
            "Somebody else has changed this workshop while you had it open. Compare with its page;"
            " when you save again, what stands here is kept."
        )
    if plan.starts_at != before.starts_at:
        _check_to_come(plan, at=at)
        _check_is_remembered(workshop)
    places_before = _capacities(workshop, host=before.host)
    is_news = _is_news(before, plan) and is_known(workshop)
    _set_columns(workshop, plan)
    places = _capacities(workshop, host=plan.host)
    if not accepts_fewer_places:
        check_places(workshop, before=places_before, after=places)
    workshop.sequence += is_news
    workshop.save(update_fields=[*COLUMNS, "sequence"])
    _set_companies(workshop, plan)
    _set_organisers(workshop, before, plan, by=by)
    _note_changes(workshop, before, plan, by=by)
    # Not only after more places: whoever opens the answers again lets those in line have theirs.
    return Saved(workshop, moved_up=rsvps.fill_free_places(workshop, at=at), is_news=is_news)


@transaction.atomic
def delete(workshop: Workshop, *, by: Member) -> None:
    """
    Take away a workshop of which nobody knows, for instance one planned by mistake.

    :raises SomebodyWasInvited: when there is an invitation, a letter or a log
    """
    rows = Workshop.objects.select_for_update(of=("self",)).select_related("chapter")
    workshop = rows.get(pk=workshop.pk)
    reason = why_not_deleted(workshop)
    if reason:
        raise SomebodyWasInvited(reason)
    activities.note(
        f"deleted the workshop of {workshop.local_start:{MOMENT}}", by=by, chapter=workshop.chapter
    )
    workshop.delete()


def why_not_deleted(workshop: Workshop) -> str:
    """Why it cannot be deleted; empty where it can."""
    if workshop.invitations.exists():
        return "People are invited to this workshop. Cancel it instead, so that they hear of it."
    if workshop.invitation_logs.exists() or workshop.log_entries.exists():
        return (
            "Letters about this workshop are written down, and that record stays."
            " Cancel the workshop instead."
        )
    return ""


def next_free_day(workshop: Workshop, *, at: datetime) -> date:
    """The same weekday, four weeks later or as soon as its chapter has no other workshop then."""
    zone = workshop.chapter.time_zone
    others = workshop.chapter.workshops.filter(starts_at__gt=at, cancelled_at__isnull=True)
    taken = {
        starts_at.astimezone(zone).date()
        for starts_at in others.values_list("starts_at", flat=True)
    }
    day = workshop.local_start.date() + FOUR_WEEKS
    while day <= at.astimezone(zone).date() or day in taken:
        day += timedelta(weeks=1)
    return day


def is_known(workshop: Workshop) -> bool:
    """Whether somebody knows the plan: from a letter that left, or because they answered."""
    return known(Workshop.objects.filter(pk=workshop.pk)).exists()


def known(workshops: QuerySet[Workshop]) -> QuerySet[Workshop]:
    """Those of which somebody knows the plan: from a letter that left, or because they answered."""
    this = {"workshop": OuterRef("pk")}
    letters = InvitationLogEntry.objects.filter(**this, status__in=audiences.LEFT)
    answers = Invitation.objects.filter(**this).exclude(answer=Answer.NONE)
    return workshops.filter(Exists(letters.exclude(action=Action.TEST)) | Exists(answers))


def not_told(workshops: QuerySet[Workshop]) -> QuerySet[Workshop]:
    """Those that people know otherwise than they are now, and nobody has told them."""
    told = InvitationLog.objects.filter(
        workshop=OuterRef("pk"),
        action=Action.CHANGE,
        occasion=Cast(OuterRef("sequence"), CharField()),
    )
    return known(workshops).filter(~Exists(told), sequence__gt=0)


def invited(workshops: Collection[Workshop]) -> QuerySet[Workshop, int]:
    """The ids of those for which invitations have left."""
    letters = InvitationLogEntry.objects.filter(
        workshop=OuterRef("pk"), action=Action.INVITE, status__in=audiences.LEFT
    )
    among = Workshop.objects.filter(pk__in=[workshop.pk for workshop in workshops])
    return among.filter(Exists(letters)).values_list("pk", flat=True)


def last_move(workshop: Workshop) -> dict[str, list[str]]:
    """What was different before the last change of day, time or venue: how it was and is."""
    move = workshop.activities.filter(did__in=(MOVED, VENUE_MOVED)).order_by("-pk").first()
    return dict(move.changes) if move else {}


def check_places(workshop: Workshop, *, before: dict[Role, int], after: dict[Role, int]) -> None:
    """:raises FewerPlaces: where a role loses places and more people come than are left"""
    if all(after[role] >= before[role] for role in Role):
        return
    taken = overviews.places(workshop)
    short = [
        _too_many(taken[role], after[role])
        for role in Role
        if after[role] < before[role] and taken[role].taken > after[role]
    ]
    if short:
        raise FewerPlaces(
            f"There would be fewer places than people: {' and '.join(short)}."
            " Nobody loses their place, and nobody gets a new one until enough have cancelled."
        )


def in_words(plan: Plan, zone: ZoneInfo) -> dict[str, str]:
    """The plan as an organiser reads it, by its label; people are not named."""
    spaces = {
        "Spaces for students": str(plan.student_spaces),
        "Spaces for coaches": str(plan.coach_spaces),
        "Channel": plan.slack_channel,
        "Link to the channel": plan.slack_channel_link,
    }
    return {
        "Begins": _moment(plan.starts_at, zone),
        "Ends": _moment(plan.ends_at, zone),
        "Answers open": _moment(plan.rsvp_opens_at, zone),
        "Answers close": _moment(plan.rsvp_closes_at, zone),
        "Invitations": "can be sent" if plan.is_invitable else "not yet",
        "Place": "in a call" if plan.is_virtual else "at a venue",
        "Venue": plan.host.name if plan.host else "none",
        "Other sponsors": ", ".join(sorted(sponsor.name for sponsor in plan.sponsors)) or "none",
        "Description": plan.description,
    } | (spaces if plan.is_virtual else dict.fromkeys(spaces, ""))


def _check_not_cancelled(workshop: Workshop) -> None:
    if workshop.is_cancelled:
        raise WorkshopCancelled(
            "This workshop is cancelled, so it stays as it is. Copy it to plan another one."
        )


def _check_to_come(plan: Plan, *, at: datetime) -> None:
    if plan.starts_at <= at:
        raise InThePast("That is in the past. Choose a day and a time that are still to come.")


def _check_is_remembered(workshop: Workshop) -> None:
    """Else whoever was invited to it once would be invited to it again."""
    is_forgotten = workshop.invitation_logs.filter(forgotten_at__isnull=False).exists()
    if is_forgotten or _came_without_its_logs(workshop):
        raise Forgotten(
            "Who was written to about this workshop is forgotten by now, so it stays where it is."
            " Copy it to plan another one."
        )


def _came_without_its_logs(workshop: Workshop) -> bool:
    """Planner kept its logs for 180 days; the invitations of older workshops came without them."""
    was_imported = PlannerImport.objects.filter(finished_at__gt=workshop.created_at).exists()
    return (
        was_imported
        and workshop.invitations.exists()
        and not workshop.log_entries.filter(action=Action.INVITE).exists()
    )


def _capacities(workshop: Workshop, *, host: Sponsor | None) -> dict[Role, int]:
    return {role: capacity(workshop, host=host, role=role) for role in Role}


def _is_news(before: Plan, after: Plan) -> bool:
    """Whether somebody who knows the old plan would be at the wrong place or time."""
    return (before.starts_at, before.ends_at, before.is_virtual, before.host) != (
        after.starts_at,
        after.ends_at,
        after.is_virtual,
        after.host,
    )


def _too_many(people: Places, places: int) -> str:
    one = f"1 {people.role.label.lower()} comes"
    come = one if people.taken == 1 else f"{people.taken} {people.name} come"
    return f"{come}, {places} place{'' if places == 1 else 's'}"


def _set_columns(workshop: Workshop, plan: Plan) -> None:
    for name in COLUMNS:
        setattr(workshop, name, getattr(plan, name))


def _set_companies(workshop: Workshop, plan: Plan) -> None:
    """The old venue steps back before the new one comes in: there is at most one."""
    rows = workshop.workshop_sponsors
    rows.exclude(sponsor__in=plan.companies).delete()
    rows.filter(is_host=True).exclude(sponsor=plan.host).update(is_host=False)
    for sponsor in sorted(plan.companies, key=lambda company: company.pk):
        rows.update_or_create(sponsor=sponsor, defaults={"is_host": sponsor == plan.host})


def _set_organisers(workshop: Workshop, before: Plan, after: Plan, *, by: Member) -> None:
    """One line of history for each, since people are named by the row and not in a text."""
    workshop.organisers.set(after.organisers)
    for member in _by_id(after.organisers - before.organisers):
        activities.note(
            "added an organiser of the workshop", by=by, workshop=workshop, member=member
        )
    for member in _by_id(before.organisers - after.organisers):
        activities.note(
            "removed an organiser of the workshop", by=by, workshop=workshop, member=member
        )


def _note_changes(workshop: Workshop, before: Plan, after: Plan, *, by: Member) -> None:
    zone = workshop.chapter.time_zone
    old, new = in_words(before, zone), in_words(after, zone)
    changes = {
        label: (_shortened(old[label]), _shortened(new[label]))
        for label in new
        if old[label] != new[label]
    }
    if changes:
        did = MOVED if _is_news(before, after) else "changed the workshop"
        activities.note(did, by=by, workshop=workshop, changes=changes)


def _by_id(members: Iterable[Member]) -> list[Member]:
    return sorted(members, key=lambda member: member.pk)


def _moment(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):{MOMENT}}" if moment else "not set"


def _shortened(text: str) -> str:
    return Truncator(text).chars(LONGEST_REMARK)


def _to_the_minute(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC).replace(second=0, microsecond=0)


def _bare(value: object) -> object:
    """A value without what differs between two readings of the same row."""
    if isinstance(value, frozenset):
        return sorted(row.pk for row in value)
    return getattr(value, "pk", str(value))
