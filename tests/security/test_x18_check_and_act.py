"""
X18: what is checked and what is done about it are one step, also for two people at once. R12, R20
and R25 ask more of it.
"""

from __future__ import annotations

from functools import partial

import pytest
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer
from invitations.services import inviting, rsvps
from logs.models import InvitationLog
from tests.factories import (
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
)
from tests.support.together import at_once


def test_x18_the_last_place_is_given_once(ledger: None):
    workshop = WorkshopFactory(student_spaces=1)
    invitations = InvitationFactory.create_batch(4, workshop=workshop)

    def accept(invitation) -> bool:
        try:
            rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())
        except rsvps.Refused:
            return False
        return True

    taken = at_once(*[partial(accept, each) for each in invitations])

    assert sorted(taken) == [False, False, False, True]
    assert workshop.invitations.filter(answer=Answer.ATTENDING).count() == 1


def test_x18_one_audience_is_invited_once(ledger: None):
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    organisers = MemberFactory.create_batch(4)

    def click(organiser) -> bool:
        try:
            inviting.invite(workshop, audience="students", initiator=organiser, at=timezone.now())
        except inviting.AlreadyRunning:
            return False
        return True

    begun = at_once(*[partial(click, each) for each in organisers])

    assert sorted(begun) == [False, False, False, True]
    assert InvitationLog.objects.count() == 1


@pytest.mark.django_db
def test_x18_the_page_is_not_believed_about_what_was_true_when_it_was_shown(client):
    invitation = InvitationFactory(workshop__student_spaces=1)
    invitation.refresh_from_db()
    InvitationFactory(workshop=invitation.workshop, answer=Answer.ATTENDING)

    client.post(f"/invitation/{invitation.token}/accept", {"role": "student"})

    invitation.refresh_from_db()
    assert invitation.answer != Answer.ATTENDING
