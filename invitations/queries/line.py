"""The waiting list, as somebody who is on it sees it."""

from __future__ import annotations

from django.db.models import Q

from chapters.models import Role
from invitations.models import Invitation


def position_of(invitation: Invitation) -> int:
    """The place in the line of its role; the first is 1. For somebody who waits."""
    line = invitation.workshop.invitations.for_role(Role(invitation.role)).waiting()
    up_to_here = Q(answered_at__lt=invitation.answered_at) | Q(
        answered_at=invitation.answered_at, pk__lte=invitation.pk
    )
    return line.filter(up_to_here).count()
