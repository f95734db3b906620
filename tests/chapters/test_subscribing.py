import pytest
from django.utils import timezone

from chapters.models import Departure, Subscription
from chapters.services import subscribing
from tests.factories import GroupFactory, MemberFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db


def leave(member, *groups):
    theirs = Subscription.objects.filter(member=member, group__in=groups)
    return subscribing.unsubscribe(theirs, at=timezone.now())


def departures():
    return set(Departure.objects.values_list("member", "group"))


def test_subscribing_twice_is_one_subscription():
    amina, students = MemberFactory(), GroupFactory()

    first = subscribing.subscribe(amina, students)
    second = subscribing.subscribe(amina, students)

    assert first == second == Subscription.objects.get()


def test_unsubscribing_leaves_other_groups_and_others_alone():
    amina, bruno = MemberFactory(), MemberFactory()
    students, coaches = GroupFactory.create_batch(2)
    subscribing.subscribe(amina, students)
    staying = {subscribing.subscribe(amina, coaches), subscribing.subscribe(bruno, students)}

    left = [leave(amina, students) for _ in range(2)]

    assert left == [[students], []]
    assert set(Subscription.objects.all()) == staying


def test_who_left_is_remembered_until_they_join_again():
    amina = MemberFactory()
    students, coaches = (SubscriptionFactory(member=amina).group for _ in range(2))

    leave(amina, students, coaches)
    assert departures() == {(amina.pk, students.pk), (amina.pk, coaches.pk)}

    subscribing.subscribe(amina, students)
    assert departures() == {(amina.pk, coaches.pk)}


def test_who_leaves_again_after_joining_again_has_left_once():
    amina, students = MemberFactory(), GroupFactory()

    for _ in range(2):
        subscribing.subscribe(amina, students)
        leave(amina, students)

    assert departures() == {(amina.pk, students.pk)}
