"""What closing an account would change, for the page that asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from chapters.models import Chapter
from invitations.models import Invitation
from members.models import Member


@dataclass(frozen=True)
class Consequences:
    """
    What would be given up.

    :param held: places, and places in line, at workshops to come
    :param groups: how many groups would be left
    :param organised: the chapters that would lose an organiser
    :param orphaned: those of them that would have none
    """

    held: list[Invitation]
    groups: int
    organised: list[Chapter]
    orphaned: list[Chapter]


def consequences(member: Member, *, at: datetime) -> Consequences:
    """Four statements."""
    held = member.invitations.held(at).select_related("workshop__chapter")
    others = Chapter.organisers.through.objects.filter(
        chapter=OuterRef("pk"), member__closed_at=None
    ).exclude(member=member)
    organised = member.organised_chapters.order_by("name")
    return Consequences(
        held=list(held.order_by("workshop__starts_at", "pk")),
        groups=member.subscriptions.count(),
        organised=list(organised),
        orphaned=list(organised.exclude(Exists(others))),
    )
