"""Who has not answered, and was not asked yet whether they can come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.db.models import Case, Exists, F, OuterRef, QuerySet, TextField, Value, When

from chapters.models import Workshop
from invitations.queries import audiences, reminders
from invitations.queries.audiences import Reach
from logs.models import (
    LIVE_ENTRY_STATUSES,
    LIVE_LOG_STATUSES,
    Action,
    Audience,
    InvitationLog,
    InvitationLogEntry,
)

if TYPE_CHECKING:
    from invitations.queries.audiences import Invitee

ASKED = "has been asked already"


def silent(workshop: Workshop) -> QuerySet[Invitee]:
    """
    Everybody who was sent an invitation and has not answered, each with the first `reason` for
    which they are not asked now ("" for those who are).
    """
    asked = InvitationLogEntry.objects.filter(
        workshop=workshop,
        member=OuterRef("pk"),
        action=Action.NUDGE,
        occasion=reminders.occasion_of_start(workshop),
        status__in=LIVE_ENTRY_STATUSES,
    )
    reason = Case(
        When(Exists(asked), reason="", then=Value(ASKED)),
        default=F("reason"),
        output_field=TextField(),
    )
    people: QuerySet[Any] = audiences.audience_of(workshop, Audience.UNANSWERED)
    return cast("QuerySet[Invitee]", people.annotate(reason=reason))


def reach(workshop: Workshop) -> Reach:
    """The numbers beside the button, in one statement whatever the size of the chapter."""
    return audiences.reach_of(silent(workshop), Audience.UNANSWERED)


def live_log(workshop: Workshop) -> InvitationLog | None:
    """The log that is asking them now, if one is."""
    return workshop.invitation_logs.filter(
        action=Action.NUDGE,
        occasion=reminders.occasion_of_start(workshop),
        status__in=LIVE_LOG_STATUSES,
    ).first()
