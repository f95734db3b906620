"""The page on which organisers invite: the numbers before the click, and the click."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, Workshop
from invitations.models import Invitation
from logs.models import Audience, EntryStatus, InvitationLog, LogStatus
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

QUERIES_OF_THE_PAGE = 11
QUERIES_OF_THE_CLICK = 13


def send_page(workshop):
    return reverse("send_invites", args=[workshop.pk])


def invite_button(workshop, audience=""):
    url = reverse("invite", args=[workshop.pk])
    return f"{url}?for={audience}" if audience else url


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def organising(workshop) -> Client:
    return signed_in(organiser_of(workshop.chapter))


def words(response) -> str:
    return " ".join(response.content.decode().split())


def workshop_of(**members):
    return WorkshopFactory(chapter=chapter_with(**members))


# ---- Before the click ----------------------------------------------------------------------


def test_the_page_says_how_many_each_button_reaches():
    workshop = workshop_of(students=3, coaches=2)
    subscribe(MemberFactory(), workshop.chapter, Role.STUDENT, Role.COACH)

    page = words(organising(workshop).get(send_page(workshop)))

    assert "Invite 4 students" in page
    assert "Invite 3 coaches" in page
    assert "Invite all 6" in page
    assert "1 person is both student and coach" in page


def test_the_page_says_how_many_are_left_out_and_why():
    workshop = workshop_of(students=1)
    for condition in ("banned", "without_terms", "without_terms", "unreachable", "closed"):
        subscribe(MemberFactory(**{condition: True}), workshop.chapter, Role.STUDENT)

    response = organising(workshop).get(send_page(workshop))

    students = response.context["cards"][0]
    assert dict(students.reach.left_out) == {
        "closed the account": 1,
        "is banned": 1,
        "has not accepted the terms": 2,
        "has an address we cannot use": 1,
    }
    assert students.reach.to_invite + students.people_left_out == students.reach.subscribers == 6
    assert "5 get no letter now" in words(response)
    assert "have not accepted the terms" in words(response)


def test_one_button_is_the_primary_one():
    workshop = workshop_of(students=2, coaches=2)

    page = words(organising(workshop).get(send_page(workshop)))

    assert page.count("btn-primary") == 1


def test_a_button_with_nobody_to_write_to_is_not_offered():
    workshop = workshop_of(students=2)

    page = words(organising(workshop).get(send_page(workshop)))

    assert "Invite 2 students" in page
    assert "Nobody is subscribed to such a group yet." in page
    assert "coaches</button>" not in page


def test_when_all_are_invited_the_page_says_so():
    workshop = workshop_of()
    letter = InvitationLogEntryFactory(
        log__workshop=workshop, log__status=LogStatus.COMPLETED, status=EntryStatus.SUCCESS
    )
    InvitationFactory(workshop=workshop, member=letter.member)

    page = words(organising(workshop).get(send_page(workshop)))

    assert "Everyone eligible has been invited" in page
    assert '<button class="btn btn-primary' not in page
    assert "is already invited" in page


def test_the_card_of_a_live_log_names_it_and_who_started_it():
    workshop = workshop_of(students=2)
    started_by = MemberFactory(name="Asha", surname="Verma")
    log = InvitationLogFactory(workshop=workshop, initiator=started_by)

    page = words(organising(workshop).get(send_page(workshop)))

    assert reverse("invitation_log", args=[workshop.pk, log.pk]) in page
    assert "Asha Verma started it today at" in page
    assert "Invite 2 students" not in page


@pytest.mark.parametrize(
    ("workshop", "sentence", "way_on"),
    [
        ({"past": True}, "already begun", ""),
        ({"rsvp_closes_at": in_days(-1)}, "Answers are closed", "workshop_edit"),
        ({"cancelled": True}, "is cancelled", ""),
        (
            {"is_invitable": False},
            "not open for invitations. Tick “Invitations can be sent” when you edit the workshop.",
            "workshop_edit",
        ),
        ({"host": None}, "venue is missing", "workshop_sponsors"),
    ],
)
def test_where_nobody_can_be_invited_the_page_says_why_and_the_click_is_refused(
    workshop, sentence, way_on
):
    workshop = WorkshopFactory(chapter=chapter_with(students=2), **workshop)
    client = organising(workshop)

    page = client.get(send_page(workshop))
    click = client.post(invite_button(workshop, "students"))

    assert page.status_code == 200
    assert sentence in words(page)
    assert words(page).count("btn-primary") == bool(way_on)
    if way_on:
        assert f'href="{reverse(way_on, args=[workshop.pk])}"' in words(page)
    assert click.status_code == 409
    assert sentence in words(click)
    assert not InvitationLog.objects.exists()


def test_the_letter_is_shown_to_each_role_in_a_frame_of_its_own():
    workshop = workshop_of(students=1)
    client = organising(workshop)

    page = client.get(send_page(workshop), {"as": "coach"})
    letter = client.get(reverse("letter", args=[workshop.pk, "coach"]))

    assert f'src="{reverse("letter", args=[workshop.pk, "coach"])}"' in words(page)
    assert "Come and coach with us" in words(letter)
    policy = letter["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src" not in policy
    assert client.get(reverse("letter", args=[workshop.pk, "admin"])).status_code == 404


def test_those_who_are_left_out_are_named_with_the_reason():
    workshop = workshop_of(students=1)
    banned = subscribe(MemberFactory(banned=True), workshop.chapter, Role.STUDENT)
    subscribe(MemberFactory(without_terms=True), workshop.chapter, Role.STUDENT)
    client = organising(workshop)
    names = reverse("left_out", args=[workshop.pk])

    everybody = client.get(names, {"for": "students"})
    only_banned = client.get(names, {"for": "students", "why": "is banned"})

    assert "2 people get no letter" in words(everybody)
    assert [member.reason for member in only_banned.context["page"]] == ["is banned"]
    assert f"{banned.name} {banned.surname}" in words(only_banned)
    assert client.get(names, {"for": "nobody"}).status_code == 404


@pytest.mark.parametrize("size", [1, 20])
def test_the_page_asks_as_often_whatever_the_size_of_the_chapter(size, django_assert_num_queries):
    workshop = workshop_of(students=size, coaches=size)
    for _ in range(size):
        subscribe(MemberFactory(banned=True), workshop.chapter, Role.STUDENT)
    client = organising(workshop)

    with django_assert_num_queries(QUERIES_OF_THE_PAGE):
        client.get(send_page(workshop))


@pytest.mark.parametrize("size", [1, 60])
def test_the_names_ask_as_often_whatever_their_number(size, django_assert_num_queries):
    workshop = workshop_of(students=1)
    for _ in range(size):
        subscribe(MemberFactory(banned=True), workshop.chapter, Role.STUDENT)
    client = organising(workshop)

    with django_assert_num_queries(8):
        client.get(reverse("left_out", args=[workshop.pk]), {"for": "students"})


# ---- The click -----------------------------------------------------------------------------


def test_the_click_writes_the_log_and_leads_to_it():
    workshop = workshop_of(students=2)
    organiser = organiser_of(workshop.chapter)

    response = signed_in(organiser).post(invite_button(workshop, "students"), {"seen_count": "2"})

    log = InvitationLog.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("invitation_log", args=[workshop.pk, log.pk])
    assert (log.workshop, log.audience, log.initiator, log.seen_count, log.status) == (
        workshop,
        Audience.STUDENTS,
        organiser,
        2,
        LogStatus.PREPARING,
    )


def test_the_audience_may_be_in_the_body():
    workshop = workshop_of(coaches=1)

    organising(workshop).post(invite_button(workshop), {"for": "coaches"})

    assert InvitationLog.objects.get().audience == Audience.COACHES


@pytest.mark.parametrize("audience", ["", "everybody", "Students", "students\x00", "1' OR 1=1"])
def test_an_unknown_audience_is_refused_with_400_and_no_log(audience):
    workshop = workshop_of(students=1)

    response = organising(workshop).post(invite_button(workshop), {"for": audience})

    assert response.status_code == 400
    assert "Choose students, coaches or everyone." in words(response)
    assert not InvitationLog.objects.exists()


@pytest.mark.parametrize("seen_count", ["many", "-1", "99999999999999999999"])
def test_a_seen_count_that_is_no_count_is_refused_with_400_and_no_log(seen_count):
    workshop = workshop_of(students=1)

    response = organising(workshop).post(
        invite_button(workshop, "students"), {"seen_count": seen_count}
    )

    assert response.status_code == 400
    assert "Invite 1 student" in words(response)
    assert not InvitationLog.objects.exists()


def test_the_second_click_leads_to_the_log_of_the_first_and_names_it():
    workshop = workshop_of(students=1)
    organiser = organiser_of(workshop.chapter)
    client = signed_in(organiser)
    client.post(invite_button(workshop, "students"))
    log = InvitationLog.objects.get()

    response = client.post(invite_button(workshop, "students"), follow=True)

    assert response.redirect_chain == [(reverse("invitation_log", args=[workshop.pk, log.pk]), 302)]
    assert f"Students are being invited already: {organiser.full_name} started that" in words(
        response
    )
    assert InvitationLog.objects.count() == 1


def test_another_audience_may_be_invited_beside_a_live_log():
    workshop = workshop_of(students=1, coaches=1)
    client = organising(workshop)
    client.post(invite_button(workshop, "students"))

    client.post(invite_button(workshop, "coaches"))

    assert set(InvitationLog.objects.values_list("audience", flat=True)) == {"students", "coaches"}


def test_the_click_needs_the_token_of_a_form():
    workshop = workshop_of(students=1)
    client = Client(enforce_csrf_checks=True)
    client.force_login(organiser_of(workshop.chapter))

    response = client.post(invite_button(workshop, "students"))

    assert response.status_code == 403
    assert not InvitationLog.objects.exists()


def test_opening_the_address_of_the_click_leads_to_the_buttons_and_invites_nobody():
    workshop = workshop_of(students=1)

    response = organising(workshop).get(invite_button(workshop, "students"))

    assert response["Location"] == send_page(workshop)
    assert not InvitationLog.objects.exists()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("size", [1, 20])
def test_the_click_asks_as_often_whatever_the_size_of_the_chapter(size, django_assert_num_queries):
    workshop = workshop_of(students=size, coaches=size)
    client = organising(workshop)

    page = client.get(send_page(workshop)).content.decode()
    button = unescape(re.search(r'formaction="([^"]+for=everyone[^"]+)"', page)[1])

    with django_assert_num_queries(QUERIES_OF_THE_CLICK):
        client.post(button)
    assert InvitationLog.objects.get().seen_count == size * 2


# ---- A note, another time, a test ----------------------------------------------------------


KEY = "11111111-2222-4333-8444-555555555555"


def noon_tomorrow(workshop) -> datetime:
    """On the chapter's clocks, which may go forward or back in the night before."""
    return (
        in_days(1)
        .astimezone(workshop.chapter.time_zone)
        .replace(hour=12, minute=0, second=0, microsecond=0)
    )


def tomorrow(workshop) -> str:
    """As a browser sends what was typed on the chapter's clocks."""
    return f"{noon_tomorrow(workshop):%Y-%m-%dT%H:%M}"


def test_the_note_and_the_number_seen_go_with_the_button():
    workshop = workshop_of(students=2)

    organising(workshop).post(
        f"{invite_button(workshop, 'students')}&seen_count=2", {"note": "Pizza at seven!"}
    )

    log = InvitationLog.objects.get()
    assert (log.note, log.seen_count, log.status) == ("Pizza at seven!", 2, LogStatus.PREPARING)


def test_the_same_page_makes_one_log_a_button_however_often_it_is_tapped():
    workshop = workshop_of(students=1, coaches=1)
    client = organising(workshop)

    places = [
        client.post(invite_button(workshop, audience), {"request_key": KEY})["Location"]
        for audience in ("students", "students", "coaches")
    ]
    InvitationLog.objects.update(status=LogStatus.COMPLETED)
    late_tap = client.post(invite_button(workshop, "students"), {"request_key": KEY})

    assert places[0] == places[1] == late_tap["Location"] != places[2]
    assert InvitationLog.objects.count() == 2


def test_letters_can_leave_later_by_the_clocks_of_the_chapter():
    workshop = WorkshopFactory(chapter=chapter_with(students=1, time_zone="Australia/Sydney"))
    typed = tomorrow(workshop)
    client = organising(workshop)

    client.post(invite_button(workshop, "students"), {"send_at": typed})

    log = InvitationLog.objects.get()
    assert log.status == LogStatus.SCHEDULED
    assert f"{log.send_at.astimezone(workshop.chapter.time_zone):%Y-%m-%dT%H:%M}" == typed
    page = words(client.get(send_page(workshop)))
    assert "will write to them" in page
    assert "Letters to some of them are planned." in page
    again = client.post(invite_button(workshop, "students"), follow=True)
    assert "Students are going to be invited on" in words(again)


@pytest.mark.parametrize(
    ("send_at", "status", "sentence"),
    [
        ("2020-01-01T18:00", 409, "later than now, and before the workshop begins"),
        ("2099-01-01T18:00", 409, "later than now, and before the workshop begins"),
        ("2027-02-30T18:00", 400, "There is no such day or time."),
        ("2027-03-28T01:30", 400, "There is no 01:30 on"),
        ("soon", 400, "There is no such day or time."),
    ],
)
def test_a_moment_that_cannot_be_is_refused_and_what_was_typed_stays(send_at, status, sentence):
    workshop = workshop_of(students=1)

    response = organising(workshop).post(
        invite_button(workshop, "students"), {"send_at": send_at, "note": "Pizza!"}
    )

    assert response.status_code == status
    assert sentence in words(response)
    assert "Pizza!</textarea>" in words(response)
    assert not InvitationLog.objects.exists()


def test_letters_leave_as_long_as_they_can_be_answered():
    workshop = workshop_of(students=1)
    Workshop.objects.update(rsvp_closes_at=noon_tomorrow(workshop) - timedelta(hours=1))

    response = organising(workshop).post(
        invite_button(workshop, "students"), {"send_at": tomorrow(workshop)}
    )

    assert response.status_code == 409
    assert "The letters must leave before answers close." in words(response)
    assert not InvitationLog.objects.exists()


def test_a_line_break_counts_as_one_character():
    workshop = workshop_of(students=1)

    organising(workshop).post(
        invite_button(workshop, "students"), {"note": "x" * 998 + "\r\n\r\n" + "x" * 1000}
    )

    assert InvitationLog.objects.get().note == "x" * 998 + "\n\n" + "x" * 1000


@pytest.mark.parametrize("note", ["x" * 2001, "x" * 10_000_000, "nul \x00"], ids=len)
def test_a_note_that_does_not_fit_is_refused_by_every_button(note):
    workshop = workshop_of(students=1)
    client = organising(workshop)
    buttons = [
        invite_button(workshop, "students"),
        reverse("send_test", args=[workshop.pk]),
        reverse("letter", args=[workshop.pk, "student"]),
    ]

    assert {client.post(button, {"note": note}).status_code for button in buttons} == {400}
    assert not InvitationLog.objects.exists()


def test_the_letter_shows_the_note_that_is_typed_or_was_tested():
    workshop = workshop_of(students=1)
    client = organising(workshop)
    letter = reverse("letter", args=[workshop.pk, "student"])

    typed = client.post(letter, {"note": "Pizza <at> seven!", "as": "coach"})
    tested = client.post(reverse("send_test", args=[workshop.pk]), {"note": "Cake!"})

    assert "Pizza &lt;at&gt; seven!" in words(typed)
    assert "Come and coach with us" in words(typed)
    log = InvitationLog.objects.get()
    assert f'src="{letter}?log={log.pk}"' in words(tested)
    assert "Cake!" in words(client.get(letter, {"log": str(log.pk)}))
    for foreign in ("99999999999", "x", str(10**30)):
        assert "Cake!" not in words(client.get(letter, {"log": foreign}))


def test_a_test_goes_to_whoever_asks_alone_and_once_a_tap():
    workshop = workshop_of(students=3)
    organiser = organiser_of(workshop.chapter)
    client = signed_in(organiser)
    button = reverse("send_test", args=[workshop.pk])
    sent = {"as": "coach", "note": "Pizza!", "send_at": tomorrow(workshop), "request_key": KEY}

    response = client.post(button, sent)
    client.post(button, sent)
    next_key = str(response.context["form"]["request_key"].value())
    client.post(button, sent | {"request_key": next_key})

    logs = InvitationLog.objects.all()
    assert {(log.audience, log.action, log.note, log.status) for log in logs} == {
        (Audience.PEOPLE, "test", "Pizza!", LogStatus.RUNNING)
    }
    entries = [entry for log in logs for entry in log.entries.all()]
    assert [(e.member, e.status, e.priority) for e in entries] == [(organiser, "pending", 0)] * 2
    assert {e.occasion.split()[0] for e in entries} == {"coach"}
    assert f"A test letter is on its way to {organiser.email}." in words(response)
    assert "Pizza!</textarea>" in words(response)
    assert f'value="{sent["send_at"]}"' in words(response)
    assert not Invitation.objects.exists()


# ---- Who may -------------------------------------------------------------------------------


def addresses(workshop):
    return [
        ("get", send_page(workshop)),
        ("get", reverse("letter", args=[workshop.pk, "student"])),
        ("get", reverse("left_out", args=[workshop.pk]) + "?for=students"),
        ("post", invite_button(workshop, "students")),
        ("post", reverse("send_test", args=[workshop.pk])),
        ("post", reverse("letter", args=[workshop.pk, "student"])),
    ]


def test_another_chapters_organiser_and_a_member_find_nothing_here():
    workshop = workshop_of(students=1)
    strangers = [organiser_of(ChapterFactory()), MemberFactory()]

    for stranger in strangers:
        client = signed_in(stranger)
        for method, address in addresses(workshop):
            assert getattr(client, method)(address).status_code == 404

    assert not InvitationLog.objects.exists()


def test_a_workshop_that_does_not_exist_is_not_found():
    workshop = workshop_of(students=1)
    client = organising(workshop)
    workshop.pk = 10**30

    assert client.get(send_page(workshop)).status_code == 404
    assert client.post(invite_button(workshop, "students")).status_code == 404


def test_a_visitor_is_asked_to_sign_in():
    workshop = workshop_of(students=1)

    for method, address in addresses(workshop):
        response = getattr(Client(), method)(address)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))

    assert not InvitationLog.objects.exists()


def test_an_admin_may_invite_for_every_chapter():
    workshop = workshop_of(students=1)

    signed_in(MemberFactory(superuser=True)).post(invite_button(workshop, "students"))

    assert InvitationLog.objects.get().created_at <= timezone.now()
