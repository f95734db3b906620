"""Becoming a member, and being known again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.models import Language, Member, normalize_email
from members.services import addresses


class NoConfirmedAddress(Exception):
    """A provider vouches for no address of this person, so nobody can be found by one."""

    message = _(
        "No confirmed e-mail address came with this account, so we cannot tell who you are. "
        "Sign in with a code instead."
    )


@dataclass(frozen=True)
class Identity:
    """An account elsewhere: its provider, such as github, and what the provider knows it by."""

    provider: str
    uid: str


def by_address(email: str, *, language: Language) -> Member:
    """
    The member with this address, or a new one where there is none. Asked twice at once, there is
    still one.

    Only for whoever has just proved to read its letters, with a code or by a provider's word. So
    an address that refused a letter before is usable again; not one where a letter was marked as
    unwanted, since reading our letters is not wanting them.
    """
    member, _is_new = Member.objects.get_or_create(
        email=normalize_email(email),
        defaults={"language": language, "password": make_password(None)},
    )
    if member.address_unusable_at and member.closed_at is None:
        addresses.mark_usable(member)
    return member  # type: ignore[no-any-return]


@transaction.atomic
def by_identity(
    identity: Identity,
    *,
    addresses: Sequence[str],
    also_known_as: Identity | None = None,
    language: Language,
) -> Member:
    """
    The member behind an account elsewhere, which is remembered from now on: whoever it belonged to
    before, or else whoever has one of these addresses or was known by one in planner, or else a new
    member with the first one.

    :param addresses: the ones that the provider has confirmed, the preferred one first
    :param also_known_as: an older account that the provider vouches for; it counts more than an
        address, since people change theirs (planner's github_id)
    :raises NoConfirmedAddress: when nothing leads to anybody
    """
    member = (
        _owner_of(identity)
        or (also_known_as and _owner_of(also_known_as))
        or _reader_of(addresses)
        or _known_by_address(identity.provider, addresses)
    )
    if member is None:
        if not addresses:
            raise NoConfirmedAddress
        member = by_address(addresses[0], language=language)
    # Locked, since the account may be closing at this moment.
    locked: Member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if locked.closed_at:
        return locked
    account, _is_new = SocialAccount.objects.get_or_create(
        provider=identity.provider, uid=identity.uid, defaults={"user": locked}
    )
    return account.user  # type: ignore[no-any-return]


def accept_terms(member: Member, *, at: datetime) -> None:
    """Note when the terms and the code of conduct were accepted; the first time stays."""
    Member.objects.filter(pk=member.pk, accepted_terms_at__isnull=True).update(accepted_terms_at=at)


def _owner_of(identity: Identity) -> Member | None:
    account = (
        SocialAccount.objects.filter(provider=identity.provider, uid=identity.uid)
        .select_related("user")
        .first()
    )
    return account.user if account else None


def _reader_of(addresses: Sequence[str]) -> Member | None:
    """Of several, the one whose address is preferred."""
    wanted = [normalize_email(address) for address in addresses]
    found = {member.email: member for member in Member.objects.filter(email__in=wanted)}
    return next((found[address] for address in wanted if address in found), None)


def _known_by_address(provider: str, addresses: Sequence[str]) -> Member | None:
    """Planner knew people of an OpenID Connect provider by their address of the first day."""
    wanted = [normalize_email(address) for address in addresses]
    known = SocialAccount.objects.filter(provider=provider, uid__in=wanted).order_by("pk")
    account = known.select_related("user").first()
    return account.user if account else None
