"""The front door of sending, under planner's name."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db.models import QuerySet
from django.utils import timezone

from chapters.models import Chapter, Role, Workshop
from invitations.queries import audiences
from invitations.services import inviting, messaging
from logs.models import InvitationLog
from members.models import Member


class InvitationManager:
    """Who can be invited, and one `send_…` per letter, each returning its log."""

    def chapter_students(self, chapter: Chapter) -> QuerySet[Member]:
        """The eligible students of a chapter, each of them once."""
        return audiences.subscribed(chapter, Role.STUDENT).able_to_be_invited()

    def chapter_coaches(self, chapter: Chapter) -> QuerySet[Member]:
        """The eligible coaches of a chapter, each of them once."""
        return audiences.subscribed(chapter, Role.COACH).able_to_be_invited()

    def send_workshop_emails(
        self,
        workshop: Workshop,
        audience: str,
        initiator: Member,
        *,
        note: str = "",
        send_at: datetime | None = None,
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
            note=note,
            send_at=send_at,
            seen_count=seen_count,
        )

    def send_test(
        self, workshop: Workshop, role: Role, initiator: Member, *, note: str = ""
    ) -> InvitationLog:
        """The invitation as somebody of this role would get it, to whoever asks."""
        return inviting.send_test(
            workshop, role=role, initiator=initiator, note=note, request_key=uuid4()
        )

    def send_message(
        self, workshop: Workshop, audience: str, initiator: Member, *, subject: str, text: str
    ) -> InvitationLog:
        """
        Write to the people who are coming, wait or have not answered.

        :raises messaging.Refused: and nothing is written
        """
        return messaging.write_to(
            workshop,
            audience=audience,
            subject=subject,
            text=text,
            initiator=initiator,
            at=timezone.now(),
            request_key=uuid4(),
        )

    def send_change(
        self, workshop: Workshop, initiator: Member, *, include_unanswered: bool = False
    ) -> list[InvitationLog]:
        """What is true of the workshop now, to whom it matters; a log for each audience."""
        return messaging.tell_change(
            workshop,
            initiator=initiator,
            include_unanswered=include_unanswered,
            at=timezone.now(),
        )

    def send_cancellation(
        self, workshop: Workshop, initiator: Member, *, include_unanswered: bool = False
    ) -> list[InvitationLog]:
        """That a cancelled workshop does not take place; a log for each audience."""
        return messaging.tell_cancellation(
            workshop,
            initiator=initiator,
            include_unanswered=include_unanswered,
            at=timezone.now(),
        )
