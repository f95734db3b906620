import pytest

from chapters.models import Subscription
from chapters.services import subscribing
from tests.factories import GroupFactory, MemberFactory

pytestmark = pytest.mark.django_db


def test_subscribing_twice_is_one_subscription():
    amina, students = MemberFactory(), GroupFactory()

    first = subscribing.subscribe(amina, students)
    second = subscribing.subscribe(amina, students)

    assert first == second == Subscription.objects.get()


def test_unsubscribing_leaves_other_groups_and_others_alone():
    amina, bruno, students, coaches = (
        MemberFactory(),
        MemberFactory(),
        *GroupFactory.create_batch(2),
    )
    leaving = subscribing.subscribe(amina, students)
    staying = {subscribing.subscribe(amina, coaches), subscribing.subscribe(bruno, students)}

    subscribing.unsubscribe(amina, students)
    subscribing.unsubscribe(amina, students)

    assert set(Subscription.objects.all()) == staying
    assert leaving.pk not in {subscription.pk for subscription in staying}
