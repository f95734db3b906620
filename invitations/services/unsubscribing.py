"""
Stopping letters by a link that needs nothing but itself (RFC 8058).

The link says whom and what it stops, signed with a salt of its own; nothing is stored for it, and
it opens nothing else. Every claim asks the subscriptions again, so a letter not yet on its way is
not sent any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.signing import BadSignature, Signer, b64_encode
from django.db import models
from django.utils.crypto import salted_hmac

from chapters.models import Chapter, Group, Role, Subscription
from invitations.services import subscribing
from members.models import Member

SALT = "invitations.unsubscribing"
EVERY_CHAPTER = 0
_signer = Signer(salt=SALT, sep=".")  # a dot stays part of a link in text
# The signer would derive its key anew for each of the thousands of links of a batch.
_keyed = salted_hmac(f"{SALT}signer", b"", _signer.key, algorithm=_signer.algorithm)


class UnknownLink(Exception):
    """Not a link of ours, or not the whole of it."""


class Scope(models.TextChoices):
    """How much somebody wants to stop: what the link is for, all of its chapter, or everything."""

    THESE = "these"
    CHAPTER = "chapter"
    EVERYTHING = "everything"


@dataclass(frozen=True)
class Letters:
    """
    What one link stops: the letters to one member in one role, of one chapter or, where the
    letter was about no chapter, of all.
    """

    member: Member
    chapter: Chapter | None
    role: Role

    @property
    def are_for_coaches(self) -> bool:
        return self.role == Role.COACH

    def come_from(self, group: Group, scope: Scope) -> bool:
        """Whether so much of stopping means to leave this group."""
        if scope == Scope.EVERYTHING:
            return True
        if self.chapter and group.chapter != self.chapter:
            return False
        return group.role == self.role or (scope == Scope.CHAPTER and self.chapter is not None)


@dataclass(frozen=True)
class Standing:
    """
    What a member gets now.

    :param groups: all they are in, each with its chapter
    :param scopes: how much there is to stop, the least first; each stops more than the one before
    """

    groups: list[Group]
    scopes: list[Scope]

    @property
    def has_stopped(self) -> bool:
        return Scope.THESE not in self.scopes


def token_for(*, member_id: int, chapter_id: int, role: Role) -> str:
    """
    The last part of the link: ASCII, safe in an address, and always the same.

    :param chapter_id: `EVERY_CHAPTER` in a letter that is about none
    """
    said = b64_encode(f'[{member_id},{chapter_id},"{role}"]'.encode())
    seal = _keyed.copy()
    seal.update(said)
    return f"{said.decode()}.{b64_encode(seal.digest()).decode()}"


def letters_of(token: str) -> Letters:
    """
    What the link with this token stops.

    :raises UnknownLink: when we did not sign it, or what it is about is gone
    """
    try:
        member_id, chapter_id, role = _signer.unsign_object(token)
        chapter = Chapter.objects.get(pk=chapter_id) if chapter_id != EVERY_CHAPTER else None
        return Letters(Member.objects.get(pk=member_id), chapter, Role(role))
    except (BadSignature, Chapter.DoesNotExist, Member.DoesNotExist) as error:
        raise UnknownLink from error


def unsubscribe(letters: Letters, *, scope: Scope = Scope.THESE, at: datetime) -> list[Group]:
    """
    Leave the groups that these letters come from, or more. Leaving twice changes nothing.

    :returns: the groups that were left by this call
    """
    groups = [group for group in _groups_of(letters.member) if letters.come_from(group, scope)]
    return subscribing.leave(letters.member, Subscription.objects.filter(group__in=groups), at=at)


def standing(letters: Letters) -> Standing:
    """What the member gets now, and what of it can be stopped; one statement."""
    groups = _groups_of(letters.member)
    scopes: list[Scope] = []
    stopped = 0
    for scope in Scope:
        would_stop = sum(letters.come_from(group, scope) for group in groups)
        if would_stop > stopped:
            scopes.append(scope)
            stopped = would_stop
    return Standing(groups, scopes)


def _groups_of(member: Member) -> list[Group]:
    groups = Group.objects.filter(subscriptions__member=member).select_related("chapter")
    return list(groups.order_by("chapter__name", "-role", "name"))
