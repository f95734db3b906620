"""Who organises a chapter."""

from __future__ import annotations

from django.db import transaction

from chapters.models import Chapter
from logs.services import activities
from members.models import Member, normalize_email


class Refused(Exception):
    """Nobody was added or removed; `message` tells why."""

    message = "This cannot be done."

    def __init__(self) -> None:
        super().__init__(self.message)


class UnknownAddress(Refused):
    message = "No member has this address. Ask them which address they sign in with."


class AccountClosed(Refused):
    message = "This account is closed, so it cannot organise a chapter."


class LastOrganiser(Refused):
    message = "Somebody must organise the chapter. Add another organiser first."


@transaction.atomic
def add(chapter: Chapter, *, email: str, by: Member) -> Member:
    """
    Let the member with this address organise the chapter. Adding them twice changes nothing.

    :raises UnknownAddress, AccountClosed: when there is no such member, or no longer
    """
    Chapter.objects.locked().get(pk=chapter.pk)
    member: Member | None = Member.objects.filter(email=normalize_email(email)).first()
    if member is None:
        raise UnknownAddress
    if member.closed_at:
        raise AccountClosed
    if not chapter.organisers.contains(member):
        chapter.organisers.add(member)
        activities.note("added an organiser", by=by, chapter=chapter, member=member)
    return member


@transaction.atomic
def remove(chapter: Chapter, *, member: Member, by: Member) -> bool:
    """
    The member organises this chapter no longer. Workshops that they organise by name stay theirs.

    :returns: whether they did
    :raises LastOrganiser: when nobody else with an open account does, except for an admin
    """
    Chapter.objects.locked().get(pk=chapter.pk)
    if not chapter.organisers.contains(member):
        return False
    others = chapter.organisers.filter(closed_at=None).exclude(pk=member.pk)
    if not by.is_superuser and not others.exists():
        raise LastOrganiser
    chapter.organisers.remove(member)
    if member == by:
        activities.note("stopped organising the chapter", by=by, chapter=chapter)
    else:
        activities.note("removed an organiser", by=by, chapter=chapter, member=member)
    return True
