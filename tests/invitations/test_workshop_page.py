"""One workshop, for those who organise it."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role, WorkshopSponsor
from invitations.models import Answer
from logs.models import Action, Activity, Audience, EntryStatus, InvitationLog, LogStatus
from members.models import Member
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    SponsorFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

QUERIES = 20


def address(workshop) -> str:
    return reverse("organiser_workshop", args=[workshop.pk])


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def page(workshop, member: Member | None = None) -> str:
    client = signed_in(member or organiser_of(workshop.chapter))
    return words(client.get(address(workshop)))


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_it_opens_with_who_is_not_invited_yet():
    workshop = WorkshopFactory(chapter=chapter_with(students=3, coaches=2))
    subscribe(MemberFactory(without_terms=True), workshop.chapter, Role.STUDENT)

    text = page(workshop)

    assert "5 eligible members are not invited yet" in text
    assert "Invite these 5" in text
    assert "1 subscriber gets no letter now" in text
    assert text.count("btn-primary") == 1


def test_when_all_are_invited_it_says_so_and_offers_no_button():
    workshop = WorkshopFactory()
    invited = InvitationFactory(workshop=workshop).member
    log = InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED)
    InvitationLogEntryFactory(log=log, member=invited, status=EntryStatus.SUCCESS)

    text = page(workshop)

    assert "Everyone eligible has been invited" in text
    assert "btn-primary" not in text


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (LogStatus.RUNNING, "Letters are leaving now"),
        (LogStatus.PAUSED, "Sending is paused"),
    ],
)
def test_while_letters_wait_it_says_how_they_do(status, sentence):
    workshop = WorkshopFactory()
    waiting = InvitationFactory(workshop=workshop).member
    log = InvitationLogFactory(workshop=workshop, status=status)
    InvitationLogEntryFactory(log=log, member=waiting)

    text = page(workshop)

    assert sentence in text
    assert "1 to go" in text
    assert reverse("invitation_log", args=[workshop.pk, log.pk]) in text


@pytest.mark.parametrize("students", [0, 12])
def test_a_planned_send_says_when_letters_leave(students):
    workshop = WorkshopFactory(
        chapter=chapter_with(students=students, time_zone="Europe/Berlin"),
        starts_at=datetime(2031, 12, 1, 17, 30, tzinfo=UTC),
    )
    log = InvitationLogFactory(
        workshop=workshop,
        audience=Audience.EVERYONE,
        status=LogStatus.SCHEDULED,
        send_at=datetime(2031, 11, 25, 7, tzinfo=UTC),
    )

    text = page(workshop)

    assert "Letters to everybody leave on Tuesday 25 November at 08:00" in text
    assert f'href="{reverse("invitation_log", args=[workshop.pk, log.pk])}">See what' in text
    for wrong in ("Letters are leaving now", "Invite these", "not invited yet"):
        assert wrong not in text


def test_of_several_planned_sends_the_next_comes_first_and_what_leaves_now_is_named():
    workshop = WorkshopFactory(starts_at=datetime(2031, 12, 1, 17, 30, tzinfo=UTC))
    for audience, day in ((Audience.STUDENTS, 26), (Audience.COACHES, 25)):
        InvitationLogFactory(
            workshop=workshop,
            audience=audience,
            status=LogStatus.SCHEDULED,
            send_at=datetime(2031, 11, day, 8, tzinfo=UTC),
        )
    InvitationLogFactory(workshop=workshop, audience=Audience.EVERYONE, status=LogStatus.PAUSED)

    text = page(workshop)

    heading = "Letters to coaches leave on Tuesday 25 November at 08:00"
    assert f'<h2 id="invited"> {heading} </h2>' in text
    assert "Letters to students leave on Wednesday 26 November at 08:00" in text
    assert "Inviting everybody</a> is paused now." in text


def failed_confirmation(workshop, **fields):
    return InvitationLogEntryFactory(
        log=None,
        workshop=workshop,
        member=InvitationFactory(workshop=workshop, answer=Answer.ATTENDING).member,
        action=Action.CONFIRMATION,
        occasion="1",
        status=EntryStatus.FAILED,
        reason="mailbox full",
        **fields,
    )


def test_a_letter_to_one_person_that_failed_is_tried_again_from_here():
    workshop = WorkshopFactory()
    entry = failed_confirmation(workshop, tries=3)
    organiser = organiser_of(workshop.chapter)
    client = signed_in(organiser)
    retry = reverse("letter_retry", args=[workshop.pk, entry.pk])

    text = words(client.get(address(workshop)))
    assert "1 letter to one person failed" in text
    assert "Mailbox full." in text
    assert f'href="{reverse("member", args=[entry.member_id])}"' in text
    assert f'action="{retry}"' in text

    first = client.post(retry, follow=True)
    second = client.post(retry, follow=True)

    entry.refresh_from_db()
    assert (entry.status, entry.tries) == (EntryStatus.PENDING, 0)
    assert f"The letter to {entry.member.full_name} is tried again." in words(first)
    assert "1 letter to one person failed" not in words(first)
    assert "Nothing is left to try again." in words(second)
    (note,) = Activity.objects.filter(did="tried a single letter again")
    assert (note.by, note.workshop, note.member) == (organiser, workshop, entry.member)


def test_opening_the_address_of_a_retry_changes_nothing():
    entry = failed_confirmation(WorkshopFactory())

    response = signed_in(organiser_of(entry.workshop.chapter)).get(
        reverse("letter_retry", args=[entry.workshop_id, entry.pk])
    )

    entry.refresh_from_db()
    assert response["Location"] == address(entry.workshop)
    assert entry.status == EntryStatus.FAILED


def test_letters_of_another_workshop_or_of_a_log_are_not_tried_again_here():
    workshop = WorkshopFactory()
    elsewhere = failed_confirmation(WorkshopFactory())
    in_a_log = InvitationLogEntryFactory(log__workshop=workshop, status=EntryStatus.FAILED)
    client = signed_in(organiser_of(workshop.chapter))

    for entry in (elsewhere, in_a_log):
        response = client.post(reverse("letter_retry", args=[workshop.pk, entry.pk]))
        entry.refresh_from_db()
        assert (response.status_code, entry.status) == (404, EntryStatus.FAILED)


@pytest.mark.parametrize("workshop", [{"past": True}, {"cancelled": True}])
def test_no_letter_is_tried_again_that_would_not_leave_any_more(workshop):
    workshop = WorkshopFactory(**workshop)
    failed_confirmation(workshop)

    assert "1 letter to one person failed" not in page(workshop)


def test_of_many_letters_that_failed_the_first_are_listed():
    workshop = WorkshopFactory()
    for _ in range(12):
        failed_confirmation(workshop)

    text = page(workshop)

    assert "12 letters to one person each failed" in text
    assert text.count("Retry<span") == 10
    assert "These are the first 10." in text


def test_whoever_reckons_with_a_workshop_that_has_moved_is_to_be_told():
    workshop = WorkshopFactory(sequence=2)
    tell = f'href="{reverse("workshop_tell", args=[workshop.pk])}"'
    assert tell not in page(workshop), "nobody comes or waits"

    InvitationFactory(workshop=workshop, answer=Answer.WAITING)
    InvitationLogFactory(workshop=workshop, action=Action.CHANGE, occasion="1")
    text = page(workshop)
    assert "It has moved since people were invited" in text
    assert tell in text

    InvitationLogFactory(workshop=workshop, action=Action.CHANGE, occasion="2")
    assert tell not in page(workshop)


@pytest.mark.parametrize("workshop", [{"sequence": 0}, {"past": True}, {"cancelled": True}])
def test_nobody_is_to_be_told_of_a_workshop_that_stayed_or_is_over(workshop):
    workshop = WorkshopFactory(**{"sequence": 1} | workshop)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)

    assert "It has moved" not in page(workshop)


def test_a_call_is_told_with_its_channel_and_the_description():
    workshop = WorkshopFactory(virtual=True, description="Bring a laptop.\n<b>Really</b>")

    text = page(workshop)

    assert 'Slack: <a href="https://chat.example/workshops">workshops</a>' in text
    assert "Bring a laptop.<br>&lt;b&gt;Really&lt;/b&gt;" in text


def test_a_channel_that_is_no_page_is_no_link():
    workshop = WorkshopFactory(virtual=True, slack_channel_link="javascript:alert(1)")

    text = page(workshop)

    assert "Slack: workshops" in text
    assert "javascript:" not in text


def test_right_after_the_click_nobody_is_asked_to_click_again():
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    InvitationLogFactory(workshop=workshop, status=LogStatus.PREPARING)

    text = page(workshop)

    assert "Letters are being prepared" in text
    assert "Invite these 3" not in text


def test_a_chapter_without_subscribers_has_nobody_to_invite():
    assert "There is nobody to invite" in page(WorkshopFactory())


@pytest.mark.parametrize(
    ("workshop", "why"),
    [
        ({"past": True}, "This workshop has already begun"),
        ({"is_invitable": False}, "This workshop is not open for invitations."),
        ({"host": None}, "The venue is missing, so nobody can be invited."),
    ],
)
def test_it_says_why_nobody_can_be_invited(workshop, why):
    workshop = WorkshopFactory(chapter=chapter_with(students=1), **workshop)

    text = page(workshop)

    assert "Nobody can be invited now" in text
    assert why in text
    assert reverse("send_invites", args=[workshop.pk]) not in text


def test_a_cancelled_workshop_says_so_and_offers_nothing_that_is_over():
    workshop = WorkshopFactory(chapter=chapter_with(students=1), cancelled=True)

    text = page(workshop)

    assert "This workshop is cancelled" in text
    for name in ("send_invites", "write", "workshop_edit", "door"):
        assert reverse(name, args=[workshop.pk]) + '"' not in text
    for name in ("attendance", "changes"):
        assert reverse(name, args=[workshop.pk]) + '"' in text


def test_everything_one_can_do_is_one_click_away():
    workshop = WorkshopFactory(chapter=chapter_with(students=1))

    text = page(workshop)

    for name in (
        *("workshop_edit", "send_invites", "write", "attendance", "door", "changes"),
        *("rsvp", "workshop_sponsors"),
    ):
        assert f'href="{reverse(name, args=[workshop.pk])}"' in text


def test_who_is_missing_is_named():
    chapter = chapter_with()
    for n in range(12):
        subscribe(MemberFactory(name=f"Ada{n:02}", surname=""), chapter, Role.STUDENT)
    workshop = WorkshopFactory(chapter=chapter)

    text = page(workshop)

    assert text.count(">Ada") == 10
    assert "and 2 more." in text


def invited(workshop, *audiences: Audience, status: LogStatus = LogStatus.COMPLETED) -> None:
    for audience in audiences:
        InvitationLogFactory(workshop=workshop, audience=audience, status=status)


@pytest.mark.parametrize("audiences", [[Audience.EVERYONE], [Audience.STUDENTS, Audience.COACHES]])
def test_after_everybody_was_invited_one_click_invites_exactly_those_who_are_missing(audiences):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    invited(workshop, *audiences)
    client = signed_in(organiser_of(workshop.chapter))
    invite = f"{reverse('invite', args=[workshop.pk])}?for=everyone"

    assert f'action="{invite}"' in words(client.get(address(workshop)))
    client.post(invite, {"seen_count": 3})

    log = InvitationLog.objects.latest("pk")
    assert (log.audience, log.seen_count) == ("everyone", 3)
    assert f'action="{invite}"' not in words(client.get(address(workshop)))


def test_a_double_tap_on_that_click_makes_one_log():
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    invited(workshop, Audience.EVERYONE)
    client = signed_in(organiser_of(workshop.chapter))
    key = re.search(r'name="request_key" value="([^"]+)"', words(client.get(address(workshop))))
    assert key
    typed = {"seen_count": 3, "request_key": key.group(1)}
    invite = f"{reverse('invite', args=[workshop.pk])}?for=everyone"

    first = client.post(invite, typed)
    InvitationLog.objects.update(status=LogStatus.COMPLETED)
    second = client.post(invite, typed)

    assert first["Location"] == second["Location"]
    assert InvitationLog.objects.count() == 2


@pytest.mark.parametrize("audiences", [[], [Audience.STUDENTS], [Audience.COACHES]])
def test_before_that_the_button_leads_to_the_numbers(audiences):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    invited(workshop, *audiences)

    text = page(workshop)

    assert "Invite these 3" in text
    assert reverse("invite", args=[workshop.pk]) + "?" not in text


def test_free_places_while_somebody_waits_want_a_look():
    workshop = WorkshopFactory(student_spaces=3)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.WAITING)

    text = page(workshop)

    assert "3 student places are free and 2 wait" in text
    assert (
        "Those in line cannot have them now: they are suspended, at another workshop that day, "
        "or answers are closed." in text
    )


def test_links_are_called_as_the_pages_they_lead_to():
    workshop = WorkshopFactory()

    text = page(workshop)

    for name, heading in (
        ("attendance", "Who comes"),
        ("door", "Who is here?"),
        ("rsvp", "Add somebody"),
    ):
        assert f'href="{reverse(name, args=[workshop.pk])}">{heading}</a>' in text


def test_the_evening_is_told_with_address_answers_sponsors_and_organisers():
    workshop = WorkshopFactory(
        chapter__time_zone="Europe/Berlin",
        host=SponsorFactory(name="The Hall", flat="", street="1 High Street", postal_code="E1"),
        starts_at=datetime(2031, 6, 9, 16, tzinfo=UTC),
        rsvp_opens_at=datetime(2031, 6, 1, 16, tzinfo=UTC),
        rsvp_closes_at=datetime(2031, 6, 9, 10, tzinfo=UTC),
    )
    WorkshopSponsor.objects.create(workshop=workshop, sponsor=SponsorFactory(name="Pizza Ltd"))
    workshop.organisers.add(MemberFactory(name="Maya", surname="Osei"))

    text = page(workshop)

    assert "The Hall <small>1 High Street, London, E1</small>" in text
    assert "from 1 June, 18:00 until 9 June, 12:00" in text
    assert "Pizza Ltd" in text
    assert "Maya Osei" in text


def test_of_many_who_come_ten_are_shown_and_all_are_one_click_away():
    workshop = WorkshopFactory(student_spaces=30)
    InvitationFactory.create_batch(12, workshop=workshop, answer=Answer.ATTENDING)

    response = signed_in(organiser_of(workshop.chapter)).get(address(workshop))

    assert len(response.context["coming"]) == 10
    assert "All 12 people who are coming" in words(response)
    assert words(response).count("first time") == 10


def test_an_organiser_of_this_workshop_only_meets_no_page_of_the_chapter():
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    helper = MemberFactory()
    workshop.organisers.add(helper)

    text = page(workshop, helper)

    assert reverse("chapter", args=[workshop.chapter_id]) not in text
    assert reverse("chapter", args=[workshop.chapter_id]) in page(workshop)


def test_times_are_those_of_the_chapter():
    workshop = WorkshopFactory(
        chapter__name="Berlin",
        chapter__time_zone="Europe/Berlin",
        starts_at=datetime(2040, 1, 18, 18, 30, tzinfo=UTC),
    )

    assert "19:30 to 21:30 (Berlin time, CET)" in page(workshop)


def test_the_answers_are_counted_and_those_who_come_are_named():
    workshop = WorkshopFactory(student_spaces=30, coach_spaces=10)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, note="Vegan", member__name="Lena")
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, role=Role.COACH)
    InvitationFactory.create_batch(2, workshop=workshop, answer=Answer.DECLINED)
    InvitationFactory.create_batch(3, workshop=workshop)
    BanFactory(
        member=InvitationFactory(
            workshop=workshop, answer=Answer.ATTENDING, member__name="Banned"
        ).member
    )

    response = signed_in(organiser_of(workshop.chapter)).get(address(workshop))

    overview = response.context["overview"]
    assert [(places.name, places.taken, places.capacity) for places in overview.places] == [
        ("students", 1, 30),
        ("coaches", 1, 10),
    ]
    assert (overview.waiting, overview.declined, overview.unanswered) == (0, 2, 3)
    text = words(response)
    assert "Lena" in text
    assert "“Vegan”" in text
    assert "Banned Tester" not in text


def test_another_chapters_organiser_finds_nothing():
    workshop = WorkshopFactory()

    response = signed_in(organiser_of(ChapterFactory())).get(address(workshop))

    assert response.status_code == 404


def test_a_member_finds_nothing():
    response = signed_in(MemberFactory()).get(address(WorkshopFactory()))

    assert response.status_code == 404


def test_an_admin_may_look():
    assert "Nobody has been written to yet." in page(
        WorkshopFactory(), MemberFactory(superuser=True)
    )


def test_visitors_are_asked_to_sign_in():
    workshop = WorkshopFactory()

    response = Client().get(address(workshop))

    assert response.url == f"/accounts/login/?next={address(workshop)}"


def test_looking_is_all_one_can_do():
    workshop = WorkshopFactory()

    assert signed_in(organiser_of(workshop.chapter)).post(address(workshop)).status_code == 405


def test_queries_do_not_grow_with_the_lists(django_assert_num_queries):
    workshop = WorkshopFactory()
    organiser = organiser_of(workshop.chapter)
    for more in (1, 2):
        InvitationFactory.create_batch(more, workshop=workshop, answer=Answer.ATTENDING)
        log = InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED)
        InvitationLogEntryFactory.create_batch(more, log=log)
        client = signed_in(organiser)
        with django_assert_num_queries(QUERIES):
            client.get(address(workshop))
