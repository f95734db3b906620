"""Where an organiser begins."""

import pytest
from django.test import Client
from django.urls import reverse

from invitations.models import Answer
from logs.models import EntryStatus, LogStatus
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
        with django_assert_num_queries(11):
            client.get(reverse("portal"))
