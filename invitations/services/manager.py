"""The front door of sending, under planner's name."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from chapters.models import Chapter, Role, Workshop
from invitations import queries
from invitations.services import inviting
from logs.models import InvitationLog
from members.models import Member


class InvitationManager:
    """Who can be invited, and one `send_…` per letter, each returning its log."""

    def chapter_students(self, chapter: Chapter) -> QuerySet[Member]:
        """The eligible students of a chapter, each of them once."""
        return queries.subscribed(chapter, Role.STUDENT).able_to_be_invited()

    def chapter_coaches(self, chapter: Chapter) -> QuerySet[Member]:
        """The eligible coaches of a chapter, each of them once."""
        return queries.subscribed(chapter, Role.COACH).able_to_be_invited()

    def send_workshop_emails(
        self,
        workshop: Workshop,
        audience: str,
        initiator: Member,
        *,
        seen_count: int | None = None,
    ) -> InvitationLog:
        """
        Invite students, coaches or everyone to a workshop, physical or virtual.

        :raises inviting.Refused: and nothing is written
        """
        return inviting.invite(
            workshop,
            audience=audience,
            initiator=initiator,
            at=timezone.now(),
            seen_count=seen_count,
        )
