"""
What became of a member: how they answered, whether they came, and what was written to them.

Somebody may belong to several chapters. Whoever looks sees each invitation, letter and change of
the workshops that they organise, and of the other chapters how many there were: enough to see that
a person is a regular elsewhere, and no list of where they spend their evenings. What concerns the
account itself (suspensions, warnings, notes) holds everywhere, and so everybody sees it who looks
after the member in one chapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from chapters.models import Chapter, Subscription, Workshop
from invitations import policies
from invitations.models import Answer, Invitation
from logs.models import Activity, InvitationLogEntry
from members.models import Member, Notice

SIX_MONTHS = timedelta(days=183)
MISSED_OFTEN = 4
WARNED_OFTEN = 2


@dataclass(frozen=True)
class Attendance:
    """A member in numbers, over all chapters; those `elsewhere` are part of the others."""

    invited: int
    came: int
    missed: int
    coming: int
    invited_elsewhere: int
    came_elsewhere: int
    warned: int

    @property
    def is_new(self) -> bool:
        """Never marked as here, in whatever role (planner's rule)."""
        return self.came == 0

    @property
    def has_missed_often(self) -> bool:
        """More than three in six months, and warned twice in them (planner's rule)."""
        return self.missed >= MISSED_OFTEN and self.warned >= WARNED_OFTEN


@dataclass(frozen=True)
class Seen:
    """The rows of a history that somebody may see."""

    invitations: QuerySet[Invitation]
    letters: QuerySet[InvitationLogEntry]
    changes: QuerySet[Activity]


def missed(*, at: datetime) -> Q:
    """
    Of invitations: the places of the last six months that stayed empty.

    A workshop was missed by whoever had a place and was not marked as here; one at which nobody
    was marked had no list at the door, and counts for nobody.
    """
    marked = Invitation.objects.filter(workshop=OuterRef("workshop"), attended_at__isnull=False)
    return Q(
        Exists(marked),
        answer=Answer.ATTENDING,
        attended_at__isnull=True,
        workshop__cancelled_at__isnull=True,
        workshop__starts_at__gt=at - SIX_MONTHS,
        workshop__starts_at__lte=at,
    )


def attendance(member: Member, *, seen_by: Member, at: datetime) -> Attendance:
    """How often the member was invited, came and missed, in two statements."""
    elsewhere = ~Q(workshop__in=Workshop.objects.organised_by(seen_by))
    has_come = Q(attended_at__isnull=False)
    is_coming = Q(
        answer=Answer.ATTENDING,
        workshop__cancelled_at__isnull=True,
        workshop__starts_at__gt=at,
    )
    counts = member.invitations.aggregate(
        invited=Count("pk"),
        invited_elsewhere=Count("pk", filter=elsewhere),
        came=Count("pk", filter=has_come),
        came_elsewhere=Count("pk", filter=has_come & elsewhere),
        coming=Count("pk", filter=is_coming),
        missed=Count("pk", filter=missed(at=at)),
    )
    warnings = member.notices.filter(kind=Notice.Kind.ATTENDANCE, created_at__gt=at - SIX_MONTHS)
    return Attendance(**counts, warned=warnings.count())


def seen_of(member: Member, *, by: Member) -> Seen:
    """What this person may see of the member's history, the newest first."""
    workshops = Workshop.objects.organised_by(by)
    theirs = Q(workshop__in=workshops)
    if policies.can_look_after(by, member):
        chapters = Chapter.objects.organised_by(by)
        of_account = Q(workshop=None)
        letters = theirs | of_account & (Q(log=None) | Q(log__chapter__in=chapters))
        changes = theirs | of_account & (Q(chapter=None) | Q(chapter__in=chapters))
    else:
        letters = changes = theirs
    return Seen(
        invitations=member.invitations.filter(theirs)
        .select_related("workshop__chapter", "answered_by")
        .order_by("-workshop__starts_at", "-pk"),
        letters=member.log_entries.filter(letters)
        .select_related("log", "workshop__chapter")
        .prefetch_related("bounces")
        .order_by("-pk"),
        changes=member.activities.filter(changes)
        .select_related("by", "member", "workshop__chapter", "chapter")
        .order_by("-at", "-pk"),
    )


def subscriptions_seen(member: Member, *, by: Member) -> QuerySet[Subscription]:
    """The groups the member is in, of the chapters this person organises."""
    return (
        member.subscriptions.filter(group__chapter__in=Chapter.objects.organised_by(by))
        .select_related("group__chapter")
        .order_by("group__chapter__name", "-group__role", "group__name")
    )
