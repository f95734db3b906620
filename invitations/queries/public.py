"""
What everybody may see: the workshops of active chapters, and what a chapter says about itself.

Nothing here is about one person, except for `invitation_of`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.db.models import Max, QuerySet

from chapters.models import Chapter, Sponsor, Workshop, WorkshopQuerySet
from invitations.models import Invitation
from invitations.queries import overviews
from invitations.queries.overviews import Places, Room
from members.models import Member

RECENTLY = timedelta(days=365)


@dataclass(frozen=True)
class Listing:
    """A workshop as it stands in a list, at this moment."""

    room: Room
    at: datetime

    @property
    def workshop(self) -> Workshop:
        return self.room.workshop

    @property
    def host(self) -> Sponsor | None:
        return self.room.host

    @property
    def is_over(self) -> bool:
        return self.workshop.ends_at <= self.at

    @property
    def is_on_now(self) -> bool:
        return self.workshop.has_begun(self.at) and not self.is_over

    @property
    def is_open(self) -> bool:
        """Places are given now: what `asking.check_open` says, for a list."""
        return self._is_to_come and not self._is_closed and not self.opens_later

    @property
    def opens_later(self) -> bool:
        """Places are going to be given: not yet, or not before people know where."""
        workshop = self.workshop
        if not self._is_to_come or self._is_closed:
            return False
        if self.room.misses_a_venue:
            return True
        if workshop.rsvp_opens_at is None:
            return not workshop.is_invitable
        return self.at < workshop.rsvp_opens_at

    @property
    def _is_to_come(self) -> bool:
        return not self.workshop.has_begun(self.at) and not self.workshop.is_cancelled

    @property
    def _is_closed(self) -> bool:
        closes_at = self.workshop.rsvp_closes_at
        return closes_at is not None and closes_at <= self.at

    @property
    def is_full(self) -> bool:
        return self.is_open and not self.free

    @property
    def free(self) -> list[Places]:
        """Of whom some can still come, where places are given at all."""
        return [places for places in self.room.places if places.left] if self.is_open else []

    @property
    def day(self) -> date:
        """By the calendar of its chapter."""
        return self.workshop.local_start.date()


@dataclass(frozen=True)
class Day:
    """A day, and what is on."""

    date: date
    workshops: list[Listing]


def upcoming(*, at: datetime) -> WorkshopQuerySet:
    """Workshops of active chapters that are not over, the next one first."""
    workshops = _of_active_chapters().filter(ends_at__gt=at)
    return workshops.order_by("starts_at", "pk")


def past(*, at: datetime) -> WorkshopQuerySet:
    """Workshops of active chapters that were held, the latest first."""
    workshops = _of_active_chapters().filter(ends_at__lte=at)
    return workshops.order_by("-starts_at", "-pk")


def listed(workshops: Collection[Workshop], *, at: datetime) -> list[Listing]:
    """These workshops in their order, with places and venue; two statements in all."""
    return [Listing(room, at) for room in overviews.rooms(workshops)]


def by_day(listings: Iterable[Listing], *, latest_first: bool = False) -> list[Day]:
    """
    Grouped by the day on the clocks of each chapter.

    Around the world the order of days is not quite that of moments, so they are sorted again.
    """
    in_order = sorted(listings, key=lambda listing: listing.day, reverse=latest_first)
    return [Day(day, list(there)) for day, there in groupby(in_order, lambda listing: listing.day)]


def next_days(*, at: datetime, most: int) -> tuple[list[Day], bool]:
    """
    The next days with workshops, about so many workshops in all, and whether there are more.

    A day is shown whole or not at all, unless that one day has more than fit.
    """
    workshops = list(upcoming(at=at)[: most + 1])
    days = by_day(listed(workshops, at=at))
    there_are_more = len(workshops) > most
    if there_are_more and len(days) > 1:
        days.pop()
    return days, there_are_more


def active_chapters() -> QuerySet[Chapter]:
    """Every chapter that takes part, by name."""
    return Chapter.objects.filter(is_active=True).order_by("name")


def recent_hosts(chapter: Chapter, *, at: datetime, most: int) -> QuerySet[Sponsor]:
    """Where the chapter met within a year, the latest venue first."""
    return (
        Sponsor.objects.filter(
            workshop_sponsors__is_host=True,
            workshop_sponsors__workshop__chapter=chapter,
            workshop_sponsors__workshop__cancelled_at__isnull=True,
            workshop_sponsors__workshop__starts_at__gt=at - RECENTLY,
            workshop_sponsors__workshop__starts_at__lte=at,
        )
        .annotate(last_at=Max("workshop_sponsors__workshop__starts_at"))
        .order_by("-last_at", "pk")[:most]
    )


def in_calendar(chapter: Chapter, *, at: datetime) -> WorkshopQuerySet:
    """
    What stands in the chapter's calendar: a year back, and all to come.

    A workshop that was called off stays in it and says so, or calendars would go on showing it.
    """
    workshops = chapter.workshops.filter(starts_at__gt=at - RECENTLY)
    return workshops.select_related("chapter").order_by("starts_at", "pk")


def organisers_of(chapter: Chapter) -> QuerySet[Member]:
    return chapter.organisers.filter(closed_at__isnull=True).order_by("name", "pk")


def invitation_of(member: Member, workshop: Workshop) -> Invitation | None:
    """The member's own invitation, where there is one."""
    return workshop.invitations.filter(member=member).first()


def is_organised_by(member: Member, workshop: Workshop) -> bool:
    return Workshop.objects.organised_by(member).filter(pk=workshop.pk).exists()


def joined_groups(member: Member, chapter: Chapter) -> set[int]:
    """The ids of the chapter's groups that the member is in."""
    return set(member.subscriptions.filter(group__chapter=chapter).values_list("group", flat=True))


def _of_active_chapters() -> WorkshopQuerySet:
    workshops: WorkshopQuerySet = Workshop.objects.select_related("chapter").filter(
        chapter__is_active=True, cancelled_at__isnull=True
    )
    return workshops
