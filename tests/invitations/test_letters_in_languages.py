"""Every letter in German and French: its head, its words, its days, its calendar entry."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import uuid4

import pytest
from django.utils import translation
from icalendar import Calendar

from chapters.models import Role
from invitations import mails, moulds
from invitations.services.manager import InvitationManager
from logs.models import Action, Audience
from members.models import Language, Member
from tests.factories import (
    BanFactory,
    ChapterFactory,
    SponsorFactory,
    WorkshopFactory,
    chapter_with,
)
from tests.support.english import english_in
from tests.support.here import send_here
from tests.support.processes import Station

pytestmark = pytest.mark.django_db

WEDNESDAY = datetime(2026, 12, 9, 17, 30, tzinfo=UTC)  # 18:30 in Berlin
ABOUT_NO_WORKSHOP = (Action.BAN, Action.WARNING, Action.ELIGIBILITY, Action.WELCOME, Action.HELLO)
AUDIENCES = (None, Audience.ATTENDING, Audience.WAITING, Audience.UNANSWERED)


@pytest.fixture
def berlin():
    return ChapterFactory(name="Berlin", city="Berlin", time_zone="Europe/Berlin")


@pytest.fixture
def evening(berlin):
    host = SponsorFactory(name="Möbelhaus", directions="Klingeln.", accessibility_info="Aufzug.")
    return WorkshopFactory(chapter=berlin, host=host, starts_at=WEDNESDAY)


@pytest.fixture
def call(berlin):
    return WorkshopFactory(chapter=berlin, virtual=True, starts_at=WEDNESDAY)


def letter(
    workshop, action, language, *, role=Role.STUDENT, audience=None, **about_a_place
) -> EmailMessage:
    """The letter as Zoë gets it, read by the standard library."""
    with translation.override(language):
        if action in ABOUT_NO_WORKSHOP:
            about = {Action.BAN: str(BanFactory(reason="xyz").pk), Action.WELCOME: role}
            draft = mails.draft_to_a_member(action=action, occasion=str(about.get(action, "1")))
        else:
            other_role = Role.COACH if role == Role.STUDENT else Role.STUDENT
            draft = mails.draft(
                workshop,
                action=action,
                role=role,
                other_role=other_role,
                audience=audience,
                subject="Schal" if action == Action.MESSAGE else "",
                **about_a_place,
            )
    zoe = moulds.Recipient(
        member_id=7, address="zoe@people.example", name="Zoë", token="t" * 43, message_id=uuid4()
    )
    message = message_from_bytes(draft.letter_to(zoe), _class=EmailMessage, policy=default)
    assert not message.defects
    return message


def part(message: EmailMessage, kind: str) -> str:
    return message.get_body((kind,)).get_content()


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        (
            "de",
            "Komm und programmier mit uns am Mittwoch, 9. Dezember",
            [
                "Hallo Zoë, unser nächster Workshop ist am Mittwoch, 9. Dezember,",
                "Mittwoch, 9. Dezember, 18:30 bis 20:30 Uhr",
                "Zeit in Berlin (GMT+01:00)",
                "40 Lernende und 20 Coaches",
                "alle von codebar Berlin",
            ],
        ),
        (
            "fr",
            "Viens coder avec nous le mercredi 9 décembre",
            [
                "Bonjour Zoë, notre prochain atelier a lieu le mercredi 9 décembre,",
                "mercredi 9 décembre, de 18:30 à 20:30",
                "heure de Berlin (GMT+01:00)",
                "40 apprenant·es et 20 coachs",
                "équipe de codebar Berlin",
            ],
        ),
    ],
)
def test_an_invitation_speaks_ones_language(evening, language, subject, said):
    message = letter(evening, Action.INVITE, language)

    assert message["Subject"] == subject
    assert message["Content-Language"] == language
    assert f'<html lang="{language}"' in part(message, "html")
    text = " ".join(part(message, "plain").split())
    assert [each for each in said if each not in text] == []


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", list(Action))
def test_nothing_of_any_letter_is_left_in_english(evening, call, action, role, language):
    for workshop in (evening, call):
        for audience in AUDIENCES:
            message = letter(workshop, action, language, role=role, audience=audience)

            left = english_in(str(message["Subject"]).removeprefix("[Test] "))
            for kind in ("plain", "html"):
                left += english_in(part(message, kind))
            assert left == []
            assert message["Content-Language"] == language


@pytest.mark.parametrize(
    ("language", "button"), [("de", "Einladung ansehen"), ("fr", "Voir l\u2019invitation")]
)
def test_a_change_after_answers_have_closed_speaks_ones_language(evening, language, button):
    about = {"audience": Audience.UNANSWERED, "at": WEDNESDAY}
    message = letter(evening, Action.CHANGE, language, **about)

    for kind in ("plain", "html"):
        assert button in part(message, kind)
        assert english_in(part(message, kind)) == []


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        (
            "de",
            "Du stehst nicht mehr auf der Liste für Mittwoch, 9. Dezember",
            "das Orgateam hat dich von der Liste für unseren Workshop am Mittwoch, 9. Dezember,",
        ),
        (
            "fr",
            "Tu n\u2019es plus sur la liste pour le mercredi 9 décembre",
            "organisation a retiré ton nom de la liste pour notre atelier du mercredi 9 décembre,",
        ),
    ],
)
def test_whoever_is_taken_off_the_list_reads_so_in_their_language(evening, language, subject, said):
    about = {"had_place": True, "is_taken_off": True}
    message = letter(evening, Action.DECLINED, language, **about)

    assert message["Subject"] == subject
    for kind in ("plain", "html"):
        assert said in " ".join(part(message, kind).split())
        assert english_in(part(message, kind)) == []


@pytest.mark.parametrize(
    ("language", "summary", "description"),
    [
        ("de", "Workshop von codebar Berlin", "Du kommst als Coach."),
        ("fr", "Atelier codebar Berlin", "Tu viens comme coach."),
    ],
)
def test_the_calendar_entry_speaks_ones_language(evening, language, summary, description):
    message = letter(evening, Action.CONFIRMATION, language, role=Role.COACH)
    (calendar,) = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
    (event,) = Calendar.from_ical(calendar.get_payload(decode=True)).events

    assert event["SUMMARY"] == summary
    assert event["DESCRIPTION"].startswith(description)
    assert event.decoded("DTSTART") == WEDNESDAY


@pytest.mark.django_db(transaction=True)
def test_each_member_of_a_batch_gets_the_letter_in_their_language(station: Station):
    chapter = chapter_with(students=6)
    workshop = WorkshopFactory(chapter=chapter)
    people = list(Member.objects.filter(subscriptions__group__chapter=chapter).order_by("pk"))
    chosen = dict(zip(people, [*Language, *Language], strict=True))
    log = InvitationManager().send_workshop_emails(workshop, Audience.STUDENTS, people[0])
    for member, language in chosen.items():  # after the click, before the letter
        Member.objects.filter(pk=member.pk).update(language=language)

    send_here(log)

    codes = {"en": "en-gb", "de": "de", "fr": "fr"}
    assert {one.recipient: one.message["Content-Language"] for one in station.sink.letters} == {
        member.email: codes[language] for member, language in chosen.items()
    }
    starts = {"en-gb": "Come and code", "de": "Komm und programmier", "fr": "Viens coder"}
    for one in station.sink.letters:
        assert str(one.message["Subject"]).startswith(starts[one.message["Content-Language"]])
