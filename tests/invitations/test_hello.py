"""A hello after three months: to whom, once in a life, and never a flood."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chapters.models import Role
from invitations import mails
from invitations.models import Answer
from invitations.queries import hellos
from invitations.services import hello
from logs.models import Action, EntryStatus, InvitationLogEntry, Priority
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    subscribe,
)
from tests.support.here import send_once_here
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


def came(days_ago: int, *, role: Role = Role.STUDENT, member: Member | None = None) -> Member:
    """Somebody who was at a workshop then."""
    workshop = WorkshopFactory(starts_at=in_days(-days_ago))
    whose = {"member": member} if member else {}
    invitation = InvitationFactory(
        workshop=workshop,
        role=role,
        answer=Answer.ATTENDING,
        attended_at=workshop.starts_at,
        **whose,
    )
    return invitation.member


def missed() -> list[Member]:
    return list(hellos.missed(timezone.now()))


def letters() -> list[tuple[int, str, int | None, int | None, int]]:
    return list(
        InvitationLogEntry.objects.order_by("pk").values_list(
            "member", "action", "workshop", "log", "priority"
        )
    )


@pytest.mark.parametrize(
    ("days_ago", "is_missed"), [(10, False), (90, False), (92, True), (360, True), (370, False)]
)
def test_the_last_time_was_three_months_to_a_year_ago(days_ago, is_missed):
    member = came(days_ago)

    assert missed() == ([member] if is_missed else [])


def test_whoever_joined_first_comes_first_and_each_once():
    first, second = came(100), came(300)
    came(120, member=first)
    subscribe(first, chapter_with(), Role.STUDENT)

    assert missed() == [first, second]


def test_a_later_visit_counts_and_coaching_does_not():
    came(20, member=came(200))
    as_coach = came(20, member=came(200), role=Role.COACH)
    came(200, role=Role.COACH)

    assert missed() == [as_coach]


def test_whoever_may_not_or_does_not_want_to_be_written_to_is_not():
    BanFactory(member=came(200))
    for change in (
        {"closed_at": timezone.now()},
        {"accepted_terms_at": None},
        {"address_unusable_at": timezone.now()},
    ):
        Member.objects.filter(pk=came(200).pk).update(**change)
    gone = came(200)
    gone.subscriptions.all().delete()
    coaches_now = came(200)
    coaches_now.subscriptions.all().delete()
    subscribe(coaches_now, chapter_with(), Role.COACH)

    assert missed() == []


@pytest.mark.parametrize("answer", [Answer.ATTENDING, Answer.WAITING])
def test_nobody_is_missed_who_is_about_to_come(answer):
    InvitationFactory(member=came(200), answer=answer)

    assert missed() == []


def test_whoever_said_yes_and_did_not_come_was_not_here():
    InvitationFactory(workshop=WorkshopFactory(past=True), answer=Answer.ATTENDING)
    InvitationFactory(workshop=WorkshopFactory(starts_at=in_days(-200)), answer=Answer.ATTENDING)

    assert missed() == []


def test_one_letter_in_a_life_and_with_the_bulk():
    member = came(200)

    told = [hello.say_hello(timezone.now()) for _ in range(3)]

    assert told == [1, 0, 0]
    assert letters() == [(member.pk, Action.HELLO, None, None, Priority.BULK)]


@pytest.mark.parametrize("status", list(EntryStatus))
def test_whatever_became_of_the_first_letter_there_is_no_second(status):
    member = came(200)
    InvitationLogEntry.objects.create(
        member=member,
        action=Action.HELLO,
        status=status,
        answer_code=250,
        lease="11111111-2222-4333-8444-555555555555" if status == EntryStatus.SENDING else None,
        created_at=in_days(-400),
    )

    assert missed() == []


def test_so_many_a_day_and_the_others_on_the_next(settings):
    settings.HELLO_PER_DAY = 2
    people = [came(200 - nr) for nr in range(5)]
    today = timezone.now().replace(hour=10)
    days = [today, today, today + timedelta(days=1), today + timedelta(days=2)]

    told = [hello.say_hello(day) for day in days]

    assert told == [2, 0, 2, 1]
    assert [member for member, *_ in letters()] == [member.pk for member in people]


def test_zero_a_day_is_off(settings):
    settings.HELLO_PER_DAY = 0
    came(200)

    assert (hello.say_hello(timezone.now()), letters()) == (0, [])


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_write_to_no_more(settings):
    settings.HELLO_PER_DAY = 2
    for nr in range(6):
        came(200 - nr)

    at_once(*[lambda: hello.say_hello(timezone.now())] * 4)

    assert len(letters()) == 2


@pytest.mark.parametrize("people", [1, 3])
def test_three_statements_whatever_the_number_of_people(people, django_assert_num_queries):
    for _ in range(people):
        came(200)

    with django_assert_num_queries(3 + 2):  # and the savepoint around them
        assert hello.say_hello(timezone.now()) == people


def test_the_letter_arrives_and_can_be_stopped(station):
    member = came(200)
    hello.say_hello(timezone.now())

    send_once_here()

    (letter,) = station.sink.letters
    text = " ".join(letter.message.get_body(("plain",)).get_content().split())
    assert letter.recipient == member.email
    assert str(letter.message["Subject"]) == "It has been a while. How are you?"
    assert f"Hello {member.name}, it has been a while since you were at one of our" in text
    assert letter.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_whoever_left_the_groups_since_gets_none(station):
    member = came(200)
    hello.say_hello(timezone.now())
    member.subscriptions.all().delete()

    send_once_here()

    entry = InvitationLogEntry.objects.get()
    assert (entry.status, entry.reason) == (EntryStatus.SKIPPED, "is no longer subscribed")
    assert station.sink.letters == []


def test_the_letter_says_that_it_is_the_only_one():
    draft = mails.draft_to_a_member(action=Action.HELLO, occasion="")

    for text in (draft.html, " ".join(draft.text.split())):
        assert "We write it once." in text
