"""Students whom we have not seen for a while (planner's three-month letter)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from chapters.models import Role, Subscription
from invitations.models import Invitation
from logs.models import Action, InvitationLogEntry
from members.models import Member

# Planner counts months; to the day they are as long as this.
QUIET_FOR = timedelta(days=91)
FORGOTTEN_AFTER = timedelta(days=365)


def missed(at: datetime) -> QuerySet[Member]:
    """
    Whoever came as a student within a year, not within three months, and may be written to; those
    who joined first come first.

    Coaching does not count, neither for nor against. Nobody who has a place or waits for one is
    missed, and nobody is told so twice, whatever became of the first letter.
    """
    as_student = Subscription.objects.filter(member=OuterRef("pk"), group__role=Role.STUDENT)
    came = Invitation.objects.filter(
        member=OuterRef("pk"),
        role=Role.STUDENT,
        attended_at__isnull=False,
        workshop__starts_at__gte=at - FORGOTTEN_AFTER,
    )
    came_lately = came.filter(workshop__starts_at__gte=at - QUIET_FOR)
    coming = Invitation.objects.held(at).filter(member=OuterRef("pk"))
    told = InvitationLogEntry.objects.filter(
        log=None, workshop=None, member=OuterRef("pk"), action=Action.HELLO
    )
    reachable: QuerySet[Member] = Member.objects.able_to_be_invited()
    return reachable.filter(
        Exists(as_student), Exists(came), ~Exists(came_lately), ~Exists(coming), ~Exists(told)
    ).order_by("pk")
