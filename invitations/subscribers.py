"""Who is subscribed to a chapter, to which of its groups, and why somebody gets no letter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict, cast

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Value
from django.db.models.functions import Concat, Lower

from chapters.models import Chapter, Group, Role, Subscription
from invitations.queries import NOT_ELIGIBLE, subscribed, why_not_eligible
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


def people(chapter: Chapter, wanted: Wanted) -> QuerySet[Subscriber]:
    """
    The subscribers who are wanted, each once, by name.

    Each has the first `reason` for which they get no letter ("" for who is eligible), and in
    `subscriptions_here` their subscriptions to groups of this chapter.
    """
    here = Subscription.objects.filter(group__chapter=chapter).select_related("group")
    return (
        _found(chapter, wanted)
        .prefetch_related(
            Prefetch("subscriptions", here.order_by("group__name"), to_attr="subscriptions_here")
        )
        .order_by(Lower("name"), Lower("surname"), "pk")
    )


def by_reason(chapter: Chapter, wanted: Wanted) -> list[tuple[str, int]]:
    """How many with such a name in that group are eligible (""), and how many not, by reason."""
    found = _found(chapter, replace(wanted, reason=None)).order_by()
    counts = dict(found.values_list("reason").annotate(people=Count("pk")))
    return [(reason, counts.get(reason, 0)) for reason in ("", *NOT_ELIGIBLE)]


def by_group(chapter: Chapter, wanted: Wanted) -> list[tuple[Group, int]]:
    """How many with such a name and reason are in each group; who is in several counts in each."""
    found = _found(chapter, replace(wanted, group=None)).values("pk")
    subscriptions = Subscription.objects.filter(group__chapter=chapter, member__in=found)
    counts = dict(subscriptions.values_list("group").annotate(people=Count("pk")).order_by())
    groups = chapter.groups.order_by("-role", "name", "pk")
    return [(group, counts.get(group.pk, 0)) for group in groups]


def in_several_groups(chapter: Chapter) -> int:
    """How many people are in more than one group of the chapter."""
    groups = Subscription.objects.filter(group__chapter=chapter).values("member")
    return groups.annotate(groups=Count("pk")).filter(groups__gt=1).order_by().count()


def _found(chapter: Chapter, wanted: Wanted) -> QuerySet[Subscriber]:
    found = subscribed(chapter, *Role).annotate(reason=why_not_eligible())
    if wanted.group is not None:
        theirs = Subscription.objects.filter(member=OuterRef("pk"), group=wanted.group)
        found = found.filter(Exists(theirs))
    if wanted.reason is not None:
        found = found.filter(reason=wanted.reason)
    if wanted.name:
        full_name = Concat(F("name"), Value(" "), F("surname"))
        found = found.alias(whole_name=full_name).filter(whole_name__icontains=wanted.name)
    return cast("QuerySet[Subscriber]", found)
