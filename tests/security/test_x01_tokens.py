"""X1: what opens a page without an account cannot be guessed, serves one purpose, and ends."""

from __future__ import annotations

import re
from math import log2

import pytest
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, FeedbackRequest, Invitation
from invitations.services import closing, preparing, unsubscribing
from invitations.services.manager import InvitationManager
from tests.factories import InvitationFactory, MemberFactory, WorkshopFactory, chapter_with

pytestmark = pytest.mark.django_db

URL_SAFE = 64  # characters that a token is made of
BITS = 128


def invitations(count: int) -> list[Invitation]:
    workshop = WorkshopFactory()
    made = InvitationFactory.create_batch(count, workshop=workshop, answer=Answer.ATTENDING)
    return list(Invitation.objects.filter(pk__in=[one.pk for one in made]))


def feedback_tokens(invited: list[Invitation]) -> list[str]:
    FeedbackRequest.objects.bulk_create(FeedbackRequest(invitation=one) for one in invited)
    return list(FeedbackRequest.objects.values_list("token", flat=True))


def test_x01_tokens_have_more_than_128_bits_and_are_never_the_same():
    invited = invitations(20)
    tokens = [one.token for one in invited] + feedback_tokens(invited)

    assert len(set(tokens)) == 40
    for token in tokens:
        assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
        assert len(token) * log2(URL_SAFE) > BITS
    for place in range(len(tokens[0]) - 3):  # nothing in them stays, as a time or a number would
        assert len({token[place : place + 4] for token in tokens}) > 20


def test_x01_what_one_batch_is_made_of_the_next_does_not_know():
    chapter = chapter_with(students=20)
    for _ in range(2):
        workshop = WorkshopFactory(chapter=chapter)
        log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
        preparing.prepare(log.pk)

    tokens = list(Invitation.objects.values_list("token", flat=True))
    assert len(set(tokens)) == 40
    for token in tokens:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    for place in range(len(tokens[0]) - 3):
        assert len({token[place : place + 4] for token in tokens}) > 20


def test_x01_a_token_opens_the_page_it_was_made_for_and_no_other(client):
    (invitation,) = invitations(1)
    (feedback,) = feedback_tokens([invitation])
    unsubscribe = unsubscribing.token_for(
        member_id=invitation.member_id,
        chapter_id=invitation.workshop.chapter_id,
        role=Role.STUDENT,
    )
    pages = {
        f"/invitation/{invitation.token}": {invitation.token},
        f"/feedback/{feedback}": {feedback},
        f"/unsubscribe/{unsubscribe}": {unsubscribe},
    }

    for page, fitting in pages.items():
        before = page.rsplit("/", 1)[0]
        opened = {
            token
            for token in (invitation.token, feedback, unsubscribe)
            if client.get(f"{before}/{token}", follow=True).status_code == 200
        }
        assert opened == fitting


def test_x01_a_token_ends_with_the_account(client):
    (invitation,) = invitations(1)
    (feedback,) = feedback_tokens([invitation])
    assert client.get(f"/invitation/{invitation.token}").status_code == 200

    closing.close(invitation.member, at=timezone.now())

    assert client.get(f"/invitation/{invitation.token}").status_code == 404
    assert client.get(f"/feedback/{feedback}").status_code == 404


def test_x01_a_token_answers_nothing_once_the_workshop_is_over(client):
    invitation = InvitationFactory(workshop=WorkshopFactory(past=True))
    invitation.refresh_from_db()

    client.post(f"/invitation/{invitation.token}/accept", {"role": "student"})

    invitation.refresh_from_db()
    assert invitation.answer == Answer.NONE
