"""
Who may see which member, and do what about them. Each rule stands here once.

Whoever organises a chapter *looks after* its people: everybody who is subscribed to one of its
groups or was ever invited by it. Whoever organises a single workshop and not its chapter sees the
people who were invited to it, and nothing that is meant for those who look after them: no address,
no note, no warning, and no reason of a suspension. Admins look after everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet

from chapters.models import Chapter, Subscription, Workshop
from invitations.models import Invitation
from members.models import Member, MemberQuerySet, Note

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    User = Member | AnonymousUser


def members_visible_to(user: User) -> MemberQuerySet:
    """Whose page this person may open, each member once; nobody's for a plain member."""
    return _members(user, invited_to=Workshop.objects.organised_by(user))


def members_looked_after_by(user: User) -> MemberQuerySet:
    """Whose address, notes, suspensions and warnings this person may see, and add to."""
    chapters = Chapter.objects.organised_by(user)
    return _members(user, invited_to=Workshop.objects.filter(chapter__in=chapters))


def can_look_after(user: User, member: Member) -> bool:
    return members_looked_after_by(user).filter(pk=member.pk).exists()


def can_ban(user: User, member: Member) -> bool:
    """Whoever looks after the member; nobody suspends themselves, and nobody an admin."""
    return not member.is_superuser and can_lift_a_ban(user, member)


def can_lift_a_ban(user: User, member: Member) -> bool:
    """Whoever looks after the member; nobody lifts their own."""
    return member.pk != user.pk and can_look_after(user, member)


def notes_deletable_by(user: User) -> QuerySet[Note]:
    """What one wrote oneself; everything for an admin."""
    if not user.is_authenticated:
        return Note.objects.none()
    return Note.objects.all() if user.is_superuser else Note.objects.filter(author=user)


def organises_anything(user: User) -> bool:
    """Whether there is anything that this person organises, be it a single workshop."""
    return (
        Chapter.objects.organised_by(user).exists() or Workshop.objects.organised_by(user).exists()
    )


def _members(user: User, *, invited_to: QuerySet[Workshop]) -> MemberQuerySet:
    members: MemberQuerySet = Member.objects.all()
    if not user.is_authenticated:
        return members.none()
    if user.is_superuser:
        return members
    subscribed = Subscription.objects.filter(
        member=OuterRef("pk"), group__chapter__in=Chapter.objects.organised_by(user)
    )
    invited = Invitation.objects.filter(member=OuterRef("pk"), workshop__in=invited_to)
    return members.filter(Q(Exists(subscribed)) | Q(Exists(invited)))
