"""Where an organiser begins."""

import pytest
from django.test import Client
from django.urls import reverse

from invitations.models import Answer
from logs.models import EntryStatus, LogStatus, Switch
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
)

pytestmark = pytest.mark.django_db


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def portal_of(member: Member) -> str:
    return words(signed_in(member).get(reverse("portal")))


def test_visitors_are_asked_to_sign_in():
    response = Client().get(reverse("start"), follow=True)

    assert response.redirect_chain[-1] == ("/accounts/login/?next=/admin/", 302)


def test_it_opens_with_what_needs_the_organiser():
    brighton = chapter_with(students=2, name="Brighton")
    WorkshopFactory(chapter=brighton)

    text = portal_of(organiser_of(brighton))

    assert "Hello, Olu" in text
    assert "One workshop is coming up. One could use your help." in text
    assert "2 eligible members are not invited yet." in text
    assert "2 subscribers" in text


def test_the_next_workshop_stands_first():
    chapter = ChapterFactory(name="Brighton")
    WorkshopFactory(chapter=chapter, starts_at=in_days(30))
    soon = WorkshopFactory(chapter=chapter, starts_at=in_days(3), student_spaces=30)
    InvitationFactory(workshop=soon, answer=Answer.ATTENDING)

    response = signed_in(organiser_of(chapter)).get(reverse("portal"))

    assert response.context["next"].workshop == soon
    assert "1 <small>of 30</small>" in words(response)


def test_past_cancelled_and_foreign_workshops_are_left_out():
    chapter = ChapterFactory()
    WorkshopFactory(chapter=chapter, past=True)
    WorkshopFactory(chapter=chapter, cancelled=True)
    WorkshopFactory()

    text = portal_of(organiser_of(chapter))

    assert "No workshop is planned yet." in text
    assert "No workshop is coming up" in text


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

    assert "codebar Brighton" in text
    assert "codebar Oxford" in text


def test_a_member_who_organises_nothing_is_welcome():
    text = portal_of(MemberFactory(name="Pia"))

    assert "Hello, Pia" in text
    assert "You organise no chapter" in text


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


def test_many_workshops_are_folded_away():
    chapter = ChapterFactory()
    for days in range(3, 16):
        WorkshopFactory(chapter=chapter, starts_at=in_days(days))

    assert "<summary>2 more</summary>" in portal_of(organiser_of(chapter))


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
        with django_assert_num_queries(14):
            client.get(reverse("portal"))
