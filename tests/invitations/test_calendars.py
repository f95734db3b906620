"""Calendar entries: they appear, move and go away with a place (RFC 5545, 5546)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar, Event

from chapters.models import Role, Workshop
from invitations import mails, moulds
from invitations.models import Answer, Invitation
from invitations.services import rsvps
from logs.models import Action, Audience
from tests.factories import InvitationFactory, MemberFactory, WorkshopFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    return Client()


def letter(invitation: Invitation, action: Action, **words) -> tuple[str, Event] | None:
    """The method and the entry of this letter, as it would leave now; or that it has none."""
    invitation.refresh_from_db()
    invitation.workshop.refresh_from_db()
    draft = mails.draft(invitation.workshop, action=action, role=Role(invitation.role), **words)
    recipient = moulds.Recipient(
        member_id=invitation.member_id,
        address=invitation.member.email,
        name=invitation.member.name,
        token=invitation.token,
        message_id=moulds.UUID(int=1),
        answer_number=invitation.answer_number,
    )
    said = draft.calendar_for(recipient)
    return entry(said) if said else None


def entry(said: str | bytes) -> tuple[str, Event]:
    calendar = Calendar.from_ical(said)
    (event,) = calendar.events
    return str(calendar["METHOD"]), event


def file_of(visitor: Client, invitation: Invitation):
    invitation.refresh_from_db()
    return visitor.get(reverse("calendar", args=[invitation.token]))


def test_one_entry_rises_with_every_answer_and_every_change_of_the_workshop():
    invitation = InvitationFactory()
    entries = []

    def give(answer, action, **words):
        answer()
        method, event = letter(invitation, action, **words)
        entries.append((method, int(event["SEQUENCE"]), str(event["UID"])))

    def move():
        Workshop.objects.update(sequence=1)

    def cancel():
        Workshop.objects.update(sequence=2, cancelled_at=timezone.now())

    def accept():
        rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())

    def decline():
        rsvps.decline(invitation, at=timezone.now())

    give(accept, Action.CONFIRMATION)
    give(decline, Action.DECLINED, had_place=True)
    give(accept, Action.CONFIRMATION)
    give(move, Action.CHANGE, audience=Audience.ATTENDING)
    give(cancel, Action.CANCELLATION, audience=Audience.ATTENDING)

    assert [(method, sequence) for method, sequence, _ in entries] == [
        ("REQUEST", 1),
        ("CANCEL", 2),
        ("REQUEST", 3),
        ("REQUEST", 4),
        ("CANCEL", 5),
    ]
    assert len({uid for *_, uid in entries}) == 1


def test_a_no_of_somebody_who_had_a_place_takes_the_entry_back():
    invitation = InvitationFactory(answer=Answer.DECLINED)

    method, event = letter(invitation, Action.DECLINED, had_place=True)

    assert (method, str(event["STATUS"])) == ("CANCEL", "CANCELLED")
    assert str(event["ATTENDEE"]) == f"mailto:{invitation.member.email}"


@pytest.mark.parametrize("action", [Action.INVITE, Action.WAITING, Action.DECLINED, Action.NUDGE])
def test_whoever_never_had_a_place_gets_no_entry(action):
    assert letter(InvitationFactory(), action) is None


def test_whoever_has_a_place_gets_it_as_a_file(visitor):
    workshop = WorkshopFactory(
        starts_at=datetime(2027, 3, 10, 18, 30, tzinfo=UTC), chapter__name="Brighton"
    )
    invitation = InvitationFactory(
        workshop=workshop, answer=Answer.ATTENDING, role=Role.COACH, answer_number=3
    )

    response = file_of(visitor, invitation)

    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="codebar-2027-03-10.ics"'
    assert "no-store" in response["Cache-Control"]
    method, event = entry(response.content)
    assert (method, int(event["SEQUENCE"]), "ATTENDEE" in event) == ("PUBLISH", 3, False)
    assert str(event["UID"]) == str(letter(invitation, Action.CONFIRMATION)[1]["UID"])
    assert str(event["SUMMARY"]) == "codebar Brighton workshop"
    assert str(event["LOCATION"]).endswith("3rd floor, 1 Example Street, London, EX1 1EX")
    assert str(event["URL"]).endswith(invitation.get_absolute_url())
    assert event["DTSTART"].dt == workshop.starts_at
    assert b"\n" not in response.content.replace(b"\r\n", b"")
    assert max(map(len, response.content.split(b"\r\n"))) <= 75


@pytest.mark.parametrize("answer", [Answer.NONE, Answer.DECLINED, Answer.WAITING])
def test_nobody_else_has_such_a_file(visitor, answer):
    invitation = InvitationFactory(answer=answer)

    assert file_of(visitor, invitation).url == invitation.get_absolute_url()
    invitation.refresh_from_db()
    assert "calendar.ics" not in visitor.get(invitation.get_absolute_url()).content.decode()


def test_of_a_cancelled_workshop_there_is_no_file(visitor):
    workshop = WorkshopFactory(cancelled=True)
    invitation = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)

    assert file_of(visitor, invitation).url == invitation.get_absolute_url()


def test_what_people_write_breaks_no_file(visitor):
    workshop = WorkshopFactory(chapter__name="A;B,C\\D", host__name="Ä" * 60)
    invitation = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)

    response = file_of(visitor, invitation)

    _, event = entry(response.content)
    assert str(event["SUMMARY"]) == "codebar A;B,C\\D workshop"
    assert str(event["LOCATION"]).startswith("Ä" * 60)
    assert max(map(len, response.content.split(b"\r\n"))) <= 75


# Clocks go back on 31 October 2027 at 2:00 (London) and 7 November at 2:00 (New York), and forward
# on 28 March 2027 at 1:00 (London).
@pytest.mark.parametrize(
    ("zone", "starts_at", "ends_at"),
    [
        ("Europe/London", (2027, 10, 30, 22, 30), (2027, 10, 31, 3, 0)),  # ends in winter time
        ("Europe/London", (2027, 10, 31, 0, 30), (2027, 10, 31, 1, 30)),  # 1:30 twice, an hour long
        ("Europe/London", (2027, 3, 27, 23, 0), (2027, 3, 28, 2, 0)),  # ends in summer time
        ("America/New_York", (2027, 11, 7, 4, 0), (2027, 11, 7, 6, 30)),
        ("Asia/Tokyo", (2027, 10, 30, 10, 0), (2027, 10, 30, 12, 0)),  # never changes
    ],
)
def test_a_night_when_the_clocks_change_has_its_true_length(visitor, zone, starts_at, ends_at):
    workshop = WorkshopFactory(
        chapter__time_zone=zone,
        starts_at=datetime(*starts_at, tzinfo=UTC),
        ends_at=datetime(*ends_at, tzinfo=UTC),
    )
    invitation = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    said = file_of(visitor, invitation).content.decode()
    # As a calendar that knows no zones: only what the file itself says of them counts.
    unknown = said.replace(zone, f"Elsewhere/{workshop.starts_at:%m-%d-%H}")

    for text in (said, unknown):
        _, event = entry(text)
        moments = (event["DTSTART"].dt, event["DTEND"].dt)
        assert [moment.astimezone(UTC) for moment in moments] == [
            workshop.starts_at,
            workshop.ends_at,
        ]


def test_the_file_speaks_the_language_of_whoever_asks(visitor):
    invitation = InvitationFactory(answer=Answer.ATTENDING, member=MemberFactory())
    invitation.refresh_from_db()

    german = visitor.get(
        reverse("calendar", args=[invitation.token]), headers={"accept-language": "de"}
    )

    _, event = entry(german.content)
    assert "You come as a student." not in str(event["DESCRIPTION"])
