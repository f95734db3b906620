"""
A letter of every kind, really sent, to people who all read one language: for tests of what arrives.

A new action needs one more story here; `send_every_letter` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from uuid import uuid4

from django.test import override_settings
from django.utils import timezone

from chapters.models import Chapter, Role, Workshop
from invitations.models import Answer, Invitation
from invitations.services import (
    attending,
    banning,
    cancelling,
    messaging,
    noticing,
    rsvps,
    subscribing,
)
from invitations.services.manager import InvitationManager
from logs.models import Action, Audience, InvitationLogEntry
from members.models import Language, Member, Notice
from tests.factories import (
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support.here import send_once_here
from tests.support.smtp_sink import Caught, SmtpSink


@dataclass(frozen=True)
class Arrived:
    """A letter as the mail server took it, and the entry it was first."""

    entry: InvitationLogEntry
    caught: Caught

    def __repr__(self) -> str:
        return f"{self.action} to {self.audience or 'one'} in {self.language}"

    @property
    def action(self) -> Action:
        return Action(self.entry.action)

    @cached_property
    def audience(self) -> Audience | None:
        return Audience(self.entry.log.audience) if self.entry.log else None

    @property
    def chapter(self) -> Chapter | None:
        return self.entry.workshop.chapter if self.entry.workshop else None

    @property
    def language(self) -> str:
        return str(self.entry.member.language)


# On a busy machine a sender with the tests' short times gives up on a letter that would arrive.
UNHURRIED = {"EMAIL_TIMEOUT": 5, "LETTER_SECONDS": 8, "LEASE_SECONDS": 30}
AT_A_VENUE: dict[str, bool] = {}
IN_A_CALL = {"virtual": True}


def send_every_letter(
    sink: SmtpSink, language: Language, *, kinds: Sequence[dict[str, bool]] = (AT_A_VENUE,)
) -> list[Arrived]:
    """Every letter there is, in this language, about evenings of each of these kinds."""
    with override_settings(**UNHURRIED):
        for kind in kinds:
            _Stories(language, kind).tell()
    entries = InvitationLogEntry.objects.select_related("member", "log", "workshop__chapter")
    by_message = {str(entry.message_id): entry for entry in entries}
    arrived = [Arrived(by_message[each.message_id[1:37]], each) for each in sink.letters]
    assert {letter.action for letter in arrived} == set(Action), "an action has no story here"
    return arrived


class _Stories:
    """What people and organisers do until they were all written to; each evening is another."""

    def __init__(self, language: Language, kind: dict[str, bool]) -> None:
        self.language, self.kind = language, kind
        self.organiser = organiser_of()
        Member.objects.filter(pk=self.organiser.pk).update(language=language)
        self.manager = InvitationManager()

    def tell(self) -> None:
        self._everybody_is_invited_and_asked_again()
        self._a_place_passes_on()
        self._the_organiser_writes_and_changes_and_reminds()
        self._the_organiser_cancels()
        self._the_organiser_says_sorry()
        self._those_who_came_are_asked()
        self._somebody_joins_and_somebody_was_long_away()
        self._somebody_is_suspended_warned_and_asked()

    def _everybody_is_invited_and_asked_again(self) -> None:
        workshop = self._workshop()
        for roles in ([Role.STUDENT], [Role.COACH], Role):
            subscribe(self._member(), workshop.chapter, *roles)
        send_once_here(
            self.manager.send_workshop_emails(
                workshop, Audience.EVERYONE, self.organiser, note="Cake at seven & more."
            )
        )
        send_once_here(self.manager.send_nudge(workshop, self.organiser))
        for role in Role:
            self.manager.send_test(workshop, role, self.organiser)
        messaging.send_test(
            workshop, subject="Scarf", text="Cold.", initiator=self.organiser, request_key=uuid4()
        )
        send_once_here()

    def _a_place_passes_on(self) -> None:
        workshop = self._workshop(student_spaces=1, coach_spaces=1)
        for role in Role:
            first, second, third = (self._invitation(workshop, role=role) for _ in range(3))
            for answer in (rsvps.accept, rsvps.wait):
                answer(
                    first if answer == rsvps.accept else second,
                    role=role,
                    note="Vegan",
                    at=timezone.now(),
                )
                send_once_here()
            for leaving in (first, third):
                rsvps.decline(leaving, at=timezone.now())
                send_once_here()
            attending.take_back(second, by=self.organiser, at=timezone.now())
            send_once_here()

    def _the_organiser_writes_and_changes_and_reminds(self) -> None:
        workshop = self._workshop_with_answers(starts_at=timezone.now() + timedelta(hours=20))
        for audience in messaging.AUDIENCES:
            send_once_here(
                self.manager.send_message(
                    workshop, audience, self.organiser, subject="Scarf, 50 %", text="It is cold."
                )
            )
        send_once_here(*self.manager.send_change(workshop, self.organiser, include_unanswered=True))
        for log in (
            self.manager.send_workshop_attendance_reminders(workshop),
            self.manager.send_workshop_waiting_list_reminders(workshop),
        ):
            assert log
            send_once_here(log)

    def _the_organiser_cancels(self) -> None:
        workshop = self._workshop_with_answers()
        cancelling.cancel(
            workshop,
            reason="The venue is flooded.",
            include_unanswered=True,
            by=self.organiser,
            at=timezone.now(),
        )
        send_once_here(*workshop.invitation_logs.filter(action=Action.CANCELLATION))

    def _the_organiser_says_sorry(self) -> None:
        workshop = self._workshop()
        subscribe(self._member(), workshop.chapter, Role.STUDENT)
        about = self.manager.send_workshop_emails(workshop, Audience.STUDENTS, self.organiser)
        send_once_here(about)
        for send in (self.manager.send_apology, self.manager.send_correction):
            send_once_here(
                send(about, self.organiser, text="The address is: 1 & 2 Example Street.")
            )

    def _those_who_came_are_asked(self) -> None:
        workshop = self._workshop(past=True)
        for role in Role:
            invitation = self._invitation(workshop, role=role, answer=Answer.ATTENDING)
            Invitation.objects.filter(pk=invitation.pk).update(attended_at=workshop.starts_at)
        log = self.manager.send_feedback_requests(workshop)
        assert log
        send_once_here(log)

    def _somebody_joins_and_somebody_was_long_away(self) -> None:
        newcomer = self._member()
        for group in self._chapter().groups.all():
            subscribing.join(newcomer, group)
        old_days = self._workshop(starts_at=in_days(-120))
        self._invitation(old_days, answer=Answer.ATTENDING, attended_at=old_days.starts_at)
        assert self.manager.send_hellos() == 1
        send_once_here()

    def _somebody_is_suspended_warned_and_asked(self) -> None:
        for expires_at in (in_days(30), None):
            banning.ban(
                subscribe(self._member(), self._chapter(), Role.STUDENT),
                by=self.organiser,
                reason=banning.REASONS[0],
                note="",
                explanation="Twice in a row.",
                expires_at=expires_at,
                at=timezone.now(),
                request_key=uuid4(),
            )
        for kind in Notice.Kind:
            noticing.send(
                self._member(), kind=kind, by=self.organiser, at=timezone.now(), request_key=uuid4()
            )
        send_once_here()

    def _chapter(self) -> Chapter:
        """One of its own for each story, so that nobody gets the letters of another."""
        chapter = chapter_with(name=f"Zürich {uuid4().hex[:6]}")
        chapter.organisers.add(self.organiser)
        return chapter

    def _workshop(self, **fields: object) -> Workshop:
        workshop: Workshop = WorkshopFactory(
            chapter=self._chapter(), description="Bring a friend.", **self.kind | fields
        )
        return workshop

    def _workshop_with_answers(self, **fields: object) -> Workshop:
        """Somebody comes, somebody waits, and somebody who was invited is silent."""
        workshop = self._workshop(**fields)
        subscribe(self._member(), workshop.chapter, Role.STUDENT)
        send_once_here(
            self.manager.send_workshop_emails(workshop, Audience.STUDENTS, self.organiser)
        )
        for answer in (Answer.ATTENDING, Answer.WAITING):
            self._invitation(workshop, answer=answer, answered_at=in_days(-2))
        return workshop

    def _invitation(self, workshop: Workshop, **fields: object) -> Invitation:
        invitation: Invitation = InvitationFactory(
            workshop=workshop, member=self._member(), **fields
        )
        return invitation

    def _member(self) -> Member:
        member: Member = MemberFactory(name="Zoë", language=self.language)
        return member
