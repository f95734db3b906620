"""The mailing groups of a chapter, and taking somebody out of one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from chapters.models import Chapter, Group, Role, Subscription
from chapters.services import subscribing
from logs.services import activities
from members.models import Member


class Refused(Exception):
    """Nothing was saved; `message` tells why."""

    message = "This group cannot be changed."

    def __init__(self) -> None:
        super().__init__(self.message)


class NameTaken(Refused):
    message = "This chapter already has a group of that name."


class HasSubscribers(Refused):
    message = "People are subscribed to this group, so it cannot be deleted."


@transaction.atomic
def add(chapter: Chapter, *, name: str, role: Role, description: str, by: Member) -> Group:
    """
    A new group of the chapter. The same form sent twice makes one group, and both get it.

    :raises NameTaken: when the chapter has another group of that name, however it is capitalised
    """
    Chapter.objects.locked().get(pk=chapter.pk)
    same = chapter.groups.filter(name=name, role=role, description=description).first()
    if same:
        return same
    _check_name(chapter, name)
    group: Group = chapter.groups.create(name=name, role=role, description=description)
    activities.note(f"added the group {name}", by=by, chapter=chapter)
    return group


@transaction.atomic
def change(group: Group, *, name: str, description: str, by: Member) -> None:
    """
    Rename or describe a group. Whom it is for stays, since people joined it as that.

    :raises NameTaken: as above
    """
    Chapter.objects.locked().get(pk=group.chapter.pk)
    _check_name(group.chapter, name, but=group)
    before = Group.objects.get(pk=group.pk)
    values = {
        "Name": (before.name, name),
        "Description": (before.description, description),
    }
    changes = {label: (old, new) for label, (old, new) in values.items() if old != new}
    group.name, group.description = name, description
    if changes:
        group.save(update_fields=["name", "description"])
        activities.note(
            f"changed the group {before.name}", by=by, chapter=group.chapter, changes=changes
        )


@transaction.atomic
def delete(group: Group, *, by: Member) -> None:
    """
    Delete a group that nobody is subscribed to. Deleting it twice changes nothing.

    :raises HasSubscribers: when somebody is
    """
    locked = Group.objects.select_for_update().filter(pk=group.pk)  # whoever subscribes now waits
    if not locked:
        return
    if group.subscriptions.exists():
        raise HasSubscribers
    group.departures.all().delete()  # nobody can be put back into it
    locked.delete()
    activities.note(f"deleted the group {group.name}", by=by, chapter=group.chapter)


@transaction.atomic
def take_out(member: Member, *, group: Group, by: Member, at: datetime) -> bool:
    """
    The member gets no more letters of this group, until they subscribe again; no list that is
    imported puts them back.

    :returns: whether they were in it
    """
    theirs = Subscription.objects.filter(member=member, group=group)
    left = subscribing.unsubscribe(theirs, at=at)
    if left:
        activities.note(
            f"took somebody out of the group {group.name}",
            by=by,
            chapter=group.chapter,
            member=member,
        )
    return bool(left)


def _check_name(chapter: Chapter, name: str, *, but: Group | None = None) -> None:
    others = chapter.groups.exclude(pk=but.pk) if but else chapter.groups.all()
    if others.filter(name__iexact=name).exists():
        raise NameTaken
