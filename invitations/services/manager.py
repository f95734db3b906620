"""The front door of sending, under planner's name."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db.models import QuerySet
from django.utils import timezone

from chapters.models import Chapter, Role, Workshop
from invitations.queries import audiences
from invitations.queries.repairing import THOSE_WHO_GOT_IT, Whom
from invitations.services import (
    feedback,
    hello,
    inviting,
    messaging,
    nudging,
    reminding,
    repairing,
)
from logs.models import Action, Audience, InvitationLog
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
        typed_count: int | None = None,
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
            typed_count=typed_count,
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

    def send_apology(
        self, about: InvitationLog, initiator: Member, *, text: str, whom: Whom = THOSE_WHO_GOT_IT
    ) -> InvitationLog:
        """
        Say sorry to these people of a log, and to nobody else.

        :raises repairing.Refused: and nothing is written
        """
        return repairing.repair(
            about, action=Action.APOLOGY, whom=whom, text=text, initiator=initiator
        )

    def send_correction(
        self, about: InvitationLog, initiator: Member, *, text: str, whom: Whom = THOSE_WHO_GOT_IT
    ) -> InvitationLog:
        """
        Put something right with these people of a log, and with nobody else.

        :raises repairing.Refused: and nothing is written
        """
        return repairing.repair(
            about, action=Action.CORRECTION, whom=whom, text=text, initiator=initiator
        )

    def send_workshop_attendance_reminders(self, workshop: Workshop) -> InvitationLog | None:
        """To those who are coming, whenever it is; nothing where this start has its log already."""
        return reminding.remind(workshop.pk, audience=Audience.ATTENDING)

    def send_workshop_waiting_list_reminders(self, workshop: Workshop) -> InvitationLog | None:
        """To those in line, whenever it is; nothing where this start has its log already."""
        return reminding.remind(workshop.pk, audience=Audience.WAITING)

    def send_nudge(self, workshop: Workshop, initiator: Member) -> InvitationLog:
        """
        Ask those who have not answered whether they can come.

        :raises inviting.Refused: and nothing is written
        """
        return nudging.nudge(workshop, initiator=initiator, at=timezone.now(), request_key=uuid4())

    def send_feedback_requests(self, workshop: Workshop) -> InvitationLog | None:
        """Ask the students who came how it was; nothing where nobody is left to ask."""
        return feedback.ask(workshop, at=timezone.now())

    def send_hellos(self) -> int:
        """To students unseen for three months, as many as today allows; single letters, no log."""
        return hello.say_hello(timezone.now())
