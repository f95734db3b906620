"""
Who is reminded of a workshop, and when.

Once for each start: whoever has a place, and whoever waits for one. A workshop that moves has
another start, and its people are reminded of that.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import CharField, Exists, Func, OuterRef, Q

from chapters.models import Workshop
from invitations.models import Answer, Invitation
from logs.models import Action, Audience, InvitationLog

# Planner's moment: the day before an evening, with a night left to change one's plans.
FROM_BEFORE_THE_START = timedelta(hours=30)
# In the last hour people are on their way, and a letter that waits for the mail server comes late.
UNTIL_BEFORE_THE_START = timedelta(hours=1)
# Whoever answered so shortly before has a letter that says the same.
STILL_FRESH = timedelta(hours=6)


def occasion_of_start(workshop: Workshop) -> str:
    """The start as the ledger writes it: UTC, ISO 8601, such as 2026-12-09T18:30:00Z."""
    return workshop.starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def occasion_in_sql(starts_at: str) -> str:
    """`occasion_of_start` of this column, as an expression of PostgreSQL."""
    return f"""to_char({starts_at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


class OccasionOfStart(Func):
    template = occasion_in_sql("%(expressions)s")
    output_field = CharField()


def due(at: datetime) -> list[tuple[int, Audience]]:
    """
    The workshops, by id, whose people are to be reminded now, and which of them.

    One statement. There is nothing to do where a log of this start exists, in whatever state. Once
    answers are closed no place passes on, so whoever waits has nothing to look forward to.
    """
    done = InvitationLog.objects.filter(
        workshop=OuterRef("workshop"),
        audience=OuterRef("answer"),
        action=Action.REMINDER,
        occasion=OccasionOfStart(OuterRef("workshop__starts_at")),
    )
    can_still_get_a_place = Q(workshop__rsvp_closes_at=None) | Q(workshop__rsvp_closes_at__gt=at)
    to_remind = Invitation.objects.filter(
        ~Exists(done),
        Q(answer=Answer.ATTENDING) | can_still_get_a_place,
        Q(answered_at=None) | Q(answered_at__lte=at - STILL_FRESH),
        answer__in=[Answer.ATTENDING, Answer.WAITING],
        workshop__starts_at__gt=at + UNTIL_BEFORE_THE_START,
        workshop__starts_at__lte=at + FROM_BEFORE_THE_START,
        workshop__cancelled_at=None,
    )
    rows = to_remind.values_list("workshop", "answer").distinct().order_by("workshop", "answer")
    return [(workshop_id, Audience(answer)) for workshop_id, answer in rows]
