"""Full workshops, and people who wait for a place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from chapters.models import Workshop
from invitations.models import Answer, Invitation
from logs.models import Action, InvitationLogEntry
from tests.factories import InvitationFactory, WorkshopFactory


def full_workshop(**fields: Any) -> tuple[Workshop, Invitation]:
    """A workshop with one place for a student, and whoever has it."""
    workshop = WorkshopFactory(student_spaces=1, **fields)
    return workshop, InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)


def waiting(workshop: Workshop, *, minutes_ago: int, **fields: Any) -> Invitation:
    """Somebody in line since then."""
    return InvitationFactory(
        workshop=workshop,
        answer=Answer.WAITING,
        answered_at=timezone.now() - timedelta(minutes=minutes_ago),
        **fields,
    )


def answers(*invitations: Invitation) -> list[str]:
    """What each of them is answered now."""
    for invitation in invitations:
        invitation.refresh_from_db()
    return [invitation.answer for invitation in invitations]


def letters(action: Action) -> list[int]:
    """To whom such a single letter was written, the first one first."""
    entries = InvitationLogEntry.objects.filter(action=action, log=None)
    return list(entries.order_by("pk").values_list("member", flat=True))


def place_letters() -> list[int]:
    """Whom a letter tells that a place became theirs."""
    return letters(Action.PLACE)
