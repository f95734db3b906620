"""What a member sees of themselves: their workshops, those of their chapters, and their past."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower

from chapters.models import Chapter, Group, Sponsor, Subscription, Workshop
from invitations.models import Answer, Invitation
from invitations.queries import public
from invitations.queries.public import Listing
from members.models import Member

ATTENDING_OR_WAITING = (Answer.ATTENDING, Answer.WAITING)


@dataclass(frozen=True)
class Evening:
    """
    A workshop as it stands for one member.

    :param invitation: theirs, where they have one
    :param position: their place in line, the first is 1; 0 where they do not wait
    """

    listing: Listing
    invitation: Invitation | None
    position: int = 0

    @property
    def workshop(self) -> Workshop:
        return self.listing.workshop

    @property
    def host(self) -> Sponsor | None:
        return self.listing.host

    @property
    def is_unanswered(self) -> bool:
        """They were asked, can still answer, and have not."""
        return (
            self.invitation is not None
            and self.invitation.answer == Answer.NONE
            and self.listing.is_open
        )


@dataclass(frozen=True)
class Mine:
    """
    What is coming up for a member.

    :param held: where they have a place or wait for one, also when it is cancelled
    :param others: the next workshops of their chapters
    :param others_in_all: how many of those there are
    """

    held: list[Evening]
    others: list[Evening]
    others_in_all: int

    @property
    def unanswered(self) -> list[Evening]:
        return [evening for evening in self.others if evening.is_unanswered]


@dataclass(frozen=True)
class Counts:
    """How many invitations there are of each kind."""

    upcoming: int
    attended: int
    in_all: int


def coming_up(member: Member, *, at: datetime, most: int) -> Mine:
    """A handful of statements, however many workshops there are."""
    held = list(
        _invitations(member)
        .filter(answer__in=ATTENDING_OR_WAITING, workshop__ends_at__gt=at)
        .order_by("workshop__starts_at", "pk")
    )
    others = public.upcoming(at=at).filter(
        Exists(Subscription.objects.filter(member=member, group__chapter=OuterRef("chapter"))),
        ~Exists(
            Invitation.objects.filter(
                member=member, workshop=OuterRef("pk"), answer__in=ATTENDING_OR_WAITING
            )
        ),
    )
    next_ones = list(others[:most])
    theirs = {row.workshop_id: row for row in member.invitations.filter(workshop__in=next_ones)}
    listings = public.listed([row.workshop for row in held] + next_ones, at=at)
    return Mine(
        held=_evenings(held, listings[: len(held)]),
        others=[
            Evening(listing, theirs.get(listing.workshop.pk)) for listing in listings[len(held) :]
        ],
        others_in_all=others.count(),
    )


def invitations(member: Member, *, at: datetime, show: str) -> QuerySet[Invitation]:
    """
    The member's invitations: those to workshops to come with the next one first, or those where
    they were, or all of them with the latest first.

    :param show: "upcoming", "attended" or "all"
    """
    rows = _invitations(member)
    if show == "upcoming":
        return rows.filter(_is_upcoming(at)).order_by("workshop__starts_at", "pk")
    if show == "attended":
        rows = rows.filter(attended_at__isnull=False)
    return rows.order_by("-workshop__starts_at", "-pk")


def counts(member: Member, *, at: datetime) -> Counts:
    return Counts(
        **member.invitations.aggregate(
            upcoming=Count("pk", filter=_is_upcoming(at)),
            attended=Count("pk", filter=Q(attended_at__isnull=False)),
            in_all=Count("pk"),
        )
    )


def evenings(rows: Collection[Invitation], *, at: datetime) -> list[Evening]:
    """These invitations in their order, with places and venue; two statements in all."""
    return _evenings(rows, public.listed([row.workshop for row in rows], at=at))


def chapters_of(member: Member) -> list[tuple[Chapter, list[Group]]]:
    """The chapters whose groups the member is in, by city, each with these groups."""
    groups = (
        Group.objects.filter(subscriptions__member=member)
        .select_related("chapter")
        .order_by(Lower("chapter__city"), "chapter__name", "-role", "name", "pk")
    )
    return [(chapter, list(theirs)) for chapter, theirs in groupby(groups, lambda g: g.chapter)]


def _is_upcoming(at: datetime) -> Q:
    return Q(workshop__ends_at__gt=at)


def _invitations(member: Member) -> QuerySet[Invitation]:
    """With their place in line, which is that of `Invitation.waiting`."""
    in_front = Q(answered_at__lt=OuterRef("answered_at")) | Q(
        answered_at=OuterRef("answered_at"), pk__lte=OuterRef("pk")
    )
    line = (
        Invitation.objects.filter(
            in_front,
            workshop=OuterRef("workshop"),
            role=OuterRef("role"),
            answer=Answer.WAITING,
        )
        .order_by()
        .values("workshop")
        .annotate(people=Count("pk"))
        .values("people")
    )
    return member.invitations.select_related("workshop__chapter").annotate(
        position=Coalesce(Subquery(line), 0)
    )


def _evenings(rows: Collection[Invitation], listings: Collection[Listing]) -> list[Evening]:
    return [
        Evening(listing, row, row.position if row.is_waiting else 0)  # type: ignore[attr-defined]
        for row, listing in zip(rows, listings, strict=True)
    ]
