"""Answering: who gets a place, who does not and why, and what is written down."""

from datetime import UTC, datetime, timedelta

import pytest
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
from tests.support.places import answers

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
    assert "There is no free place for students." in refused.value.message
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


def test_places_are_given_from_the_moment_that_was_set():
    workshop = WorkshopFactory(rsvp_opens_at=in_days(2))
    early, declines = InvitationFactory.create_batch(2, workshop=workshop)

    with pytest.raises(rsvps.RsvpNotOpen, match="Places are given from"):
        accept(early)
    decline(declines)
    accept(early, at=in_days(3))

    assert answers(early, declines) == [Answer.ATTENDING, Answer.DECLINED]


def test_a_no_is_written_back_once_for_each():
    invitation = InvitationFactory()

    decline(invitation)
    decline(invitation)
    accept(invitation)
    decline(invitation)

    letters = InvitationLogEntry.objects.filter(action=Action.DECLINED)
    assert list(letters.order_by("pk").values_list("occasion", flat=True)) == ["1", "3"]


EVENING = datetime(2027, 3, 10, 23, 0, tzinfo=UTC)  # 18:00 in New York, and in Tokyo the next day


@pytest.mark.parametrize("is_the_other_first", [False, True])
@pytest.mark.parametrize(
    ("zone", "hours_later", "is_one_day"),
    [
        ("Europe/London", -20, True),  # the same day in London, the day before in New York
        ("Asia/Tokyo", 12, True),  # in Tokyo both are on the 11th
        ("America/New_York", 24, False),
        ("Europe/London", 26, False),
    ],
)
def test_one_workshop_a_day_whichever_is_accepted_first(
    zone, hours_later, is_one_day, is_the_other_first
):
    here = WorkshopFactory(starts_at=EVENING, chapter__time_zone="America/New_York")
    there = WorkshopFactory(
        starts_at=EVENING + timedelta(hours=hours_later), chapter__time_zone=zone
    )
    first, second = (there, here) if is_the_other_first else (here, there)
    place = InvitationFactory(workshop=first, answer=Answer.ATTENDING)
    wanted = InvitationFactory(workshop=second, member=place.member)

    try:
        accept(wanted, at=EVENING - timedelta(weeks=1))
    except rsvps.AnotherWorkshopThatDay:
        is_refused = True
    else:
        is_refused = False

    assert is_refused == is_one_day


def test_nobody_is_at_two_workshops_at_the_same_time():
    night = WorkshopFactory(
        starts_at=datetime(2027, 3, 10, 22, 0, tzinfo=UTC),
        ends_at=datetime(2027, 3, 11, 3, 0, tzinfo=UTC),
    )
    early = WorkshopFactory(starts_at=datetime(2027, 3, 11, 1, 0, tzinfo=UTC))
    place = InvitationFactory(workshop=night, answer=Answer.ATTENDING)

    with pytest.raises(rsvps.AnotherWorkshopThatDay):
        accept(
            InvitationFactory(workshop=early, member=place.member),
            at=EVENING - timedelta(weeks=1),
        )


def test_a_cancelled_workshop_stands_in_nobodys_way():
    workshop = WorkshopFactory()
    cancelled = WorkshopFactory(starts_at=workshop.starts_at, cancelled=True)
    place = InvitationFactory(workshop=cancelled, answer=Answer.ATTENDING)
    invitation = InvitationFactory(workshop=workshop, member=place.member)

    accept(invitation)

    assert invitation.is_attending


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        (Role.STUDENT, "All 2 places for students are taken."),
        (Role.COACH, "All 2 places for coaches are taken."),
    ],
)
def test_a_full_workshop_says_so_to_members_and_organisers(role, sentence):
    workshop = WorkshopFactory(student_spaces=2, coach_spaces=2)
    InvitationFactory.create_batch(2, workshop=workshop, role=role, answer=Answer.ATTENDING)

    with pytest.raises(rsvps.WorkshopFull) as refused:
        accept(InvitationFactory(workshop=workshop, role=role), role=role)

    assert refused.value.message == f"{sentence} You can join the waiting list."
    assert refused.value.for_organiser == sentence
