"""Answering: who gets a place, who does not and why, and what is written down."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.services import rsvps
from logs.models import Action, Activity, EntryStatus, InvitationLogEntry
from tests.factories import (
    BanFactory,
    InvitationFactory,
    WorkshopFactory,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support.together import at_once

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


# ---- The waiting list, and organisers who answer for somebody ------------------------------


def full_workshop(**fields):
    workshop = WorkshopFactory(student_spaces=1, **fields)
    taken = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    return workshop, taken


def waiting(workshop, *, minutes_ago, **fields):
    return InvitationFactory(
        workshop=workshop,
        answer=Answer.WAITING,
        answered_at=timezone.now() - timedelta(minutes=minutes_ago),
        **fields,
    )


def answers(*invitations) -> list[str]:
    for invitation in invitations:
        invitation.refresh_from_db()
    return [invitation.answer for invitation in invitations]


def place_letters() -> list[int]:
    entries = InvitationLogEntry.objects.filter(action=Action.PLACE)
    return list(entries.order_by("pk").values_list("member", flat=True))


def test_declining_gives_the_place_to_the_first_in_line_with_one_letter():
    workshop, leaving = full_workshop()
    second = waiting(workshop, minutes_ago=10)
    first = waiting(workshop, minutes_ago=20)

    decline(leaving)

    assert answers(leaving, first, second) == [Answer.DECLINED, Answer.ATTENDING, Answer.WAITING]
    assert place_letters() == [first.member_id]


def test_nobody_moves_up_when_no_place_was_freed():
    workshop, _ = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)
    never_answered = InvitationFactory(workshop=workshop)
    gives_up = waiting(workshop, minutes_ago=5)

    decline(never_answered)
    decline(gives_up)

    assert answers(in_line) == [Answer.WAITING]
    assert place_letters() == []


def test_who_may_not_have_the_place_is_passed_over_and_stays_in_line():
    workshop, leaving = full_workshop()
    banned = waiting(workshop, minutes_ago=40)
    BanFactory(member=banned.member)
    unsubscribed = waiting(workshop, minutes_ago=30, subscribed=False)
    busy = waiting(workshop, minutes_ago=20)
    InvitationFactory(
        member=busy.member,
        workshop=WorkshopFactory(starts_at=workshop.starts_at),
        answer=Answer.ATTENDING,
    )
    free = waiting(workshop, minutes_ago=10)

    decline(leaving)

    assert answers(banned, unsubscribed, busy, free) == [Answer.WAITING] * 3 + [Answer.ATTENDING]


def test_the_other_role_does_not_move_up():
    workshop, leaving = full_workshop()
    coach = waiting(workshop, minutes_ago=10, role=Role.COACH)

    decline(leaving)

    assert answers(coach) == [Answer.WAITING]


def test_changing_the_role_frees_the_place_in_the_other():
    workshop, both = full_workshop()
    subscribe(both.member, workshop.chapter, Role.COACH)
    in_line = waiting(workshop, minutes_ago=10)

    accept(both, role=Role.COACH)

    assert answers(both, in_line) == [Answer.ATTENDING, Answer.ATTENDING]


def test_a_larger_venue_fills_from_the_line():
    workshop, _ = full_workshop()
    line = [waiting(workshop, minutes_ago=minutes) for minutes in (30, 20, 10)]
    workshop.workshop_sponsors.get().sponsor.__class__.objects.update(seats=3)

    given = rsvps.fill_free_places(workshop, at=timezone.now())

    assert given == 2
    assert answers(*line) == [Answer.ATTENDING, Answer.ATTENDING, Answer.WAITING]


def test_nobody_waits_while_there_is_a_place():
    invitation = InvitationFactory()

    with pytest.raises(rsvps.PlacesLeft):
        rsvps.wait(invitation, role=Role.STUDENT, note="", at=timezone.now())


def test_waiting_twice_keeps_the_place_in_line():
    workshop, _ = full_workshop()
    invitation = InvitationFactory(workshop=workshop)
    rsvps.wait(invitation, role=Role.STUDENT, note="", at=timezone.now())
    before = Invitation.objects.values().get(pk=invitation.pk)

    later = timezone.now() + timedelta(hours=1)
    rsvps.wait(invitation, role=Role.STUDENT, note="", at=later)

    assert Invitation.objects.values().get(pk=invitation.pk) == before


def test_one_workshop_a_day_by_the_chapters_calendar():
    workshop = WorkshopFactory()
    invitation = InvitationFactory(workshop=workshop)
    InvitationFactory(
        member=invitation.member,
        workshop=WorkshopFactory(starts_at=workshop.starts_at + timedelta(hours=2)),
        answer=Answer.ATTENDING,
    )

    with pytest.raises(rsvps.AnotherWorkshopThatDay):
        accept(invitation)


def test_an_organiser_gives_no_place_that_is_not_there_without_a_reason():
    workshop, _ = full_workshop()
    invitation, organiser = InvitationFactory(workshop=workshop), organiser_of(workshop.chapter)

    with pytest.raises(rsvps.WorkshopFull):
        rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now(), by=organiser)


def test_an_organisers_reason_is_kept_until_the_next_answer():
    workshop, _ = full_workshop()
    invitation, organiser = InvitationFactory(workshop=workshop), organiser_of(workshop.chapter)

    rsvps.accept(
        invitation,
        role=Role.STUDENT,
        note="",
        at=timezone.now(),
        by=organiser,
        override_reason="She gives a talk",
    )

    invitation.refresh_from_db()
    assert (invitation.answered_by, invitation.override_reason) == (organiser, "She gives a talk")
    decline(invitation)
    assert (invitation.answered_by, invitation.override_reason) == (None, "")


def test_a_reason_does_not_lift_a_ban():
    workshop = WorkshopFactory()
    invitation = InvitationFactory(workshop=workshop)
    BanFactory(member=invitation.member)

    with pytest.raises(rsvps.Banned):
        rsvps.accept(
            invitation,
            role=Role.STUDENT,
            note="",
            at=timezone.now(),
            by=organiser_of(workshop.chapter),
            override_reason="It was a mistake",
        )


def test_releasing_gives_every_coming_place_to_the_next():
    workshop, held = full_workshop()
    member = held.member
    next_in_line = waiting(workshop, minutes_ago=10)
    other = waiting(full_workshop(starts_at=in_days(20))[0], minutes_ago=10, member=member)
    past = InvitationFactory(
        member=member, workshop=WorkshopFactory(past=True), answer=Answer.ATTENDING
    )

    rsvps.release_places(member, at=timezone.now(), by=None)

    assert answers(held, next_in_line, other, past) == [
        Answer.DECLINED,
        Answer.ATTENDING,
        Answer.DECLINED,
        Answer.ATTENDING,
    ]


def test_who_answered_for_whom_is_history():
    workshop, _ = full_workshop()
    invitation, organiser = InvitationFactory(workshop=workshop), organiser_of(workshop.chapter)

    rsvps.accept(
        invitation,
        role=Role.STUDENT,
        note="",
        at=timezone.now(),
        by=organiser,
        override_reason="She gives a talk",
    )
    decline(invitation)

    history = Activity.objects.order_by("pk").values_list("by", "did", "member", "remark")
    assert list(history) == [
        (organiser.pk, "gave a place as a student", invitation.member_id, "She gives a talk"),
        (invitation.member_id, "is not coming", invitation.member_id, ""),
    ]


# ---- Too late, and at the same moment ------------------------------------------------------


def test_after_answers_closed_a_freed_place_waits_for_an_organiser():
    workshop, held = full_workshop(rsvp_closes_at=in_days(-1))
    in_line = waiting(workshop, minutes_ago=10)
    organiser = organiser_of(workshop.chapter)

    rsvps.decline(held, at=timezone.now(), by=organiser)

    assert answers(held, in_line) == [Answer.DECLINED, Answer.WAITING]


def test_an_old_page_that_asks_to_wait_does_not_lose_the_place():
    workshop, moved_up = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)

    rsvps.wait(moved_up, role=Role.STUDENT, note="", at=timezone.now())

    assert answers(moved_up, in_line) == [Answer.ATTENDING, Answer.WAITING]


def test_nobody_gives_up_a_place_by_waiting_for_another():
    workshop, held = full_workshop(coach_spaces=1)
    InvitationFactory(workshop=workshop, role=Role.COACH, answer=Answer.ATTENDING)
    subscribe(held.member, workshop.chapter, Role.COACH)

    with pytest.raises(rsvps.HasAPlace):
        rsvps.wait(held, role=Role.COACH, note="", at=timezone.now())

    assert answers(held) == [Answer.ATTENDING]


def test_after_the_end_the_list_stays_as_it_was():
    invitation = InvitationFactory(workshop=WorkshopFactory(past=True), answer=Answer.ATTENDING)
    organiser = organiser_of(invitation.workshop.chapter)

    with pytest.raises(rsvps.WorkshopOver):
        rsvps.decline(invitation, at=timezone.now(), by=organiser)


def test_an_organiser_who_answers_keeps_the_members_note():
    invitation = InvitationFactory(note="Vegan")
    organiser = organiser_of(invitation.workshop.chapter)

    rsvps.accept(invitation, role=Role.STUDENT, note=None, at=timezone.now(), by=organiser)

    invitation.refresh_from_db()
    assert (invitation.note, invitation.is_attending) == ("Vegan", True)


def tried(answer, invitation, **fields):
    """A step for `at_once`: whether the answer was taken."""

    def step() -> bool:
        try:
            answer(invitation, at=timezone.now(), **fields)
        except rsvps.Refused:
            return False
        return True

    return step


AS_STUDENT = {"role": Role.STUDENT, "note": ""}


@pytest.mark.django_db(transaction=True)
def test_fifty_who_want_one_place_get_one():
    workshop = WorkshopFactory(student_spaces=1)
    invitations = InvitationFactory.create_batch(50, workshop=workshop)

    with ThreadPoolExecutor(10) as people:
        steps = [tried(rsvps.accept, invitation, **AS_STUDENT) for invitation in invitations]
        taken = list(people.map(in_a_thread, steps))

    assert (sum(taken), workshop.invitations.attending().count()) == (1, 1)
    assert InvitationLogEntry.objects.count() == 1


def in_a_thread(step):
    try:
        return step()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_workshops_of_one_evening_accepted_at_once_give_one_place():
    first = InvitationFactory()
    others = [
        InvitationFactory(
            member=first.member, workshop=WorkshopFactory(starts_at=first.workshop.starts_at)
        )
        for _ in range(3)
    ]

    taken = at_once(*(tried(rsvps.accept, each, **AS_STUDENT) for each in (first, *others)))

    assert sum(taken) == 1
    assert first.member.invitations.attending().count() == 1


@pytest.mark.django_db(transaction=True)
def test_those_who_leave_at_once_pass_on_as_many_places_in_the_order_of_the_line():
    workshop = WorkshopFactory(student_spaces=4)
    leaving = InvitationFactory.create_batch(4, workshop=workshop, answer=Answer.ATTENDING)
    line = [waiting(workshop, minutes_ago=minutes) for minutes in (50, 40, 30, 20, 10)]

    at_once(*(tried(rsvps.decline, each) for each in leaving))

    assert answers(*line) == [Answer.ATTENDING] * 4 + [Answer.WAITING]
    assert sorted(place_letters()) == sorted(each.member_id for each in line[:4])


@pytest.mark.django_db(transaction=True)
def test_a_freed_place_is_not_taken_by_who_comes_beside_the_line():
    workshop, leaving = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)
    outsider = InvitationFactory(workshop=workshop)

    at_once(tried(rsvps.decline, leaving), tried(rsvps.accept, outsider, **AS_STUDENT))

    assert answers(in_line, outsider) == [Answer.ATTENDING, Answer.NONE]


@pytest.mark.django_db(transaction=True)
def test_a_place_declined_while_its_member_is_released_is_passed_on_once():
    workshop, held = full_workshop()
    first = waiting(workshop, minutes_ago=20)
    second = waiting(workshop, minutes_ago=10)

    def release() -> bool:
        rsvps.release_places(held.member, at=timezone.now(), by=None)
        return True

    at_once(tried(rsvps.decline, held), release)

    assert answers(held, first, second) == [Answer.DECLINED, Answer.ATTENDING, Answer.WAITING]
    assert place_letters() == [first.member_id]


@pytest.mark.django_db(transaction=True)
def test_crosswise_answers_do_not_wait_for_each_other():
    """Each of two full workshops is left by who waits at the other, again and again."""
    here, there = (
        WorkshopFactory(student_spaces=1),
        WorkshopFactory(student_spaces=1, starts_at=in_days(30)),
    )
    ann, ben = InvitationFactory(workshop=here).member, InvitationFactory(workshop=there).member
    ann_here = here.invitations.get(member=ann)
    ben_there = there.invitations.get(member=ben)
    ann_there = InvitationFactory(workshop=there, member=ann)
    ben_here = InvitationFactory(workshop=here, member=ben)

    def again_and_again(own, other):
        def step() -> int:
            for _ in range(10):
                tried(rsvps.accept, own, **AS_STUDENT)()
                tried(rsvps.wait, other, **AS_STUDENT)()
                tried(rsvps.decline, own)()
                tried(rsvps.decline, other)()
            return own.pk

        return step

    def release(member):
        def step() -> int:
            for _ in range(10):
                rsvps.release_places(member, at=timezone.now(), by=None)
            return member.pk

        return step

    at_once(
        again_and_again(ann_here, ann_there),
        again_and_again(ben_there, ben_here),
        release(ann),
        release(ben),
    )  # PostgreSQL ends one of two that wait for each other with an error

    assert here.invitations.attending().count() <= 1
    assert there.invitations.attending().count() <= 1


def test_places_are_given_from_the_moment_that_was_set():
    workshop = WorkshopFactory(rsvp_opens_at=in_days(2))
    early, declines = InvitationFactory.create_batch(2, workshop=workshop)

    with pytest.raises(rsvps.RsvpNotOpen, match="Places are given from"):
        accept(early)
    decline(declines)
    accept(early, at=in_days(3))

    assert answers(early, declines) == [Answer.ATTENDING, Answer.DECLINED]
