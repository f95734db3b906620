"""
Joining a group, and leaving it.

Who left is remembered, so that no list from elsewhere puts them back; joining again ends that.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from chapters.models import Departure, Group, Subscription
from members.models import Member


@transaction.atomic
def subscribe(member: Member, group: Group) -> Subscription:
    """
    The member wants the letters of this group. Subscribing twice, even at once, is one row.

    Who wins is `one_subscription_per_member_and_group`'s to say; whoever comes second gets the
    row of the first.
    """
    Departure.objects.filter(member=member, group=group).delete()
    subscription, _ = Subscription.objects.get_or_create(member=member, group=group)
    return subscription


@transaction.atomic
def unsubscribe(subscriptions: QuerySet[Subscription], *, at: datetime) -> list[Group]:
    """
    No more letters of these groups to those members. Unsubscribing twice changes nothing.

    :returns: the groups that were left by this call, each with its chapter
    """
    ended = list(
        subscriptions.select_for_update(of=("self",))
        .select_related("group__chapter")
        .order_by("group__chapter__name", "group__name", "pk")
    )
    Subscription.objects.filter(pk__in=[row.pk for row in ended]).delete()
    Departure.objects.bulk_create(
        (Departure(member_id=row.member_id, group=row.group, left_at=at) for row in ended),
        ignore_conflicts=True,
    )
    return [row.group for row in ended]
