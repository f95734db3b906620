"""Which groups a member is in, and which there are to join."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.functions import Lower

from chapters.models import Chapter, Group, Subscription
from members.models import Member


@dataclass(frozen=True)
class Choice:
    """A chapter, and each of its groups with whether the member is in it."""

    chapter: Chapter
    groups: list[tuple[Group, bool]]

    @property
    def joined(self) -> list[Group]:
        return [group for group, is_joined in self.groups if is_joined]

    @property
    def can_be_joined(self) -> bool:
        return self.chapter.is_active


def choices(member: Member) -> list[Choice]:
    """
    Every active chapter that has groups, by city; and one that takes a break while the member is
    still in a group of it. Three statements, however many chapters there are.
    """
    joined = set(member.subscriptions.values_list("group", flat=True))
    is_in_it = Exists(Subscription.objects.filter(member=member, group__chapter=OuterRef("pk")))
    has_groups = Exists(Group.objects.filter(chapter=OuterRef("pk")))
    chapters = Chapter.objects.filter(Q(is_active=True) & has_groups | is_in_it)
    groups = Prefetch("groups", Group.objects.order_by("-role", Lower("name"), "pk"))
    return [
        Choice(chapter, [(group, group.pk in joined) for group in chapter.groups.all()])
        for chapter in chapters.prefetch_related(groups).order_by(
            Lower("city"), Lower("name"), "pk"
        )
    ]


def choice(member: Member, chapter: Chapter) -> Choice:
    """The same for one chapter."""
    joined = set(member.subscriptions.values_list("group", flat=True))
    groups = chapter.groups.order_by("-role", Lower("name"), "pk")
    return Choice(chapter, [(group, group.pk in joined) for group in groups])
