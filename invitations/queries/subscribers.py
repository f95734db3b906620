"""Who is subscribed to a chapter, to which of its groups, and why somebody gets no letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Value
from django.db.models.functions import Concat, Lower

from chapters.models import Chapter, Group, Subscription
from invitations.queries.audiences import NOT_ELIGIBLE, why_not_eligible
from members.models import Member

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Annotations(TypedDict):
        reason: str

    Subscriber = WithAnnotations[Member, _Annotations]


@dataclass(frozen=True)
class Wanted:
    """Which subscribers: of one group, with one reason ("" for the eligible), with such a name."""

    group: int | None = None
    reason: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Found:
    """
    Some of the subscribers of a chapter.

    :param people: each once, by name, with the first `reason` for which they get no letter ("" for
        who is eligible) and, in `subscriptions_here`, their subscriptions to this chapter
    :param by_reason: how many of that group and name are eligible (""), and the others by reason
    :param by_group: how many of that reason and name are in each group, in several or not
    """

    people: QuerySet[Subscriber]
    by_reason: list[tuple[str, int]]
    by_group: list[tuple[Group, int]]
    wanted: Wanted

    @property
    def of_every_reason(self) -> int:
        return sum(count for _, count in self.by_reason)

    @property
    def count(self) -> int:
        if self.wanted.reason is None:
            return self.of_every_reason
        return dict(self.by_reason)[self.wanted.reason]


def find(chapter: Chapter, wanted: Wanted) -> Found:
    """Who is wanted, and how many one would find by another choice."""
    groups = list(chapter.groups.order_by("-role", "name", "pk"))
    chosen = [group for group in groups if wanted.group in (None, group.pk)]
    named = _named(wanted.name)
    people = _of_reason(named, wanted.reason).filter(_in(chosen))
    return Found(
        people=people.prefetch_related(_subscriptions_to(groups)).order_by(
            Lower("name"), Lower("surname"), "pk"
        ),
        by_reason=_by_reason(named.filter(_in(chosen))),
        by_group=_by_group(_of_reason(named, wanted.reason), groups),
        wanted=wanted,
    )


def in_several_groups(chapter: Chapter) -> int:
    """How many people are in more than one group of the chapter."""
    groups = Subscription.objects.filter(group__chapter=chapter).values("member")
    return groups.annotate(groups=Count("pk")).filter(groups__gt=1).order_by().count()


def _named(name: str) -> QuerySet[Subscriber]:
    members = Member.objects.annotate(reason=why_not_eligible())
    if name:
        whole_name = Concat(F("name"), Value(" "), F("surname"))
        members = members.alias(whole_name=whole_name).filter(whole_name__icontains=name)
    return cast("QuerySet[Subscriber]", members)


def _of_reason(members: QuerySet[Subscriber], reason: str | None) -> QuerySet[Subscriber]:
    return members if reason is None else members.filter(reason=reason)


def _in(groups: list[Group]) -> Exists:
    # Named one by one: PostgreSQL knows how many people they have, and would not of a chapter.
    return Exists(Subscription.objects.filter(member=OuterRef("pk"), group__in=groups))


def _subscriptions_to(groups: list[Group]) -> Prefetch[str]:
    here = Subscription.objects.filter(group__in=groups).select_related("group")
    return Prefetch("subscriptions", here.order_by("group__name"), to_attr="subscriptions_here")


def _by_reason(members: QuerySet[Subscriber]) -> list[tuple[str, int]]:
    counts = dict(members.values_list("reason").annotate(people=Count("pk")).order_by())
    return [(reason, counts.get(reason, 0)) for reason in ("", *NOT_ELIGIBLE)]


def _by_group(members: QuerySet[Subscriber], groups: list[Group]) -> list[tuple[Group, int]]:
    rows = members.filter(subscriptions__group__in=groups).values_list("subscriptions__group")
    counts = dict(rows.annotate(people=Count("pk")).order_by())
    return [(group, counts.get(group.pk, 0)) for group in groups]
