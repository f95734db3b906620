"""
C1 to C13 on the bytes that the mail server got, for every letter in every language.

Numbers are those of the checklist that mailbox providers' rules were collected in: RFC 8058, 5322,
2369, 2919, 3834, 5546 and 6047, and what Gmail and Yahoo ask of whoever writes to many.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from django.utils import timezone
from icalendar import Calendar
from pytest_django.live_server_helper import LiveServer

from chapters.models import Role
from invitations.services import cancelling, messaging, rsvps
from logs.models import REPAIRS, Action, Audience
from members.models import Language
from tests.factories import InvitationFactory, MemberFactory, WorkshopFactory, organiser_of
from tests.support import links
from tests.support.every_letter import AT_A_VENUE, IN_A_CALL, Arrived, send_every_letter
from tests.support.here import send_once_here
from tests.support.outsider import ask
from tests.support.processes import Station

SITE, HOST = "https://codebar.example", "codebar.example"
OUR_ADDRESS = f"hello@{HOST}"
ASKING = (
    *(Action.INVITE, Action.NUDGE, Action.FEEDBACK, Action.WELCOME, Action.HELLO),
    *REPAIRS,  # about one that asked
)
ABOUT_A_PLACE = (Action.CONFIRMATION, Action.PLACE)
LARGEST = 102_400  # octets, above which Gmail cuts a letter off, and the way to stop it with it
LOADING = {"img", "script", "link", "iframe", "object", "embed", "video", "audio", "form", "base"}

_arrived: list[Arrived] = []


@pytest.fixture
def letters(station: Station, settings) -> list[Arrived]:
    """Sent once for all tests, which only look at them."""
    if not _arrived:
        settings.SITE_URL = SITE
        settings.DEFAULT_FROM_EMAIL = f"codebar <{OUR_ADDRESS}>"
        for language in Language:
            kinds = (AT_A_VENUE, IN_A_CALL) if language == Language.GERMAN else (AT_A_VENUE,)
            station.sink.letters.clear()
            _arrived.extend(send_every_letter(station.sink, language, kinds=kinds))
    return _arrived


def asks_people_to_come(letter: Arrived) -> bool:
    """Whether it is one that people subscribe to, and not about what they said or did."""
    return letter.action in ASKING or letter.audience == Audience.UNANSWERED


def is_about_a_place(letter: Arrived) -> bool:
    told = letter.action in (Action.CHANGE, Action.CANCELLATION)
    return letter.action in ABOUT_A_PLACE or (told and letter.audience == Audience.ATTENDING)


def only_unsubscribe_link(message: EmailMessage) -> str:
    found = re.fullmatch(rf"<({SITE}/unsubscribe/[A-Za-z0-9_.-]+)>", message["List-Unsubscribe"])
    assert found, message["List-Unsubscribe"]
    return found[1]


def calendars_in(message: EmailMessage) -> list[tuple[EmailMessage, bytes]]:
    return [
        (part, part.get_payload(decode=True))
        for part in message.walk()
        if part.get_content_type() in ("text/calendar", "application/ics")
    ]


# ---- C1 to C5: stopping the letters ---------------------------------------------------------


def test_c01_who_is_asked_to_come_can_stop_it_by_one_click_and_nobody_else(letters):
    for letter in letters:
        message = letter.caught.message
        if asks_people_to_come(letter):
            assert message.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
            assert len(message.get_all("List-Unsubscribe")) == 1
            assert only_unsubscribe_link(message)
        else:
            assert "List-Unsubscribe" not in message, letter
            assert "List-Unsubscribe-Post" not in message, letter


def test_c01_the_link_says_nobodys_name_or_address(letters):
    for letter in letters:
        if asks_people_to_come(letter):
            link = only_unsubscribe_link(letter.caught.message)
            assert letter.caught.recipient.split("@")[0] not in link


def test_c02_one_click_over_http_stops_the_letters_of_each_kind(
    station: Station, live_server: LiveServer, settings
):
    settings.SITE_URL = live_server.url
    letters = send_every_letter(station.sink, Language.ENGLISH)
    asking = [letter for letter in letters if asks_people_to_come(letter)]
    subscribed = {letter.entry.member_id: groups_of(letter) for letter in asking}

    for letter in asking:
        link = letter.caught.message["List-Unsubscribe"].strip("<>")
        for _ in range(2):
            answer = ask(link, method="POST", form={"List-Unsubscribe": "One-Click"})
            assert (answer.status, answer.location, answer.cookies) == (200, "", set()), letter
        assert groups_of(letter) < subscribed[letter.entry.member_id], letter


def groups_of(letter: Arrived) -> set[int]:
    return set(letter.entry.member.subscriptions.values_list("group", flat=True))


def test_c05_the_way_to_stop_them_can_be_seen_in_both_parts(letters):
    for letter in letters:
        message = letter.caught.message
        plain, html = links.body(message, "plain"), links.body(message, "html")
        if asks_people_to_come(letter):
            link = only_unsubscribe_link(message)
            assert link in plain.split(), letter
            assert re.search(rf'<a [^>]*href="{re.escape(link)}"[^>]*>\s*\w[^<]*</a>', html), letter
        else:
            assert "/unsubscribe/" not in plain + html, letter


# ---- C6 to C9: who writes to whom, and when ------------------------------------------------


def test_c06_letters_of_a_chapter_are_a_list_of_its_own(letters):
    for letter in letters:
        message = letter.caught.message
        if letter.chapter:
            assert str(message["List-Id"]).endswith(f"<{letter.chapter.slug}.{HOST}>"), letter
        else:
            assert "List-Id" not in message, letter


def test_c07_whoever_is_named_as_sender_is_who_hands_it_over(letters):
    for letter in letters:
        message = letter.caught.message
        (sender,) = message["From"].addresses
        (answers_to,) = message["Reply-To"].addresses
        (recipient,) = message["To"].addresses
        name = str(letter.chapter or "codebar")
        assert (sender.addr_spec, sender.display_name) == (OUR_ADDRESS, name)
        assert letter.caught.sender == OUR_ADDRESS
        assert answers_to.addr_spec == (letter.chapter.email if letter.chapter else OUR_ADDRESS)
        assert recipient.addr_spec == letter.caught.recipient == letter.entry.member.email
        assert not {"Cc", "Bcc", "Sender", "Return-Path"} & set(message)


ONCE = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")


def test_c08_the_head_is_complete_and_each_letter_has_the_name_of_its_entry(letters):
    for letter in letters:
        message = letter.caught.message
        assert [message.get_all(field, failobj=[]) for field in ONCE if not message[field]] == []
        assert {field: len(message.get_all(field)) for field in ONCE} == dict.fromkeys(ONCE, 1)
        assert message["Message-ID"] == f"<{letter.entry.message_id}@{HOST}>"
        assert message["X-Codebar-Delivery"] == str(letter.entry.message_id)
        sent_at = message["Date"].datetime
        assert sent_at.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - sent_at) < timedelta(hours=1)
    names = Counter(letter.caught.message_id for letter in letters)
    assert set(names.values()) == {1}


def test_c08_every_line_is_as_short_and_plain_as_any_mail_server_takes_it(letters):
    for letter in letters:
        content = letter.caught.content
        head, body = content.split(b"\r\n\r\n", 1)
        assert content.isascii(), letter
        assert not re.search(rb"[\r\n\x00]", content.replace(b"\r\n", b"")), letter
        assert max(map(len, head.split(b"\r\n"))) <= 998, letter
        assert max(map(len, body.split(b"\r\n"))) <= 76, letter
        assert len(content) < LARGEST, letter


def test_c08_the_standard_library_finds_nothing_to_complain_of(letters):
    for letter in letters:
        message = message_from_bytes(letter.caught.content, policy=default)
        for part in message.walk():
            assert part.defects == [], letter
            assert [field for field in part.values() if field.defects] == [], letter
            if not part.is_multipart():
                assert part["Content-Transfer-Encoding"] == "quoted-printable"
                assert part.get_payload(decode=True).decode().strip(), letter


def test_c09_no_automatic_reply_is_wanted(letters):
    for letter in letters:
        message = letter.caught.message
        assert message.get_all("Auto-Submitted") == ["auto-generated"]
        assert message.get_all("X-Auto-Response-Suppress") == ["All"]


@pytest.mark.parametrize("language", ["en-gb", "de", "fr"])
def test_c08_c09_a_code_to_sign_in_is_no_less_a_letter(
    station: Station, client, settings, language
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SITE_URL = SITE
    settings.DEFAULT_FROM_EMAIL = f"codebar <{OUR_ADDRESS}>"

    member = MemberFactory()
    client.post("/accounts/login/", {"email": member.email}, headers={"accept-language": language})

    (caught,) = station.sink.letters
    message = caught.message
    assert message["From"].addresses[0].addr_spec == caught.sender == OUR_ADDRESS
    assert caught.message_id.endswith(f"@{HOST}>")
    assert message.get_all("Auto-Submitted") == ["auto-generated"]
    assert message.get_all("X-Auto-Response-Suppress") == ["All"]
    assert message.get_all("Content-Language") == [language]
    assert "List-Unsubscribe" not in message
    assert [line for line in caught.content.split(b"\r\n") if len(line) > 998] == []
    assert [part.defects for part in message.walk()] == [[]]


# ---- C10: what it is made of --------------------------------------------------------------


def test_c10_both_parts_say_where_to_go_alike_and_in_one_language(letters):
    codes = {"en": "en-gb", "de": "de", "fr": "fr"}
    for letter in letters:
        message = letter.caught.message
        (words,) = [p for p in message.walk() if p.get_content_type() == "multipart/alternative"]
        kinds = [part.get_content_type() for part in words.iter_parts()]
        assert kinds[:2] == ["text/plain", "text/html"], letter
        html = links.body(message, "html")
        leads_to = {where for _, where in links.in_html(html) if links.LINK.match(where)}
        assert links.in_text(links.body(message, "plain")) == leads_to, letter
        assert message["Content-Language"] == codes[letter.language]
        assert f'<html lang="{codes[letter.language]}"' in html


def test_c10_nothing_is_loaded_and_nobody_is_followed(letters):
    for letter in letters:
        message = letter.caught.message
        html = links.body(message, "html")
        elements = set(re.findall(r"<([a-z0-9]+)", html))
        assert elements & LOADING == set(), letter
        assert not re.search(r"url\(|@import|@font-face|\b(src|srcset|background)=", html), letter
        ours = {link for link in links.of_letter(message) if link.startswith(SITE)}
        assert [link for link in ours if "?" in link or "#" in link] == [], letter
        assert [where for _, where in links.in_html(html) if where.startswith("/")] == [], letter


# ---- C11: where complaints go -------------------------------------------------------------


def test_c11_what_cannot_be_delivered_comes_back_to_an_address_of_ours(letters):
    assert {letter.caught.sender for letter in letters} == {OUR_ADDRESS}


# ---- C13: the calendar --------------------------------------------------------------------


def test_c13_only_letters_that_give_or_take_a_place_carry_an_entry(letters):
    for letter in letters:
        found = calendars_in(letter.caught.message)
        if is_about_a_place(letter):
            assert len(found) == 2, letter
        elif letter.action != Action.DECLINED:  # with one where a place is given back
            assert found == [], letter
    declined = [letter for letter in letters if letter.action == Action.DECLINED]
    assert {len(calendars_in(letter.caught.message)) for letter in declined} == {0, 2}


def test_c13_an_entry_is_one_that_any_calendar_can_read(letters):
    for letter in letters:
        message = letter.caught.message
        for part, content in calendars_in(message):
            calendar = Calendar.from_ical(content)
            (event,) = calendar.events
            assert event.errors == []
            if part.get_content_type() == "text/calendar":
                assert part.get_param("method") == str(calendar["METHOD"]), letter
            assert not re.search(rb"[\r\n]", content.replace(b"\r\n", b"")), letter
            assert max(map(len, content.split(b"\r\n"))) <= 75, letter
            assert {"UID", "SEQUENCE", "DTSTAMP", "DTSTART", "ORGANIZER"} <= set(event)
            assert event["ORGANIZER"] == f"mailto:{letter.chapter.email}"
            assert letter.caught.recipient.split("@")[0] not in event["UID"]


def test_c13_one_place_is_one_entry_that_comes_goes_moves_and_ends(station: Station):
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    invitation = InvitationFactory(workshop=workshop)

    def accept() -> None:
        rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())

    def decline() -> None:
        rsvps.decline(invitation, at=timezone.now())

    def move() -> None:
        workshop.refresh_from_db()
        workshop.starts_at += timedelta(hours=1)
        workshop.ends_at += timedelta(hours=1)
        workshop.sequence += 1
        workshop.save()
        send_once_here(
            *messaging.tell_change(
                workshop, initiator=organiser, include_unanswered=False, at=timezone.now()
            )
        )

    def cancel() -> None:
        cancelling.cancel(
            workshop, reason="", include_unanswered=False, by=organiser, at=timezone.now()
        )
        send_once_here(*workshop.invitation_logs.filter(action=Action.CANCELLATION))

    for step in (accept, decline, accept, move, cancel):
        step()
        send_once_here()

    calendars = [
        Calendar.from_ical(calendars_in(letter.message)[0][1]) for letter in station.sink.letters
    ]
    assert [str(calendar["METHOD"]) for calendar in calendars] == [
        *("REQUEST", "CANCEL", "REQUEST", "REQUEST", "CANCEL")
    ]
    events = [calendar.events[0] for calendar in calendars]
    assert len({event["UID"] for event in events}) == 1
    sequences = [event["SEQUENCE"] for event in events]
    assert sequences == sorted(set(sequences))
    starts = [event.decoded("DTSTART") for event in events]
    assert starts[3] - starts[2] == timedelta(hours=1)
