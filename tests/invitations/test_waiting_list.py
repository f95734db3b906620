"""The waiting list: who moves up and who does not, and organisers who answer for somebody."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.services import banning, closing, rsvps
from logs.models import Action, Activity
from tests.factories import (
    BanFactory,
    InvitationFactory,
    WorkshopFactory,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support.places import answers, full_workshop, letters, place_letters, waiting

pytestmark = pytest.mark.django_db


def accept(invitation, *, role=Role.STUDENT):
    rsvps.accept(invitation, role=role, note="", at=timezone.now())
    invitation.refresh_from_db()


def wait(invitation, *, role=Role.STUDENT, **fields):
    rsvps.wait(invitation, role=role, note="", at=timezone.now(), **fields)


def decline(invitation):
    rsvps.decline(invitation, at=timezone.now())
    invitation.refresh_from_db()


def leave_line(invitation):
    rsvps.leave_line(invitation, at=timezone.now())


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


def test_who_gives_back_the_place_that_kept_them_from_moving_up_moves_up(
    django_capture_on_commit_callbacks,
):
    workshop, leaving = full_workshop()
    busy = waiting(workshop, minutes_ago=20)
    elsewhere = InvitationFactory(
        member=busy.member,
        workshop=WorkshopFactory(starts_at=workshop.starts_at),
        answer=Answer.ATTENDING,
    )
    decline(leaving)
    assert answers(busy) == [Answer.WAITING]

    with django_capture_on_commit_callbacks(execute=True):
        decline(elsewhere)

    assert answers(elsewhere, busy) == [Answer.DECLINED, Answer.ATTENDING]
    assert place_letters() == [busy.member_id]


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


# ---- Joining and leaving the line -----------------------------------------------------------


def test_whoever_joins_the_line_is_written_to_once():
    workshop, _ = full_workshop()
    invitation = InvitationFactory(workshop=workshop)

    wait(invitation)
    wait(invitation)

    assert answers(invitation) == [Answer.WAITING]
    assert letters(Action.WAITING) == [invitation.member_id]


def test_what_a_student_wants_to_work_on_is_told_with_the_answer_and_changed_later():
    workshop, _ = full_workshop()
    invitation = InvitationFactory(workshop=workshop)

    wait(invitation, tutorial="Python")
    wait(invitation, tutorial="Git")
    rsvps.wait(invitation, role=Role.STUDENT, note=None, at=timezone.now())

    invitation.refresh_from_db()
    assert (invitation.tutorial, invitation.answer_number) == ("Git", 1)


def test_leaving_the_line_is_a_no_and_the_way_back_is_its_end():
    workshop, _ = full_workshop()
    first = waiting(workshop, minutes_ago=20)
    second = waiting(workshop, minutes_ago=10)

    leave_line(first)
    leave_line(first)

    assert answers(first, second) == [Answer.DECLINED, Answer.WAITING]
    assert letters(Action.DECLINED) == [first.member_id]
    wait(first)
    line = workshop.invitations.waiting().values_list("member", flat=True)
    assert list(line) == [second.member_id, first.member_id]
    assert place_letters() == []


def test_who_has_moved_up_does_not_lose_the_place_by_leaving_the_line():
    _, moved_up = full_workshop()

    with pytest.raises(rsvps.HasAPlace, match="you have a place now"):
        leave_line(moved_up)

    assert answers(moved_up) == [Answer.ATTENDING]


def test_who_never_waited_leaves_no_line():
    workshop, _ = full_workshop()
    invitation = InvitationFactory(workshop=workshop)

    leave_line(invitation)

    assert answers(invitation) == [Answer.NONE]
    assert letters(Action.DECLINED) == []


def test_nobody_waits_where_they_could_not_come():
    workshop, _ = full_workshop()
    invitation = InvitationFactory(workshop=workshop)
    elsewhere = WorkshopFactory(starts_at=workshop.starts_at)
    InvitationFactory(member=invitation.member, workshop=elsewhere, answer=Answer.ATTENDING)

    with pytest.raises(rsvps.AnotherWorkshopThatDay):
        wait(invitation)


def test_somebody_in_line_takes_the_place_that_is_free():
    workshop, held = full_workshop(rsvp_closes_at=in_days(1))
    in_line = waiting(workshop, minutes_ago=10)
    BanFactory(member=held.member)  # not by our own page: the place is free, and nobody moves up

    accept(in_line)

    assert answers(in_line) == [Answer.ATTENDING]


def test_somebody_in_line_for_one_role_takes_a_place_in_the_other():
    workshop, _ = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)
    behind = waiting(workshop, minutes_ago=5)
    subscribe(in_line.member, workshop.chapter, Role.COACH)

    accept(in_line, role=Role.COACH)

    in_line.refresh_from_db()
    assert (in_line.answer, in_line.role) == (Answer.ATTENDING, Role.COACH)
    assert answers(behind) == [Answer.WAITING]


@pytest.mark.parametrize(
    ("had", "wanted"), [(Role.STUDENT, Role.COACH), (Role.COACH, Role.STUDENT)]
)
def test_the_refusal_names_both_roles_in_one_sentence(had, wanted):
    workshop = WorkshopFactory(student_spaces=1, coach_spaces=1)
    held = InvitationFactory(workshop=workshop, role=had, answer=Answer.ATTENDING)
    InvitationFactory(workshop=workshop, role=wanted, answer=Answer.ATTENDING)
    subscribe(held.member, workshop.chapter, wanted)

    with pytest.raises(rsvps.HasAPlace) as refused:
        wait(held, role=wanted)

    assert refused.value.message == (
        f"There is a place as a {had} already. Give it back to wait as a {wanted}."
    )


# ---- A place becomes free, for whatever reason ----------------------------------------------


def test_a_ban_frees_the_place_for_the_first_in_line():
    workshop, held = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)

    banning.ban(
        held.member,
        by=organiser_of(workshop.chapter),
        reason="Offensive behaviour",
        note="",
        explanation="",
        expires_at=in_days(30),
        at=timezone.now(),
        request_key=uuid4(),
    )

    assert answers(held, in_line) == [Answer.DECLINED, Answer.ATTENDING]
    assert place_letters() == [in_line.member_id]
    assert letters(Action.DECLINED) == []  # the letter about the ban says it


def test_a_closed_account_frees_the_place_for_the_first_in_line():
    workshop, held = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)

    closing.close(held.member, at=timezone.now())

    assert answers(held, in_line) == [Answer.DECLINED, Answer.ATTENDING]
    assert (place_letters(), letters(Action.DECLINED)) == ([in_line.member_id], [])


def test_an_organiser_who_takes_a_place_back_frees_it_for_the_first_in_line():
    workshop, held = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)

    rsvps.decline(held, at=timezone.now(), by=organiser_of(workshop.chapter))

    assert answers(held, in_line) == [Answer.DECLINED, Answer.ATTENDING]
    assert (place_letters(), letters(Action.DECLINED)) == ([in_line.member_id], [held.member_id])


def test_leaving_the_group_keeps_the_place():
    workshop, held = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)

    held.member.subscriptions.all().delete()
    rsvps.fill_free_places(workshop, at=timezone.now())

    assert answers(held, in_line) == [Answer.ATTENDING, Answer.WAITING]


def test_nobody_moves_up_where_more_had_a_place_than_there_are():
    workshop, held = full_workshop()
    beyond = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    in_line = waiting(workshop, minutes_ago=10)

    decline(beyond)

    assert answers(held, in_line) == [Answer.ATTENDING, Answer.WAITING]
    assert place_letters() == []
