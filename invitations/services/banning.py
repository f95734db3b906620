"""Suspending a member: the ban, the places it frees, and the letter that tells why."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from invitations import policies, tasks
from invitations.services import rsvps
from logs.models import Action
from logs.services import activities
from logs.services.logger import InvitationLogger
from members.models import Ban, Member

# Planner's four, in words that the member reads.
REASONS = (
    "Missed workshops without a word",
    "Violated the code of conduct",
    "Not eligible to take part",
    "Offensive behaviour",
)


class Refused(Exception):
    """Nothing was changed; `message` tells the organiser why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(Refused): ...


class EndsInThePast(Refused): ...


class AlreadyBanned(Refused): ...


@transaction.atomic
def ban(
    member: Member,
    *,
    by: Member,
    reason: str,
    note: str,
    explanation: str,
    expires_at: datetime | None,
    at: datetime,
    request_key: uuid.UUID,
) -> Ban:
    """
    Suspend the member, give their places to the next in line, and write to them.

    The same `request_key` again finds the same ban and changes nothing.

    :param note: for organisers
    :param explanation: for the member; it stands in the letter
    :param expires_at: when it ends; it never does without one
    :raises NotAllowed: when it is one's own account, an admin's, or that of a stranger
    :raises EndsInThePast: when it would be over already
    :raises AlreadyBanned: while another ban holds
    """
    ban, is_new = Ban.objects.get_or_create(
        request_key=request_key,
        defaults={
            "member": member,
            "added_by": by,
            "reason": reason,
            "note": note,
            "explanation": explanation,
            "expires_at": expires_at,
            "is_permanent": expires_at is None,
            "created_at": at,
        },
    )
    if is_new:
        _check_allowed(ban, at=at)
        activities.note("suspended this account", by=by, member=member, remark=reason)
        rsvps.release_places(member, at=at, by=by)
        _check_the_only_one(ban, at=at)
        _write(ban)
    return ban


@transaction.atomic
def lift(ban: Ban, *, by: Member, at: datetime) -> None:
    """
    End the ban now. No place is given back, and lifting twice changes nothing.

    :raises NotAllowed: when it is one's own, or that of a stranger
    """
    ban = (
        Ban.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member")
        .get(pk=ban.pk)
    )
    if not policies.can_lift_a_ban(by, ban.member):
        raise NotAllowed("Another organiser has to lift this suspension.")
    if not ban.is_active_at(at):
        return
    ban.expires_at, ban.is_permanent = at, False
    ban.save(update_fields=["expires_at", "is_permanent"])
    activities.note("lifted the suspension", by=by, member=ban.member)


def _check_allowed(ban: Ban, *, at: datetime) -> None:
    if ban.added_by == ban.member:
        raise NotAllowed("Nobody can suspend themselves.")
    if ban.member.is_superuser:
        raise NotAllowed("An admin cannot be suspended.")
    if not policies.can_ban(ban.added_by, ban.member):
        raise NotAllowed("Only organisers of a chapter this member belongs to can do that.")
    if not ban.is_active_at(at):
        raise EndsInThePast("A suspension must end in the future.")


def _check_the_only_one(ban: Ban, *, at: datetime) -> None:
    """Asked with the member locked, so that of two organisers at once one is told."""
    others = ban.member.bans.exclude(pk=ban.pk)
    if any(other.is_active_at(at) for other in others):
        raise AlreadyBanned("This account is suspended already. Lift that suspension first.")


def _write(ban: Ban) -> None:
    InvitationLogger().single(
        member=ban.member, workshop=None, action=Action.BAN, occasion=str(ban.pk)
    )
    transaction.on_commit(tasks.ring, robust=True)
