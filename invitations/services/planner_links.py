"""
Links with which planner's letters end: /unsubscribe/SIGNED.

Planner signed a member's id with its secret (PLANNER_SECRET), for ever: base64 of the id as JSON,
or in older letters as Ruby marshals a whole number, then `--` and the HMAC-SHA1 of that in hex.
There such a link signed the member in. Here it leads to a link of our own, which can only stop
letters.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode
from hashlib import sha1

from django.conf import settings

from chapters.models import Role
from invitations.services.unsubscribing import EVERY_CHAPTER, UnknownLink, token_for
from logs.models import ImportFinding
from members.models import Member

MARSHALLED = b"\x04\x08i"  # version 4.8, and a whole number
LARGEST_IN_ONE_BYTE = 122
OFFSET_OF_ONE_BYTE = 5


def our_token(signed: str) -> str:
    """
    The token of our own link to stop letters, for whom planner's link was.

    :raises UnknownLink: when planner did not sign it, we were not told its secret, or there is
        nobody of this id
    """
    member = _member(member_id_in(signed, secret=settings.PLANNER_SECRET))
    roles = set(member.groups.values_list("role", flat=True))
    role = Role.COACH if roles == {Role.COACH} else Role.STUDENT
    return token_for(member_id=member.pk, chapter_id=EVERY_CHAPTER, role=role)


def member_id_in(signed: str, *, secret: str) -> int:
    """:raises UnknownLink: when it is not signed with this secret, or says no number"""
    said, _, seal = signed.rpartition("--")
    right = hmac.new(secret.encode(), said.encode(), sha1).hexdigest()
    if not secret or not hmac.compare_digest(seal.encode(), right.encode()):
        raise UnknownLink
    try:
        return _whole_number(b64decode(said, validate=True))
    except ValueError as error:
        raise UnknownLink from error


def _whole_number(said: bytes) -> int:
    """:raises ValueError: when it says something else"""
    if said.startswith(MARSHALLED):
        return _unmarshalled(said.removeprefix(MARSHALLED))
    number = json.loads(said)
    if type(number) is not int:
        raise ValueError(f"not a number but a {type(number).__name__}")
    return number


def _unmarshalled(packed: bytes) -> int:
    """Small numbers in one byte; others as how many bytes, and these, the lowest first."""
    first, rest = packed[:1], packed[1:]
    if first and OFFSET_OF_ONE_BYTE < first[0] <= LARGEST_IN_ONE_BYTE + OFFSET_OF_ONE_BYTE:
        number, expected = first[0] - OFFSET_OF_ONE_BYTE, 0
    else:
        number, expected = int.from_bytes(rest, "little"), int.from_bytes(first)
    if len(rest) != expected or not number:
        raise ValueError("not a whole number of Ruby's")
    return number


def _member(member_id: int) -> Member:
    """Also of an account that the import merged into another."""
    merged = ImportFinding.objects.filter(table="members", old_id=member_id, outcome="merged")
    into = merged.values_list("into_id", flat=True).first()
    try:
        member: Member = Member.objects.get(pk=into or member_id)
    except Member.DoesNotExist as error:
        raise UnknownLink from error
    return member
