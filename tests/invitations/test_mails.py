"""What the letters say, and that each is a message any mail program can read."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, default
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import translation
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings
from icalendar import Calendar, Event

from chapters.models import Role, Workshop
from invitations import mails, moulds
from invitations.services import unsubscribing
from logs.models import Action, Audience
from tests.factories import BanFactory, ChapterFactory, SponsorFactory, WorkshopFactory

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 12, 9, 18, 30, tzinfo=UTC)
MESSAGE_ID = UUID("b5b0cbf0-1111-4222-8333-444455556666")
LINE_BREAKS = ["\r", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
FOR_DRAFTS = hypothesis_settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _site(settings):
    settings.SITE_URL = "https://codebar.example"
    settings.DEFAULT_FROM_EMAIL = "codebar <hello@codebar.example>"


@pytest.fixture
def brighton():
    return ChapterFactory(
        name="Brighton", slug="brighton", email="brighton@codebar.example", city="Brighton"
    )


@pytest.fixture
def evening(brighton):
    host = SponsorFactory(
        name="Silicon Beach Studio",
        flat="",
        street="17 Kensington Street",
        city="Brighton",
        postal_code="BN1 4AJ",
        accessibility_info="Step-free.",
        directions="Ring twice.",
    )
    return WorkshopFactory(
        chapter=brighton, host=host, starts_at=EVENING, description="Bring <b>cake</b> & 100% joy."
    )


@pytest.fixture
def call(brighton):
    return WorkshopFactory(virtual=True, chapter=brighton, starts_at=EVENING)


def recipient(**changes) -> moulds.Recipient:
    amina = {
        "member_id": 7,
        "address": "amina@people.example",
        "name": "Amina",
        "token": "Ab-_" * 10 + "xyz",
        "message_id": MESSAGE_ID,
    }
    return moulds.Recipient(**amina | changes)


def invitation(workshop, *, role=Role.STUDENT, other_role=None) -> moulds.Draft:
    return mails.draft(workshop, action=Action.INVITE, role=role, other_role=other_role)


def confirmation(workshop, *, role=Role.STUDENT) -> moulds.Draft:
    return mails.draft(workshop, action=Action.CONFIRMATION, role=role, other_role=None)


def parsed(letter: bytes) -> EmailMessage:
    message = message_from_bytes(letter, _class=EmailMessage, policy=default)
    assert not message.defects
    return message


def part(message: EmailMessage, kind: str) -> str:
    return message.get_body((kind,)).get_content()


def words(text: str) -> str:
    """The text in one line, without tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def links(text: str) -> set[str]:
    return set(re.findall(r"https://[^\s\"<]+", text))


# ---- What a letter says -------------------------------------------------------------------


def test_a_student_is_invited_to_an_evening(evening):
    message = parsed(invitation(evening).letter_to(recipient()))

    assert message["Subject"] == "Come and code with us on Wednesday 9 December"
    for kind in ("plain", "html"):
        said = words(part(message, kind))
        assert "Hello Amina, our next workshop is on Wednesday 9 December" in said
        assert "you are invited as a student" in said
        assert "18:30 to 20:30" in said
        assert "Brighton time (GMT)" in said
        assert "Silicon Beach Studio 17 Kensington Street, Brighton, BN1 4AJ Step-free." in said
        assert "There is room for 40 students and 20 coaches." in said
        assert "You bring a laptop" in said
        assert "not by e-mail" in said
        assert "You get this because you are in a group for students of codebar Brighton." in said


def test_a_coach_in_both_groups_may_come_as_either(evening):
    message = parsed(
        invitation(evening, role=Role.COACH, other_role=Role.STUDENT).letter_to(recipient())
    )

    assert message["Subject"] == "Come and coach with us on Wednesday 9 December"
    for kind in ("plain", "html"):
        said = words(part(message, kind))
        assert re.search(r"you are invited as a coach ?\. You can also come as a student\.", said)
        assert "help them with what they are working on" in said
        assert "in a group for coaches of codebar Brighton" in said


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        (Role.STUDENT, "Come and code with us online on Wednesday 9 December"),
        (Role.COACH, "Come and coach with us online on Wednesday 9 December"),
    ],
)
def test_an_invitation_to_a_call_does_not_yet_tell_where_it_is(call, role, subject):
    message = parsed(invitation(call, role=role).letter_to(recipient()))

    assert message["Subject"] == subject
    for kind in ("plain", "html"):
        said = part(message, kind)
        assert "We tell you how to join once you have said yes." in words(said)
        assert "There is room for 40 students and 20 coaches." in words(said)
        assert "chat.example" not in said


def test_a_confirmation_tells_how_to_get_there(evening):
    message = parsed(confirmation(evening).letter_to(recipient()))

    assert message["Subject"] == "See you on Wednesday 9 December"
    for kind in ("plain", "html"):
        said = words(part(message, kind))
        assert re.search("you have a place as a student at our workshop on Wednesday 9 Dec", said)
        assert "Ring twice." in said
        assert "Step-free." in said


def test_a_confirmation_of_a_call_tells_how_to_join(call):
    message = parsed(confirmation(call, role=Role.COACH).letter_to(recipient()))

    assert message["Subject"] == "See you online on Wednesday 9 December"
    for kind in ("plain", "html"):
        assert "#workshops" in part(message, kind)
        assert "https://chat.example/workshops" in links(part(message, kind))


@pytest.mark.parametrize("address", ["javascript:alert(1)", " javascript:alert(1)", "data:,x"])
def test_only_an_address_of_the_web_becomes_a_link(call, address):
    Workshop.objects.filter(pk=call.pk).update(slack_channel_link=address)
    call.refresh_from_db()

    message = parsed(confirmation(call).letter_to(recipient()))

    assert address not in part(message, "html")
    assert address not in part(message, "plain")


def test_a_time_is_told_on_the_clocks_of_the_chapter(evening):
    evening.chapter.time_zone = "Australia/Sydney"
    evening.chapter.city = "Sydney"
    evening.chapter.save()
    evening.chapter.refresh_from_db()

    draft = invitation(evening)

    assert draft.subject == "Come and code with us on Thursday 10 December"
    assert "Thursday 10 December, 05:30 to 07:30\nSydney time (GMT+11:00)" in draft.text


def test_an_evening_that_ends_after_midnight_says_so(evening):
    evening.ends_at = datetime(2026, 12, 10, 0, 30, tzinfo=UTC)

    assert "18:30 to 00:30 on Thursday 10 December" in invitation(evening).text


def test_a_deadline_is_told_only_where_there_is_one(evening):
    assert "until" not in words(invitation(evening).text)

    evening.rsvp_closes_at = datetime(2026, 12, 9, 15, 0, tzinfo=UTC)

    deadline = "You can change your answer until 15:00 on Wednesday 9 December."
    assert deadline in words(invitation(evening).text)
    assert deadline in words(invitation(evening).html)
    assert deadline in words(confirmation(evening).text)


def test_without_a_venue_the_letter_promises_no_room():
    draft = invitation(WorkshopFactory(host=None))

    assert "The venue is not settled yet" in draft.text
    assert "There is room" not in draft.text


def test_what_people_wrote_is_text_and_never_markup(evening):
    message = parsed(invitation(evening).letter_to(recipient(name="<script>x</script> = %s")))

    assert "Hello &lt;script&gt;x&lt;/script&gt; = %s, our" in part(message, "html")
    assert "Bring &lt;b&gt;cake&lt;/b&gt; &amp; 100% joy." in part(message, "html")
    assert "Hello <script>x</script> = %s," in part(message, "plain")
    assert "Bring <b>cake</b> & 100% joy." in part(message, "plain")


def test_whoever_has_no_name_is_greeted_too(evening):
    assert "Hello there," in invitation(evening).text_for(recipient(name=" "))


# ---- Links, colours and what they load ----------------------------------------------------


def test_both_parts_have_the_same_links(evening):
    message = parsed(invitation(evening).letter_to(recipient()))
    token = unsubscribing.token_for(member_id=7, chapter_id=evening.chapter_id, role=Role.STUDENT)

    assert (
        links(part(message, "plain"))
        == links(part(message, "html"))
        == {
            "https://codebar.example" + reverse("invitation", args=[recipient().token]),
            "https://codebar.example" + reverse("unsubscribe", args=[token]),
        }
    )


def test_the_html_loads_nothing_and_carries_its_styles_in_the_elements(evening):
    html = invitation(evening).html_for(recipient())

    assert not re.search(r"<(img|link|script|iframe)|url\(|@import|src=", html)
    assert 'class="button" href="https://codebar.example/invitation/' in html
    assert re.search(r'class="button"[^>]*style="[^"]*background: #006cc2', html)
    assert "@media (prefers-color-scheme: dark)" in html
    assert html.count("<style>") == 1


def test_lines_of_the_text_part_are_short_where_prose_permits(evening):
    evening.description = "many words " * 100

    lines = invitation(evening).text.splitlines()

    assert [line for line in lines if len(line) > 78 and "https://" not in line] == []


# ---- The message --------------------------------------------------------------------------


def test_the_head_of_an_invitation(evening):
    message = parsed(invitation(evening).letter_to(recipient()))
    token = unsubscribing.token_for(member_id=7, chapter_id=evening.chapter_id, role=Role.STUDENT)
    sent_at = datetime.fromisoformat(str(message["Date"].datetime))

    assert abs((datetime.now(UTC) - sent_at).total_seconds()) < 60
    assert message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    fields = {name: str(text) for name, text in message.items()}
    del fields["Date"], fields["Content-Type"]
    assert fields == {
        "From": "codebar Brighton <hello@codebar.example>",
        "To": "amina@people.example",
        "Reply-To": "brighton@codebar.example",
        "Subject": "Come and code with us on Wednesday 9 December",
        "Message-ID": f"<{MESSAGE_ID}@codebar.example>",
        "List-Id": "codebar Brighton <brighton.codebar.example>",
        "List-Unsubscribe": f"<https://codebar.example/unsubscribe/{token}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Content-Language": "en-gb",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Codebar-Delivery": str(MESSAGE_ID),
        "MIME-Version": "1.0",
    }


def test_a_confirmation_offers_no_unsubscribing(evening):
    letter = confirmation(evening).letter_to(recipient())

    assert not [name for name in parsed(letter) if name.startswith("List-Unsubscribe")]
    assert b"/unsubscribe/" not in letter


@pytest.mark.parametrize("line_break", LINE_BREAKS)
@pytest.mark.parametrize("field", ["address", "name", "token"])
def test_a_line_break_in_what_is_somebodys_own_is_refused(evening, field, line_break):
    draft = invitation(evening)
    evil = f"{getattr(recipient(), field)}{line_break}Bcc: all@people.example"

    with pytest.raises(ValueError, match=r"line break|malformed"):
        draft.letter_to(recipient(**{field: evil}))


@pytest.mark.parametrize("line_break", [each for each in LINE_BREAKS if each != "\x00"])
def test_a_line_break_in_the_chapters_name_is_refused(evening, line_break):
    evening.chapter.name = f"Brighton{line_break}Bcc: all@people.example"

    with pytest.raises(ValueError, match="line break"):
        invitation(evening)


@pytest.mark.parametrize(
    "address", ["", "amina", "a@b@c", "a b@people.example", "ä@people.example"]
)
def test_an_address_that_cannot_be_written_to_is_refused(evening, address):
    draft = invitation(evening)

    with pytest.raises(ValueError, match="address"):
        draft.letter_to(recipient(address=address))


def test_a_domain_with_other_letters_is_written_in_ascii():
    assert moulds.ascii_address("amina@bücher.example") == "amina@xn--bcher-kva.example"


def test_a_second_try_is_the_same_letter(evening):
    first, second = (invitation(evening).letter_to(recipient()) for _ in range(2))

    assert _without_date_and_boundary(first) == _without_date_and_boundary(second)


def test_filling_in_a_person_asks_nobody(evening, django_assert_num_queries):
    draft = invitation(evening)

    with django_assert_num_queries(0):
        draft.letter_to(recipient())


def test_a_draft_asks_the_same_few_questions_for_any_workshop(evening, django_assert_num_queries):
    workshop = Workshop.objects.select_related("chapter").get(pk=evening.pk)

    with django_assert_num_queries(1):
        invitation(workshop)


def _without_date_and_boundary(letter: bytes) -> bytes:
    return re.sub(rb"Date: .*|=_[0-9a-f]{32}", b"", letter)


# ---- Letters of the organiser's side ------------------------------------------------------


def letter(workshop, action, *, role=Role.STUDENT, audience=None, **words) -> moulds.Draft:
    return mails.draft(workshop, action=action, role=role, audience=audience, **words)


def assert_said(draft: moulds.Draft, *sentences: str) -> None:
    """In both parts, whatever stands between the words."""
    message = parsed(draft.letter_to(recipient()))
    for kind in ("plain", "html"):
        said = words(part(message, kind))
        assert [sentence for sentence in sentences if sentence not in said] == []


def test_a_note_stands_in_the_invitation_as_text(evening):
    note = "Pizza at 19:00 & <b>cake</b>!\r\nhttps://codebar.io/cake"
    draft = letter(evening, Action.INVITE, note=note)

    assert "Pizza at 19:00 &amp; &lt;b&gt;cake&lt;/b&gt;!<br>" in draft.html
    assert "Pizza at 19:00 & <b>cake</b>!\nhttps://codebar.io/cake\n" in draft.text
    assert re.search(r'<a [^>]*href="https://codebar.io/cake"', draft.html)
    assert draft.html.rindex("Pizza") < draft.html.rindex("Silicon Beach Studio")


def test_a_place_from_the_waiting_list_says_so(evening):
    draft = letter(evening, Action.PLACE)

    assert draft.subject == "You have a place on Wednesday 9 December"
    assert_said(draft, "you were on the waiting list, a place became free, and it is yours")
    assert_said(draft, "Ring twice.", "See or change your answer")


@pytest.mark.parametrize(
    ("action", "audience", "sentence", "promise"),
    [
        (Action.PLACE, None, "please tell us soon.", "others are still waiting"),
        (Action.NUDGE, Audience.UNANSWERED, "you can wait for one.", "keeps a place"),
        (Action.CANCELLATION, Audience.UNANSWERED, "There will be another one.", "write to you"),
    ],
)
def test_no_letter_promises_what_is_not_true_of_everybody(
    evening, action, audience, sentence, promise
):
    """To the last in line, of a full workshop, to those who stopped our letters."""
    draft = letter(evening, action, audience=audience)

    assert_said(draft, sentence)
    assert promise not in words(draft.html) + words(draft.text)


def test_a_change_says_what_holds_now_to_each_of_those_it_matters_to(evening):
    for audience, sentence in {
        Audience.ATTENDING: "Your place is still yours",
        Audience.WAITING: "You are still in line.",
        Audience.UNANSWERED: "we invited you to our workshop, and something about it has changed",
    }.items():
        draft = letter(evening, Action.CHANGE, audience=audience, note="The lift is mended.")
        assert draft.subject == "Changed: our workshop on Wednesday 9 December"
        assert_said(draft, sentence, "It replaces what we wrote before.", "The lift is mended.")
        assert_said(draft, "18:30 to 20:30", "Silicon Beach Studio")


@pytest.mark.parametrize(
    ("hours_before", "button", "has_deadline"),
    [(25, "Answer the invitation", True), (24, "See the invitation", False)],
)
def test_a_change_asks_for_an_answer_only_while_answers_are_taken(
    evening, hours_before, button, has_deadline
):
    evening.rsvp_closes_at = EVENING - timedelta(hours=24)
    at = EVENING - timedelta(hours=hours_before)
    draft = letter(evening, Action.CHANGE, audience=Audience.UNANSWERED, at=at)

    assert_said(draft, button)
    for said in (words(draft.html), words(draft.text)):
        assert ("Answer the invitation" in said) == has_deadline
        assert ("You can answer until 18:30 on Tuesday 8 December." in said) == has_deadline


def test_a_cancellation_says_why_and_asks_for_nothing(evening):
    evening.cancelled_at = EVENING
    draft = letter(
        evening, Action.CANCELLATION, audience=Audience.ATTENDING, note="The venue is flooded."
    )

    assert draft.subject == "Cancelled: our workshop on Wednesday 9 December"
    assert_said(draft, "does not take place", "The venue is flooded.", "You need not do anything.")
    assert "/invitation/" not in draft.html + draft.text


def test_a_message_is_the_organisers_own_and_signed_by_the_chapter(evening):
    draft = letter(
        evening,
        Action.MESSAGE,
        audience=Audience.WAITING,
        subject="Bring a scarf, 100%",
        note="The heating is off.\n\nSorry!",
    )
    message = parsed(draft.letter_to(recipient()))

    assert message["Subject"] == "Bring a scarf, 100%"
    assert message["Reply-To"] == "brighton@codebar.example"
    assert_said(draft, "Hello Amina, The heating is off. Sorry!", "everybody at codebar Brighton")
    assert_said(draft, "because you are on the waiting list of a workshop of codebar Brighton")


@pytest.mark.parametrize(
    ("action", "audience", "is_offered"),
    [
        (Action.MESSAGE, Audience.UNANSWERED, True),
        (Action.CHANGE, Audience.UNANSWERED, True),
        (Action.CANCELLATION, Audience.UNANSWERED, True),
        (Action.MESSAGE, Audience.ATTENDING, False),
        (Action.CHANGE, Audience.WAITING, False),
        (Action.CANCELLATION, Audience.ATTENDING, False),
        (Action.PLACE, None, False),
        (Action.TEST, Audience.PEOPLE, False),
    ],
)
def test_unsubscribing_is_offered_to_those_who_did_not_say_that_they_come(
    evening, action, audience, is_offered
):
    draft = letter(evening, action, audience=audience, subject="x" * (action == Action.MESSAGE))
    message = parsed(draft.letter_to(recipient()))

    assert ("List-Unsubscribe" in message) == is_offered
    for kind in ("plain", "html"):
        assert ("/unsubscribe/" in part(message, kind)) == is_offered


def test_a_test_is_the_invitation_with_links_that_answer_for_nobody(evening):
    draft = letter(evening, Action.TEST, role=Role.COACH, audience=Audience.PEOPLE, note="Cake!")
    message = parsed(draft.letter_to(recipient(token="")))

    assert message["Subject"] == "[Test] Come and coach with us on Wednesday 9 December"
    assert_said(draft, "Cake!", "you are invited as a coach")
    assert links(part(message, "plain")) == {
        "https://codebar.example" + reverse("organiser_workshop", args=[evening.pk])
    }


def test_a_test_of_a_message_is_that_message(evening):
    draft = letter(evening, Action.TEST, subject="Bring a scarf", note="The heating is off.")

    assert draft.subject == "[Test] Bring a scarf"
    assert_said(draft, "The heating is off.")


def test_a_suspension_says_until_when_and_why_and_whom_to_write_to():
    ban = BanFactory(
        expires_at=datetime(2027, 1, 9, tzinfo=UTC),
        reason="Violated code of conduct",
        note="for organisers only",
        explanation="Twice, <on the> stairs.",
    )
    draft = mails.draft_to_a_member(action=Action.BAN, occasion=str(ban.pk))
    message = parsed(draft.letter_to(recipient(token="")))

    assert message["Subject"] == "Your codebar account is suspended"
    assert message["From"] == "codebar <hello@codebar.example>"
    assert message["Reply-To"] == "hello@codebar.example"
    assert "List-Id" not in message
    assert_said(draft, "until 9 January 2027", "Violated code of conduct", "hello@codebar.example")
    assert "Twice, &lt;on the&gt; stairs." in draft.html
    assert "Twice, <on the> stairs." in draft.text
    assert "for organisers only" not in draft.html + draft.text


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu"])
def test_a_suspension_ends_on_the_day_that_was_chosen_wherever_that_was(zone):
    ban = BanFactory(expires_at=datetime(2027, 6, 15, tzinfo=ZoneInfo(zone)))
    ban.refresh_from_db()

    draft = mails.draft_to_a_member(action=Action.BAN, occasion=str(ban.pk))

    assert_said(draft, "until 15 June 2027")


def test_a_suspension_for_good_says_so():
    ban = BanFactory(permanent=True)

    assert_said(
        mails.draft_to_a_member(action=Action.BAN, occasion=str(ban.pk)),
        "suspended permanently",
        "You are not invited to our workshops any more",
    )


def test_a_warning_and_a_question_are_kind():
    warning, question = (
        mails.draft_to_a_member(action=action, occasion="1")
        for action in (Action.WARNING, Action.ELIGIBILITY)
    )

    assert warning.subject == "We missed you at our workshops"
    assert_said(warning, "Plans change, and that is fine.", "we stop inviting you for a month")
    assert question.subject == "A short question before you come to a workshop"
    assert_said(question, "One line is enough", "We ask for no proof", "by noon of that day")


# ---- The calendar (RFC 5545, 5546, 6047) --------------------------------------------------

ABOUT_A_PLACE = [
    (Action.CONFIRMATION, None),
    (Action.PLACE, None),
    (Action.CHANGE, Audience.ATTENDING),
    (Action.CANCELLATION, Audience.ATTENDING),
]


def calendars_in(message: EmailMessage) -> list[tuple[str, str]]:
    """Each calendar of a letter: its type and what it says."""
    return [
        (each.get_content_type(), each.get_payload(decode=True).decode())
        for each in message.walk()
        if each.get_content_type() in ("text/calendar", "application/ics")
    ]


def event_in(message: EmailMessage) -> tuple[str, Event]:
    calendar = Calendar.from_ical(calendars_in(message)[0][1])
    (event,) = calendar.events
    return str(calendar["METHOD"]), event


@pytest.mark.parametrize(("action", "audience"), ABOUT_A_PLACE)
def test_a_letter_about_a_place_carries_its_calendar_entry(evening, action, audience):
    evening.sequence = 4
    draft = letter(evening, action, audience=audience)
    message = parsed(draft.letter_to(recipient()))
    (first_type, first), (second_type, second) = calendars_in(message)
    method, event = event_in(message)

    assert (first_type, second_type, first) == ("text/calendar", "application/ics", second)
    assert first.replace("\r\n", "\n") == draft.calendar_for(recipient())
    assert method == "REQUEST"
    (body,) = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
    assert body.get_param("method") == "REQUEST"
    assert (event["SEQUENCE"], event["STATUS"], event["CLASS"]) == (4, "CONFIRMED", "PRIVATE")
    assert event["DTSTART"].params["TZID"] == "Europe/London"
    assert event.decoded("DTSTART") == EVENING
    assert event.decoded("DTEND") == EVENING + timedelta(hours=2)
    assert event["SUMMARY"] == "codebar Brighton workshop"
    assert event["LOCATION"] == "Silicon Beach Studio, 17 Kensington Street, Brighton, BN1 4AJ"
    assert event["ORGANIZER"] == "mailto:brighton@codebar.example"
    assert event["ATTENDEE"] == "mailto:amina@people.example"
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert [p.get_content_type() for p in message.iter_attachments()] == ["application/ics"]


@pytest.mark.parametrize(
    ("action", "audience"),
    [
        (Action.INVITE, Audience.STUDENTS),
        (Action.CHANGE, Audience.WAITING),
        (Action.CANCELLATION, Audience.UNANSWERED),
        (Action.MESSAGE, Audience.ATTENDING),
        (Action.TEST, Audience.PEOPLE),
    ],
)
def test_whoever_has_no_place_gets_no_calendar_entry(evening, action, audience):
    draft = letter(evening, action, audience=audience, subject="x" * (action == Action.MESSAGE))

    assert calendars_in(parsed(draft.letter_to(recipient()))) == []


def test_a_cancellation_withdraws_the_entry_of_the_confirmation(evening):
    given = event_in(parsed(letter(evening, Action.CONFIRMATION).letter_to(recipient())))
    evening.cancelled_at, evening.sequence = EVENING, evening.sequence + 1
    cancellation = letter(evening, Action.CANCELLATION, audience=Audience.ATTENDING)
    message = parsed(cancellation.letter_to(recipient()))
    method, event = event_in(message)

    assert (method, event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert b"method=CANCEL" in cancellation.letter_to(recipient())
    assert event["UID"] == given[1]["UID"]
    assert event["SEQUENCE"] == given[1]["SEQUENCE"] + 1


def test_the_entry_of_each_place_has_a_name_of_its_own(evening, call):
    people = [recipient(), recipient(member_id=8)]
    names = {
        event_in(parsed(letter(workshop, Action.CONFIRMATION).letter_to(person)))[1]["UID"]
        for workshop in (evening, call)
        for person in people
    }

    assert len(names) == 4
    assert "amina" not in "".join(names)


@pytest.mark.parametrize("zone", ["Europe/London", "Australia/Sydney", "Asia/Kolkata"])
def test_a_calendar_entry_carries_the_zone_of_the_chapter(evening, zone):
    evening.chapter.time_zone = zone
    evening.chapter.save()
    evening.chapter.refresh_from_db()
    letter_ = parsed(letter(evening, Action.CONFIRMATION).letter_to(recipient()))
    calendar = Calendar.from_ical(calendars_in(letter_)[0][1])

    (described,) = calendar.timezones
    start = calendar.events[0]["DTSTART"]
    assert start.params["TZID"] == described["TZID"] == zone
    wall = EVENING.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert described.to_tz().utcoffset(wall) == wall.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    assert start.to_ical() == f"{wall:%Y%m%dT%H%M%S}".encode()


# ---- Compared with composing each letter by itself ----------------------------------------

names = strategies.text(
    strategies.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=300
)
texts = strategies.text(strategies.characters(codec="utf-8", exclude_characters="\x00"))
local_parts = strategies.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}", fullmatch=True)
letters = strategies.sampled_from(
    [
        (Action.INVITE, Audience.EVERYONE),
        (Action.MESSAGE, Audience.UNANSWERED),
        (Action.TEST, Audience.PEOPLE),
        *ABOUT_A_PLACE,
    ]
)


@FOR_DRAFTS
@given(
    kind=letters,
    name=names,
    local_part=local_parts,
    member_id=strategies.integers(1, 2**63 - 1),
    token=strategies.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    chapter_name=names.filter(str.strip),
    description=texts,
    note=texts,
    venue=texts,
    message_id=strategies.uuids(),
    language=strategies.sampled_from(["en-gb", "de", "fr"]),
)
def test_it_is_the_letter_that_the_standard_library_would_write(
    evening,
    kind,
    name,
    local_part,
    member_id,
    token,
    chapter_name,
    description,
    note,
    venue,
    message_id,
    language,
):
    action, audience = kind
    evening.chapter.name = chapter_name
    evening.description = description
    host = evening.workshop_sponsors.select_related("sponsor").get().sponsor
    type(host).objects.filter(pk=host.pk).update(name=venue[:200])
    subject = f"Dear {name}" if action in (Action.MESSAGE, Action.TEST) else ""
    with translation.override(language):
        draft = letter(evening, action, audience=audience, subject=subject, note=note)
    somebody = recipient(
        name=name,
        address=f"{local_part}@people.example",
        member_id=member_id,
        token=token,
        message_id=message_id,
    )

    letter_ = draft.letter_to(somebody)

    _assert_lines_are_sound(letter_)
    ours, theirs = parsed(letter_), _composed_by_itself(draft, somebody)
    for each in ("plain", "html"):
        assert part(ours, each) == part(theirs, each)
    for field in ("To", "Message-ID"):
        assert ours[field] == theirs[field]
    assert ours["Content-Language"] == language
    assert ours["From"].addresses[0].addr_spec == "hello@codebar.example"
    for field, said in (
        ("Subject", draft.subject),
        ("From", f"codebar {chapter_name} <hello@codebar.example>"),
        ("List-Id", f"codebar {chapter_name} <brighton.codebar.example>"),
    ):
        assert _decoded(letter_, field).split() == said.split()
    if (action, audience) in ABOUT_A_PLACE:
        _assert_calendar_is_sound(ours, somebody)


def _assert_calendar_is_sound(message: EmailMessage, somebody: moulds.Recipient) -> None:
    (_, calendar), (_, file) = calendars_in(message)
    assert calendar == file
    assert not re.search(r"[\r\n]", calendar.replace("\r\n", ""))
    assert max(len(line.encode()) for line in calendar.split("\r\n")) <= 75
    _, event = event_in(message)
    assert event["ATTENDEE"] == f"mailto:{somebody.address}"
    assert event["URL"].endswith(f"/invitation/{somebody.token}")
    assert event["DESCRIPTION"].endswith(f"/invitation/{somebody.token}")


def _decoded(letter: bytes, field: str) -> str:
    """The field as people read it (3.11's newer parser puts blanks between encoded words)."""
    return str(make_header(decode_header(message_from_bytes(letter)[field])))


def _composed_by_itself(draft: moulds.Draft, somebody: moulds.Recipient) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["To"] = somebody.address
    message["Message-ID"] = f"<{somebody.message_id}@codebar.example>"
    message.set_content(draft.text_for(somebody), cte="base64")
    message.add_alternative(draft.html_for(somebody), subtype="html", cte="base64")
    return parsed(message.as_bytes())


def _assert_lines_are_sound(letter: bytes) -> None:
    """RFC 5322: CRLF only, ASCII only; RFC 2045: at most 76 characters in a body."""
    assert letter.isascii()
    assert letter.endswith(b"\r\n")
    head, body = letter.split(b"\r\n\r\n", 1)
    assert not re.search(rb"[\r\n]", letter.replace(b"\r\n", b""))
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76


# ---- For the organiser's eyes -------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_a_preview_is_the_letter_with_links_that_lead_nowhere(evening, role):
    preview = mails.preview(evening, role=role)

    assert preview.subject == invitation(evening, role=role).subject
    assert preview.sender == "codebar Brighton <hello@codebar.example>"
    assert "Hello Amina, our next workshop" in preview.html
    assert set(re.findall(r'href="([^"]*)"', preview.html)) == {"#"}


def test_a_preview_shows_the_note(evening):
    preview = mails.preview(evening, role=Role.STUDENT, note="Pizza & <cake>")

    assert "Pizza &amp; &lt;cake&gt;" in preview.html


def test_a_message_can_be_looked_at(evening):
    preview = mails.preview_message(
        evening, audience=Audience.UNANSWERED, subject="Scarves", text="It is cold."
    )

    assert preview.subject == "Scarves"
    assert "It is cold." in preview.html
    assert set(re.findall(r'href="([^"]*)"', preview.html)) == {"#"}
