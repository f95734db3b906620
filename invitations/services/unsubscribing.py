"""
Stopping the letters of a chapter's groups, by a link that needs nothing but itself (RFC 8058).

The link says whom and what it stops, signed with a salt of its own; nothing is stored for it, and
it opens nothing else. Every claim asks the subscriptions again, so a letter not yet on its way is
not sent any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer, b64_encode
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from chapters.models import Chapter, Role, Subscription

SALT = "invitations.unsubscribing"
_signer = Signer(salt=SALT, sep=".")  # a dot stays part of a link in text
# The signer would derive its key anew for each of the thousands of links of a batch.
_keyed = salted_hmac(f"{SALT}signer", b"", _signer.key, algorithm=_signer.algorithm)


class UnknownLink(Exception):
    """Not a link of ours, or not the whole of it."""


@dataclass(frozen=True)
class Letters:
    """What one link stops: the letters of a chapter to one member, in one role."""

    member_id: int
    chapter: Chapter
    role: Role

    @property
    def are_for_coaches(self) -> bool:
        return self.role == Role.COACH

    def subscriptions(self) -> QuerySet[Subscription]:
        return Subscription.objects.filter(
            member_id=self.member_id, group__chapter=self.chapter, group__role=self.role
        )


def token_for(*, member_id: int, chapter_id: int, role: Role) -> str:
    """The last part of the link: ASCII, safe in an address, and always the same."""
    said = b64_encode(f'[{member_id},{chapter_id},"{role}"]'.encode())
    seal = _keyed.copy()
    seal.update(said)
    return f"{said.decode()}.{b64_encode(seal.digest()).decode()}"


def letters_of(token: str) -> Letters:
    """
    What the link with this token stops.

    :raises UnknownLink: when we did not sign it
    """
    try:
        member_id, chapter_id, role = _signer.unsign_object(token)
    except BadSignature as error:
        raise UnknownLink from error
    return Letters(member_id, Chapter.objects.get(pk=chapter_id), Role(role))


def unsubscribe(letters: Letters) -> None:
    """Leave every group of this role in this chapter. Leaving twice changes nothing."""
    letters.subscriptions().delete()
