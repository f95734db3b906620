"""Where an organiser begins."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer
from invitations.queries import audiences, overviews
from invitations.views import organising
from logs.models import Action, Audience, EntryStatus, LogStatus, Switch
from logs.services import holds
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

QUERIES = 18


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def portal_of(member: Member) -> str:
    return words(signed_in(member).get(reverse("portal")))


def test_visitors_are_asked_to_sign_in():
    response = Client().get(reverse("portal"), follow=True)

    assert response.redirect_chain[-1] == ("/accounts/login/?next=/admin/", 302)


def test_it_opens_with_what_needs_the_organiser():
    brighton = chapter_with(students=2, name="Brighton")
    WorkshopFactory(chapter=brighton)

    text = portal_of(organiser_of(brighton))

    assert "One workshop is coming up. One could use your help." in text
    assert "2 eligible members are not invited yet." in text
    assert "2 subscribers" in text
    assert reverse("workshop_new") in text


def test_the_next_workshop_stands_first():
    chapter = ChapterFactory(name="Brighton")
    WorkshopFactory(chapter=chapter, starts_at=in_days(30))
    soon = WorkshopFactory(chapter=chapter, starts_at=in_days(3), student_spaces=30)
    InvitationFactory(workshop=soon, answer=Answer.ATTENDING)

    response = signed_in(organiser_of(chapter)).get(reverse("portal"))

    assert response.context["coming"][0].workshop == soon
    assert "1 <small>of 30</small>" in words(response)


def test_past_cancelled_and_foreign_workshops_are_left_out():
    chapter = ChapterFactory()
    WorkshopFactory(chapter=chapter, past=True)
    WorkshopFactory(chapter=chapter, cancelled=True)
    WorkshopFactory()

    text = portal_of(organiser_of(chapter))

    assert "No workshop is planned yet." in text
    assert "No workshop is coming up" in text


def test_while_a_workshop_is_on_start_leads_to_the_door():
    chapter = chapter_with(students=2)
    begun = timezone.now() - timedelta(minutes=1)
    workshop = WorkshopFactory(chapter=chapter, starts_at=begun, host=None)

    text = portal_of(organiser_of(chapter))

    assert "One workshop is on now. Nothing needs you now." in text
    assert "It has begun, and ends at" in text
    door = reverse("door", args=[workshop.pk])
    assert f'<a class="btn btn-primary" href="{door}">Who is here?</a>' in text


def test_once_it_is_over_it_leaves_start():
    chapter = ChapterFactory()
    WorkshopFactory(chapter=chapter, starts_at=timezone.now() - timedelta(hours=2, minutes=1))

    assert "No workshop is coming up" in portal_of(organiser_of(chapter))


def test_a_planned_send_is_told_and_needs_nobody():
    workshop = WorkshopFactory(
        chapter=chapter_with(students=12, time_zone="Europe/Berlin"),
        starts_at=datetime(2031, 12, 1, 17, 30, tzinfo=UTC),
    )
    InvitationLogFactory(
        workshop=workshop,
        audience=Audience.EVERYONE,
        status=LogStatus.SCHEDULED,
        send_at=datetime(2031, 11, 25, 7, tzinfo=UTC),
    )

    text = portal_of(organiser_of(workshop.chapter))

    assert "One workshop is coming up. Nothing needs you now." in text
    assert "Letters to everybody leave on Tuesday 25 November at 08:00." in text
    assert "Invite these" not in text
    assert "not invited yet" not in text


def test_people_to_invite_are_one_click_away():
    workshop = WorkshopFactory(chapter=chapter_with(students=2))

    text = portal_of(organiser_of(workshop.chapter))

    send = reverse("send_invites", args=[workshop.pk])
    assert f'<a class="btn btn-primary" href="{send}">Invite these 2 </a>' in text


def test_what_failed_is_one_click_away():
    log = InvitationLogFactory(status=LogStatus.COMPLETED)
    InvitationLogEntryFactory(log=log, status=EntryStatus.FAILED)

    text = portal_of(organiser_of(log.chapter))

    assert f'href="{reverse("invitation_logs", args=[log.workshop_id])}">See which failed' in text
    page = reverse("invitation_log", args=[log.workshop_id, log.pk])
    assert f'<a href="{page}?show=failed">1 failed</a>' in text


def test_times_of_several_chapters_name_their_zone():
    log = InvitationLogFactory(
        workshop__chapter__time_zone="Europe/Berlin",
        created_at=datetime(2031, 6, 9, 16, tzinfo=UTC),
    )

    assert "9 June, 18:00 CEST" in portal_of(organiser_of(log.chapter))


def test_admins_find_the_staff_pages_and_nobody_else_does():
    link = f'href="{reverse("admin:index")}"'
    ChapterFactory()

    assert link in portal_of(MemberFactory(superuser=True))
    assert link not in portal_of(organiser_of(ChapterFactory()))


def test_failures_and_a_missing_venue_are_named():
    chapter = ChapterFactory()
    WorkshopFactory(chapter=chapter)
    log = InvitationLogFactory(
        workshop__chapter=chapter, workshop__starts_at=in_days(20), status=LogStatus.COMPLETED
    )
    InvitationLogEntryFactory(log=log, status=EntryStatus.FAILED)
    WorkshopFactory(chapter=chapter, host=None, starts_at=in_days(25))

    text = portal_of(organiser_of(chapter))

    assert '<span class="status is-failed">1 failed</span>' in text
    assert "The venue is missing, so nobody can be invited." in text


def test_another_chapters_letters_are_not_shown():
    InvitationLogFactory(initiator__name="Somebodyelse")

    assert "Somebodyelse" not in portal_of(organiser_of(ChapterFactory()))


def test_an_admin_sees_every_chapter():
    ChapterFactory(name="Brighton")
    ChapterFactory(name="Oxford")

    text = portal_of(MemberFactory(superuser=True))

    assert ">Brighton</a>" in text
    assert ">Oxford</a>" in text


def test_who_organises_nothing_goes_on_to_their_own_page():
    client = Client()
    client.force_login(MemberFactory())
    assert client.get(reverse("portal")).headers["Location"] == reverse("dashboard")

    client.force_login(MemberFactory(superuser=True))
    assert client.get(reverse("portal")).headers["Location"] == reverse("chapters")


def test_it_says_that_sending_is_stopped():
    chapter = ChapterFactory(name="Brighton")
    Switch.objects.create(chapter=chapter, is_on=False)
    Switch.objects.create(chapter=ChapterFactory(name="Oxford"), is_on=False)

    text = portal_of(organiser_of(chapter))

    assert "Sending is stopped for codebar Brighton." in text

    Switch.objects.filter(chapter=None).update(is_on=False)

    assert "Sending is stopped." in portal_of(organiser_of(chapter))


def test_it_says_that_the_mail_server_refuses():
    holds.hold(reason="421 too many connections")

    text = portal_of(organiser_of(ChapterFactory()))

    assert "Waiting for the mail server" in text
    assert "421 too many connections" in text


def test_of_many_workshops_the_next_are_shown_and_all_are_one_click_away():
    chapter = ChapterFactory()
    for days in range(3, 16):
        WorkshopFactory(chapter=chapter, starts_at=in_days(days))

    response = signed_in(organiser_of(chapter)).get(reverse("portal"))

    assert len(response.context["coming"]) == 11
    text = words(response)
    assert "13 workshops are coming up." in text
    assert "All 13 workshops" in text


def test_of_many_chapters_some_are_shown_and_all_are_one_click_away():
    for n in range(8):
        ChapterFactory(name=f"City {n}")

    text = portal_of(MemberFactory(superuser=True))

    assert text.count(">City ") == 6
    assert f'<a href="{reverse("chapters")}">All chapters</a>' in text


@pytest.mark.parametrize(
    ("hour", "greeting"),
    [(4, "Good evening"), (6, "Good morning"), (13, "Good afternoon"), (18, "Good evening")],
)
def test_the_greeting_follows_the_clocks_of_the_chapter(hour, greeting):
    singapore = ChapterFactory.build(time_zone="Asia/Singapore")
    at = datetime(2026, 6, 9, hour, tzinfo=ZoneInfo("Asia/Singapore")).astimezone(UTC)

    assert organising._greeting(singapore, at=at) == greeting


def test_an_organiser_of_one_workshop_has_a_start_of_their_own():
    workshop = WorkshopFactory(chapter=chapter_with(students=2, name="Brighton"))
    WorkshopFactory(chapter=workshop.chapter)
    log = InvitationLogFactory(workshop=workshop)
    InvitationLogFactory(workshop__chapter=workshop.chapter)
    Switch.objects.create(chapter=workshop.chapter, is_on=False)
    helper = MemberFactory(name="Hal")
    workshop.organisers.add(helper)

    response = signed_in(helper).get(reverse("portal"))

    assert [outlook.workshop for outlook in response.context["coming"]] == [workshop]
    assert [sent.log for sent in response.context["sent"]] == [log]
    text = words(response)
    assert ", Hal</h1>" in text
    assert "Sending is stopped for codebar Brighton." in text
    assert "My chapters" not in text
    assert reverse("workshop_new") not in text


# ---- What a workshop needs -----------------------------------------------------------------


def needs(workshop) -> list[str]:
    (outlook,) = overviews.outlooks([workshop], at=timezone.now())
    return outlook.needs


def test_eligible_members_count_as_they_do_on_the_button():
    chapter = chapter_with(students=2, coaches=1)
    both = subscribe(MemberFactory(), chapter, Role.STUDENT, Role.COACH)
    for out in ({"banned": True}, {"closed": True}, {"without_terms": True}, {"unreachable": True}):
        subscribe(MemberFactory(**out), chapter, Role.STUDENT)
    workshop, other = WorkshopFactory.create_batch(2, chapter=chapter)
    log = InvitationLogFactory(workshop=workshop)
    for status in EntryStatus:
        entry = InvitationLogEntryFactory(log=log, status=status)
        subscribe(entry.member, chapter, Role.STUDENT)
    InvitationFactory(workshop=workshop, answer=Answer.DECLINED)
    InvitationFactory(workshop=workshop, member=both)

    counted = overviews.to_invite([workshop, other])

    assert counted == {
        each.pk: audiences.reach(each, Audience.EVERYONE).to_invite for each in (workshop, other)
    }
    assert counted == {workshop.pk: 7, other.pk: 12}


def test_free_places_while_somebody_waits_are_named():
    workshop = WorkshopFactory(student_spaces=3, coach_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    InvitationFactory.create_batch(6, workshop=workshop, answer=Answer.WAITING)
    InvitationFactory(workshop=workshop, role=Role.COACH, answer=Answer.ATTENDING)
    InvitationFactory(workshop=workshop, role=Role.COACH, answer=Answer.WAITING)

    assert needs(workshop) == ["2 student places are free and 6 wait."]


def test_a_pause_and_doubts_are_named():
    log = InvitationLogFactory(status=LogStatus.PAUSED)
    InvitationLogEntryFactory(log=log)
    InvitationLogEntryFactory(log=log, status=EntryStatus.UNKNOWN)

    assert needs(log.workshop) == ["Sending is paused.", "1 letter is in doubt."]


def test_a_letter_that_another_log_replaced_has_not_failed():
    workshop = WorkshopFactory()
    first, second = InvitationLogFactory.create_batch(
        2, workshop=workshop, status=LogStatus.COMPLETED
    )
    replaced = InvitationLogEntryFactory(log=first, status=EntryStatus.FAILED)
    InvitationLogEntryFactory(log=second, member=replaced.member, status=EntryStatus.SUCCESS)

    assert needs(workshop) == []

    InvitationLogEntryFactory(log=first, status=EntryStatus.FAILED)

    assert needs(workshop) == ["1 letter failed."]


def test_letters_of_no_log_that_failed_are_named():
    workshop = WorkshopFactory()

    def failed() -> None:
        InvitationLogEntryFactory(
            log=None,
            workshop=workshop,
            action=Action.CONFIRMATION,
            status=EntryStatus.FAILED,
        )

    failed()
    assert needs(workshop) == ["1 letter to one person failed."]
    failed()
    assert needs(workshop) == ["2 single letters failed."]


def test_a_test_letter_is_no_invitation():
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    test = InvitationLogFactory(workshop=workshop, action=Action.TEST, audience=Audience.PEOPLE)
    InvitationLogEntryFactory(log=test, action=Action.TEST, status=EntryStatus.FAILED)

    assert needs(workshop) == ["1 eligible member is not invited yet."]
    assert "not invited" in portal_of(organiser_of(workshop.chapter))


def test_what_cannot_be_invited_to_says_so_and_not_how_many_are_missing():
    chapter = chapter_with(students=1)

    assert needs(WorkshopFactory(chapter=chapter, host=None)) == [
        "The venue is missing, so nobody can be invited."
    ]
    assert needs(WorkshopFactory(chapter=chapter, is_invitable=False)) == [
        "It is not open for invitations."
    ]
    assert needs(WorkshopFactory(chapter=chapter, rsvp_closes_at=in_days(-1))) == []


def test_queries_do_not_grow_with_the_lists(django_assert_num_queries):
    chapter = ChapterFactory()
    organiser = organiser_of(chapter)
    for more in (1, 2):
        for _ in range(more):
            workshop = WorkshopFactory(chapter=chapter)
            InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
            log = InvitationLogFactory(workshop=workshop)
            InvitationLogEntryFactory.create_batch(more, log=log)
            organiser.organised_chapters.add(chapter_with(students=more))
        client = signed_in(organiser)
        with django_assert_num_queries(QUERIES):
            client.get(reverse("portal"))
