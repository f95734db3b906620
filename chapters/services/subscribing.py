"""Joining a group, and leaving it."""

from chapters.models import Group, Subscription
from members.models import Member


def subscribe(member: Member, group: Group) -> Subscription:
    """
    The member wants the letters of this group. Subscribing twice, even at once, is one row.

    Who wins is `one_subscription_per_member_and_group`'s to say; whoever comes second gets the
    row of the first.
    """
    subscription, _ = Subscription.objects.get_or_create(member=member, group=group)
    return subscription


def unsubscribe(member: Member, group: Group) -> None:
    """The member wants no more letters of this group. Unsubscribing twice changes nothing."""
    Subscription.objects.filter(member=member, group=group).delete()
