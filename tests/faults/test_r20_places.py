"""R20: places and the line, however many want them at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.services import rsvps
from logs.models import Action, EntryStatus, InvitationLogEntry
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    WorkshopFactory,
    in_days,
    organiser_of,
)
from tests.support.ledger import assert_invariants, wait_until_quiet
from tests.support.places import answers, full_workshop, place_letters, waiting
from tests.support.processes import Station
from tests.support.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_the_same_person_clicking_in_two_windows_is_confirmed_once():
    invitation = InvitationFactory()

    def click(_) -> None:
        try:
            rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as windows:
        list(windows.map(click, range(8)))

    entry = InvitationLogEntry.objects.get()
    assert (entry.action, entry.occasion, entry.status) == (
        Action.CONFIRMATION,
        "1",
        EntryStatus.PENDING,
    )


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


def test_those_who_leave_at_once_pass_on_as_many_places_in_the_order_of_the_line():
    workshop = WorkshopFactory(student_spaces=4)
    leaving = InvitationFactory.create_batch(4, workshop=workshop, answer=Answer.ATTENDING)
    line = [waiting(workshop, minutes_ago=minutes) for minutes in (50, 40, 30, 20, 10)]

    at_once(*(tried(rsvps.decline, each) for each in leaving))

    assert answers(*line) == [Answer.ATTENDING] * 4 + [Answer.WAITING]
    assert sorted(place_letters()) == sorted(each.member_id for each in line[:4])


def test_a_freed_place_is_not_taken_by_who_comes_beside_the_line():
    workshop, leaving = full_workshop()
    in_line = waiting(workshop, minutes_ago=10)
    outsider = InvitationFactory(workshop=workshop)

    at_once(tried(rsvps.decline, leaving), tried(rsvps.accept, outsider, **AS_STUDENT))

    assert answers(in_line, outsider) == [Answer.ATTENDING, Answer.NONE]


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


def tapped(name: str, invitation: Invitation, **form: str) -> Callable[[], int]:
    """A tap on a button of the page, in a browser of its own: what the server answers."""
    browser = Client()
    address = reverse(name, args=[invitation.token])

    def tap() -> int:
        return browser.post(address, form).status_code

    return tap


def with_tokens(*invitations: Invitation) -> tuple[Invitation, ...]:
    """The database made them."""
    for invitation in invitations:
        invitation.refresh_from_db()
    return invitations


def test_two_evenings_in_two_zones_accepted_at_once_give_one_place():
    """In Tokyo they are on one day, in New York on two."""
    here = WorkshopFactory(chapter=ChapterFactory(time_zone="America/New_York"))
    there = WorkshopFactory(
        starts_at=here.starts_at + timedelta(hours=12), chapter__time_zone="Asia/Tokyo"
    )
    first = InvitationFactory(workshop=here)
    second = InvitationFactory(workshop=there, member=first.member)

    taken = at_once(*(tried(rsvps.accept, each, **AS_STUDENT) for each in (first, second)))

    assert sum(taken) == 1
    assert first.member.invitations.attending().count() == 1


def test_a_double_tap_joins_the_line_once_and_a_double_tap_leaves_it_once():
    workshop, _ = full_workshop()
    (invitation,) = with_tokens(InvitationFactory(workshop=workshop))

    joined = at_once(*[tapped("waiting_list", invitation, role="student") for _ in range(4)])
    left = at_once(*[tapped("leave_line", invitation) for _ in range(4)])

    assert (joined, left) == ([302] * 4, [302] * 4)
    invitation.refresh_from_db()
    assert (invitation.answer, invitation.answer_number) == (Answer.DECLINED, 2)
    assert Counter(InvitationLogEntry.objects.values_list("action", "occasion")) == {
        (Action.WAITING, "1"): 1,
        (Action.DECLINED, "2"): 1,
    }


def test_leaving_the_line_beside_moving_up_loses_no_place():
    workshop, leaving = full_workshop()
    first = waiting(workshop, minutes_ago=20)
    second = waiting(workshop, minutes_ago=10)

    at_once(tried(rsvps.decline, leaving), tried(rsvps.leave_line, first))

    assert answers(first, second) in (
        [Answer.DECLINED, Answer.ATTENDING],  # had left already
        [Answer.ATTENDING, Answer.WAITING],  # had moved up already
    )
    assert len(place_letters()) == 1


def test_a_ban_an_organiser_and_a_member_free_places_at_once():
    workshop = WorkshopFactory(student_spaces=3)
    organiser = organiser_of(workshop.chapter)
    held = InvitationFactory.create_batch(3, workshop=workshop, answer=Answer.ATTENDING)
    line = [waiting(workshop, minutes_ago=minutes) for minutes in (40, 30, 20, 10)]

    def release() -> bool:
        rsvps.release_places(held[2].member, at=timezone.now(), by=organiser)
        return True

    at_once(
        tried(rsvps.decline, held[0]),
        tried(rsvps.decline, held[1], by=organiser),
        release,
    )

    assert answers(*line) == [Answer.ATTENDING] * 3 + [Answer.WAITING]
    assert sorted(place_letters()) == sorted(each.member_id for each in line[:3])


def test_fifty_taps_for_one_place_beside_somebody_who_leaves_are_one_place_and_one_letter(
    station: Station,
):
    workshop, leaving = full_workshop(chapter__time_zone="Europe/Berlin")
    first = waiting(workshop, minutes_ago=20)
    crowd = InvitationFactory.create_batch(50, workshop=workshop)
    with_tokens(leaving, first, *crowd)
    station.start_beat()
    station.start_worker()
    station.start_worker()

    taps = [tapped("accept", each, role="student", note="") for each in crowd]
    taps += [tapped("decline", leaving)] * 2 + [tapped("accept", first, role="student")] * 2
    with ThreadPoolExecutor(12) as people:
        list(people.map(in_a_thread, taps))
    wait_until_quiet()

    assert [each.pk for each in workshop.invitations.attending()] == [first.pk]
    assert_invariants(station.sink)
    entries = InvitationLogEntry.objects.values_list("member", "action", "status")
    assert sorted(entries) == sorted(
        [
            (first.member_id, Action.PLACE, EntryStatus.SUCCESS),
            (leaving.member_id, Action.DECLINED, EntryStatus.SUCCESS),
        ]
    )
    if not station.mishaps:
        assert station.sink.recipients == Counter([first.member.email, leaving.member.email])
