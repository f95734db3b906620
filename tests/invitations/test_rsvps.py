"""Answering: who gets a place, who does not and why, and what is written down."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.services import rsvps
from logs.models import Action, EntryStatus, InvitationLogEntry
from tests.factories import (
    BanFactory,
    InvitationFactory,
    WorkshopFactory,
    in_days,
    subscribe,
)

pytestmark = pytest.mark.django_db


def accept(invitation, *, role=Role.STUDENT, note="", at=None):
    rsvps.accept(invitation, role=role, note=note, at=at or timezone.now())
    invitation.refresh_from_db()


def decline(invitation, *, at=None):
    rsvps.decline(invitation, at=at or timezone.now())
    invitation.refresh_from_db()


def confirmations(invitation) -> list[tuple[str, str]]:
    entries = InvitationLogEntry.objects.filter(
        member=invitation.member, workshop=invitation.workshop, action=Action.CONFIRMATION
    )
    return list(entries.order_by("pk").values_list("occasion", "status"))


def test_accepting_gives_a_place_and_writes_a_confirmation():
    invitation = InvitationFactory()
    now = timezone.now()

    accept(invitation, note="I bring my own laptop", at=now)

    assert (
        invitation.answer,
        invitation.answer_number,
        invitation.answered_at,
        invitation.note,
    ) == (Answer.ATTENDING, 1, now, "I bring my own laptop")
    assert confirmations(invitation) == [("1", EntryStatus.PENDING)]


def test_accepting_twice_changes_nothing():
    invitation = InvitationFactory()
    accept(invitation)
    before = Invitation.objects.values().get(pk=invitation.pk)

    accept(invitation, at=timezone.now() + timedelta(hours=1))

    assert Invitation.objects.values().get(pk=invitation.pk) == before
    assert confirmations(invitation) == [("1", EntryStatus.PENDING)]


def test_a_note_can_be_changed_without_another_letter():
    invitation = InvitationFactory()
    accept(invitation, note="Vegan")

    accept(invitation, note="Vegan, and I come late")

    assert (invitation.note, invitation.answer_number) == ("Vegan, and I come late", 1)
    assert confirmations(invitation) == [("1", EntryStatus.PENDING)]


def test_the_last_place_is_given_once():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    late = InvitationFactory(workshop=workshop)

    with pytest.raises(rsvps.WorkshopFull) as refused:
        accept(late)

    late.refresh_from_db()
    assert (late.answer, late.answer_number) == (Answer.NONE, 0)
    assert "All 1 places for students are taken." in refused.value.message
    assert confirmations(late) == []


def test_the_roles_have_places_of_their_own():
    workshop = WorkshopFactory(student_spaces=1, coach_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    coach = InvitationFactory(workshop=workshop, role=Role.COACH)

    accept(coach, role=Role.COACH)

    assert coach.is_attending


def test_whoever_was_banned_meanwhile_takes_no_place():
    workshop = WorkshopFactory(student_spaces=1)
    banned = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    BanFactory(member=banned.member)
    next_one = InvitationFactory(workshop=workshop)

    accept(next_one)

    assert next_one.is_attending


def test_declining_frees_the_place():
    workshop = WorkshopFactory(student_spaces=1)
    leaving = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    next_one = InvitationFactory(workshop=workshop)

    decline(leaving)
    accept(next_one)

    assert (leaving.answer, leaving.answer_number) == (Answer.DECLINED, 2)
    assert next_one.is_attending


def test_declining_twice_changes_nothing():
    invitation = InvitationFactory()
    decline(invitation)
    before = Invitation.objects.values().get(pk=invitation.pk)

    decline(invitation, at=timezone.now() + timedelta(hours=1))

    assert Invitation.objects.values().get(pk=invitation.pk) == before


def test_a_change_of_mind_is_confirmed_again():
    invitation = InvitationFactory()

    accept(invitation)
    decline(invitation)
    accept(invitation)

    assert (invitation.answer, invitation.answer_number) == (Answer.ATTENDING, 3)
    assert [occasion for occasion, _ in confirmations(invitation)] == ["1", "3"]


def test_somebody_in_both_groups_changes_the_role():
    invitation = InvitationFactory(role=Role.COACH)
    subscribe(invitation.member, invitation.workshop.chapter, Role.STUDENT)
    accept(invitation, role=Role.COACH)

    accept(invitation, role=Role.STUDENT)

    assert (invitation.role, invitation.answer_number) == (Role.STUDENT, 2)


def test_a_role_without_its_group_is_refused():
    invitation = InvitationFactory(role=Role.STUDENT)

    with pytest.raises(rsvps.NotSubscribed) as refused:
        accept(invitation, role=Role.COACH)

    assert "coach group" in refused.value.message


def test_a_banned_member_gets_no_place_but_may_decline():
    invitation = InvitationFactory()
    BanFactory(member=invitation.member)

    with pytest.raises(rsvps.Banned):
        accept(invitation)
    decline(invitation)

    assert invitation.has_declined


def test_an_expired_ban_does_not_matter():
    invitation = InvitationFactory()
    BanFactory(member=invitation.member, expires_at=in_days(-1))

    accept(invitation)

    assert invitation.is_attending


@pytest.mark.parametrize(
    ("workshop", "why"),
    [
        ({"cancelled": True}, rsvps.WorkshopCancelled),
        ({"past": True}, rsvps.WorkshopBegun),
        ({"rsvp_closes_at": in_days(-1)}, rsvps.RsvpClosed),
    ],
)
def test_answers_that_come_too_late_change_nothing(workshop, why):
    invitation = InvitationFactory(workshop=WorkshopFactory(**workshop))

    with pytest.raises(why):
        accept(invitation)
    with pytest.raises(why):
        decline(invitation)

    invitation.refresh_from_db()
    assert invitation.answer == Answer.NONE


def test_answers_are_taken_until_the_very_deadline():
    closes_at = in_days(1)
    workshop = WorkshopFactory(rsvp_closes_at=closes_at)

    accept(InvitationFactory(workshop=workshop), at=closes_at - timedelta(microseconds=1))
    with pytest.raises(rsvps.RsvpClosed):
        accept(InvitationFactory(workshop=workshop), at=closes_at)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_exactly_the_places_there_are():
    workshop = WorkshopFactory(student_spaces=3)
    invitations = InvitationFactory.create_batch(12, workshop=workshop)

    def try_to_accept(invitation) -> bool:
        try:
            rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())
        except rsvps.WorkshopFull:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as people:
        got_a_place = list(people.map(try_to_accept, invitations))

    assert sum(got_a_place) == 3
    assert workshop.invitations.attending().count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_person_clicking_in_two_windows_is_confirmed_once():
    invitation = InvitationFactory()

    def click(_) -> None:
        try:
            rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as windows:
        list(windows.map(click, range(8)))

    assert confirmations(invitation) == [("1", EntryStatus.PENDING)]
