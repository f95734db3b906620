"""The letters that follow an answer: what they say, and which of them still leave."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from icalendar import Calendar

from chapters.models import Role
from invitations import mails, moulds
from invitations.models import Answer, Invitation
from invitations.services import attending, claiming, rsvps
from logs.models import Action, EntryStatus, InvitationLogEntry
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    organiser_of,
)
from tests.support.here import send_once_here
from tests.support.places import full_workshop
from tests.support.processes import Station


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def both_parts(action: Action, *, role: Role = Role.STUDENT, **fields) -> list[str]:
    """What the letter says to somebody called Amina, as text and as HTML."""
    draft = mails.draft(WorkshopFactory(), action=action, role=role, **fields)
    amina = moulds.Recipient(
        member_id=1,
        address="amina@people.example",
        name="Amina",
        token="token",
        message_id=moulds.UUID(int=1),
    )
    return [words(draft.text_for(amina)), words(draft.html_for(amina))]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "fields", "sentences"),
    [
        (
            Action.DECLINED,
            {"had_place": True},
            [
                "Hello Amina, we have noted that you are not coming to our workshop on",
                "Somebody else can have your place now, and the entry goes from your calendar.",
                "A free place is yours at once; when all are taken, you can wait for one.",
                "See or change your answer",
            ],
        ),
        (
            Action.DECLINED,
            {"had_place": True, "is_taken_off": True},
            [
                "Hello Amina, the organisers have taken you off the list for our workshop on",
                "The entry goes from your calendar.",
                "You can come another time: answer the next invitation, or look at what is",
                "See the next workshops",
            ],
        ),
        (
            Action.WAITING,
            {"role": Role.COACH},
            [
                "Hello Amina, all places for coaches at our workshop on",
                "you are in line for one",
                "See where you are in line",
            ],
        ),
        (
            Action.WAITING,
            {},
            ["all places for students at our workshop on"],
        ),
        (
            Action.PLACE,
            {"role": Role.COACH},
            ["it is yours: you can come as a coach to our workshop on"],
        ),
        (
            Action.CONFIRMATION,
            {},
            ["you have a place as a student at our workshop on"],
        ),
    ],
)
def test_what_they_say(action, fields, sentences):
    for said in both_parts(action, **fields):
        missing = [sentence for sentence in sentences if sentence not in said]
        assert missing == []


@pytest.mark.django_db
@pytest.mark.parametrize("is_taken_off", [False, True])
def test_whoever_never_had_a_place_is_not_told_that_it_went(is_taken_off):
    for said in both_parts(Action.DECLINED, is_taken_off=is_taken_off):
        assert "your place" not in said
        assert "calendar" not in said


def statuses() -> list[tuple[str, str, str, str]]:
    entries = InvitationLogEntry.objects.order_by("pk")
    return list(entries.values_list("action", "occasion", "status", "reason"))


def accept(invitation: Invitation) -> None:
    rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())


def decline(invitation: Invitation) -> None:
    rsvps.decline(invitation, at=timezone.now())


def test_only_the_letter_of_the_last_answer_leaves(station: Station):
    invitation = InvitationFactory()

    accept(invitation)
    decline(invitation)
    accept(invitation)
    decline(invitation)
    send_once_here()

    skipped = EntryStatus.SKIPPED
    assert statuses() == [
        (Action.CONFIRMATION, "1", skipped, claiming.OUTDATED),
        (Action.DECLINED, "2", skipped, claiming.OUTDATED),
        (Action.CONFIRMATION, "3", skipped, claiming.OUTDATED),
        (Action.DECLINED, "4", EntryStatus.SUCCESS, ""),
    ]
    (letter,) = station.sink.letters
    assert letter.recipient == invitation.member.email
    assert b"METHOD:CANCEL" not in letter.content  # no letter has told them of a place


def test_what_a_letter_put_into_a_calendar_the_next_one_takes_out(station: Station):
    invitation = InvitationFactory()
    accept(invitation)
    send_once_here()

    decline(invitation)
    send_once_here()

    confirmation, declined = station.sink.letters
    assert b"METHOD:REQUEST" in confirmation.content
    assert b"METHOD:CANCEL" in declined.content


def take_back(invitation: Invitation) -> None:
    by = organiser_of(invitation.workshop.chapter)
    attending.take_back(invitation, by=by, at=timezone.now())


def test_whoever_is_taken_off_the_list_is_told_by_whom_and_where_to_ask(station: Station):
    workshop = WorkshopFactory(
        chapter=ChapterFactory(name="Brighton", email="brighton@codebar.example")
    )
    invitation = InvitationFactory(workshop=workshop, member__name="Amina")
    accept(invitation)
    send_once_here()

    for _ in range(2):  # a double tap
        take_back(invitation)
    send_once_here()

    assert statuses() == [
        (Action.CONFIRMATION, "1", EntryStatus.SUCCESS, ""),
        (Action.DECLINED, "2", EntryStatus.SUCCESS, ""),
    ]
    confirmation, letter = [caught.message for caught in station.sink.letters]
    assert letter["To"] == invitation.member.email
    assert str(letter["Subject"]).startswith("You are off the list for ")
    text = " ".join(letter.get_body(("plain",)).get_content().split())
    html = letter.get_body(("html",)).get_content()
    for said in (text, words(html)):
        assert "Hello Amina, the organisers have taken you off the list for our workshop on" in said
        assert "you are not coming" not in said
    assert "If that is a mistake, write to brighton@codebar.example." in text
    assert 'href="mailto:brighton@codebar.example"' in html
    assert f"See the next workshops: {settings.SITE_URL}/events/upcoming" in text
    given, taken = entry_of(confirmation), entry_of(letter)
    assert [given[0], taken[0]] == ["REQUEST", "CANCEL"]
    assert (taken[1]["UID"], taken[1]["STATUS"]) == (given[1]["UID"], "CANCELLED")
    assert taken[1]["SEQUENCE"] > given[1]["SEQUENCE"]


def entry_of(message):
    """What the letter tells a calendar: the method, and the entry."""
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    (event,) = calendar.events
    return str(calendar["METHOD"]), event


def test_each_is_told_who_said_it(station: Station):
    """In one block, with the same workshop, role and language."""
    workshop = WorkshopFactory()
    by_themselves, by_another, in_line = InvitationFactory.create_batch(
        3, workshop=workshop, answer=Answer.ATTENDING
    )
    Invitation.objects.filter(pk=in_line.pk).update(answer=Answer.WAITING)
    organiser = InvitationFactory(
        workshop=workshop, member=organiser_of(workshop.chapter), answer=Answer.ATTENDING
    )
    decline(by_themselves)
    take_back(by_another)
    take_back(in_line)
    attending.take_back(organiser, by=organiser.member, at=timezone.now())

    send_once_here()

    subjects = {each.recipient: str(each.message["Subject"]) for each in station.sink.letters}
    assert {address: subject[:20] for address, subject in subjects.items()} == {
        by_themselves.member.email: "You are not coming o",
        by_another.member.email: "You are off the list",
        in_line.member.email: "You are off the list",
        organiser.member.email: "You are not coming o",
    }
    assert all(b"METHOD:CANCEL" not in each.content for each in station.sink.letters)


def test_who_has_a_place_again_is_not_told_that_it_went(station: Station):
    invitation = InvitationFactory(answer=Answer.ATTENDING)
    take_back(invitation)
    accept(invitation)

    send_once_here()

    assert statuses() == [
        (Action.DECLINED, "2", EntryStatus.SKIPPED, claiming.OUTDATED),
        (Action.CONFIRMATION, "3", EntryStatus.SUCCESS, ""),
    ]


def test_after_the_start_nobody_is_told_any_more(station: Station):
    workshop = WorkshopFactory(starts_at=timezone.now() - timedelta(minutes=5))
    take_back(InvitationFactory(workshop=workshop, answer=Answer.ATTENDING))

    send_once_here()

    skipped = (Action.DECLINED, "2", EntryStatus.SKIPPED, claiming.WORKSHOP_BEGUN)
    assert (statuses(), station.sink.letters) == ([skipped], [])


def test_whoever_left_the_line_before_the_letter_left_gets_the_other_one(station: Station):
    workshop, _ = full_workshop()
    invitation = InvitationFactory(workshop=workshop)
    rsvps.wait(invitation, role=Role.STUDENT, note="", at=timezone.now())
    rsvps.leave_line(invitation, at=timezone.now())

    send_once_here()

    assert [(action, status) for action, _, status, _ in statuses()] == [
        (Action.WAITING, EntryStatus.SKIPPED),
        (Action.DECLINED, EntryStatus.SUCCESS),
    ]


def test_the_letter_about_the_line_leads_to_the_place_in_it(station: Station):
    workshop, _ = full_workshop()
    invitation = InvitationFactory(workshop=workshop, member=MemberFactory(name="Amina"))
    rsvps.wait(invitation, role=Role.STUDENT, note="", at=timezone.now())

    send_once_here()

    invitation.refresh_from_db()
    (letter,) = station.sink.letters
    assert f"/invitation/{invitation.token}".encode() in letter.content.replace(b"=\r\n", b"")
