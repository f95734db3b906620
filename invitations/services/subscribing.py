"""
Joining the groups of a chapter and leaving them, as members do it for themselves.

The member is locked first, so that of joining, leaving and closing the account at the same moment
each one sees what the others did.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from chapters.models import Group, Subscription
from chapters.services import subscribing
from invitations import tasks
from logs.models import Action
from logs.services import activities
from logs.services.logger import InvitationLogger
from members.models import Member


class Refused(Exception):
    """Nothing was changed; `message` tells the member why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class GroupGone(Refused): ...


class ChapterResting(Refused): ...


class AccountClosed(Refused): ...


@transaction.atomic
def join(member: Member, group: Group) -> bool:
    """
    The member wants the letters of this group, and is welcomed: once for each role, for ever.

    Joining twice, even at once, changes nothing; nor does leaving and joining again bring a
    second welcome (planner's rule).

    :returns: whether they were not in it before
    :raises GroupGone, ChapterResting, AccountClosed: when it cannot be joined
    """
    member = _locked(member)
    if member.closed_at:
        raise AccountClosed(_("This account is closed."))
    group = _held(group)
    if Subscription.objects.filter(member=member, group=group).exists():
        return False
    if not group.chapter.is_active:
        raise ChapterResting(
            _("%(chapter)s takes a break, so nobody can join it now.") % {"chapter": group.chapter}
        )
    subscribing.subscribe(member, group)
    activities.note(
        f"joined the group {group.name}", by=member, chapter=group.chapter, member=member
    )
    InvitationLogger().single(
        member=member, workshop=None, action=Action.WELCOME, occasion=group.role
    )
    transaction.on_commit(tasks.ring, robust=True)
    return True


@transaction.atomic
def leave(
    member: Member, subscriptions: QuerySet[Subscription] | None = None, *, at: datetime
) -> list[Group]:
    """
    The member wants no more letters of these groups. Leaving twice changes nothing.

    A place they have stays theirs. Every claim asks the subscriptions again, so an invitation
    that is not yet on its way is not sent any more.

    :param subscriptions: which of theirs; all of them where nothing is said
    :returns: the groups that were left by this call, each with its chapter
    """
    member = _locked(member)
    theirs = Subscription.objects.all() if subscriptions is None else subscriptions
    groups = subscribing.unsubscribe(theirs.filter(member=member), at=at)
    for group in groups:
        activities.note(
            f"left the group {group.name}", by=member, chapter=group.chapter, member=member
        )
    return groups


def _locked(member: Member) -> Member:
    locked: Member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    return locked


def _held(group: Group) -> Group:
    """The group, fresh, and not deleted before this is over."""
    held = Group.objects.select_for_update(no_key=True, of=("self",)).select_related("chapter")
    found = held.filter(pk=group.pk).first()
    if found is None:
        raise GroupGone(_("This group does not exist any more."))
    return found
