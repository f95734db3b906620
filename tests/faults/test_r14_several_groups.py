"""R14: a person in many groups is one person."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chapters.models import Role
from invitations.queries import audiences
from invitations.services.manager import InvitationManager
from logs.models import Audience
from tests.factories import (
    ChapterFactory,
    GroupFactory,
    MemberFactory,
    SubscriptionFactory,
    WorkshopFactory,
    chapter_with,
)
from tests.support.here import send_here
from tests.support.ledger import assert_settled
from tests.support.processes import Station

CAN_BE_INVITED = "as anybody"
TRAITS = [CAN_BE_INVITED, "closed", "banned", "without_terms", "unreachable"]
ROLES = {"students": {"student"}, "coaches": {"coach"}, "everyone": {"student", "coach"}}


@pytest.mark.parametrize("audience", ["students", "coaches", "everyone"])
def test_r14_ten_groups_of_each_role_are_one_letter_each(station: Station, audience: str):
    chapter = chapter_with()
    for role in Role:
        GroupFactory.create_batch(9, chapter=chapter, role=role)
    members = MemberFactory.create_batch(3)
    for group in chapter.groups.all():
        for member in members:
            SubscriptionFactory(member=member, group=group)
    workshop = WorkshopFactory(chapter=chapter)

    log = InvitationManager().send_workshop_emails(workshop, audience, MemberFactory())
    send_here(log)

    assert_settled(station.sink, log, audience=3, faults=0)
    assert station.sink.recipients == Counter(member.email for member in members)
    as_what = "student" if audience == "students" else "coach"
    assert set(workshop.invitations.values_list("role", flat=True)) == {as_what}


@pytest.mark.django_db
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    groups=st.lists(st.tuples(st.booleans(), st.sampled_from(Role)), min_size=1, max_size=6),
    people=st.lists(
        st.tuples(st.sampled_from(TRAITS), st.sets(st.integers(0, 5))), min_size=1, max_size=5
    ),
)
def test_r14_who_is_asked_is_what_a_naive_model_says(
    groups: list[tuple[bool, Role]], people: list[tuple[str, set[int]]]
):
    """
    :param groups: whether it is of the chapter that invites, and its role
    :param people: each with what they are like, and the numbers of the groups they are in
    """
    with transaction.atomic():
        chapter, another = ChapterFactory(), ChapterFactory()
        made = [
            GroupFactory(chapter=chapter if is_ours else another, role=role)
            for is_ours, role in groups
        ]
        members = []
        for trait, numbers in people:
            traits = {} if trait == CAN_BE_INVITED else {trait: True}
            members.append(MemberFactory(**traits))
            for number in numbers & set(range(len(made))):
                SubscriptionFactory(member=members[-1], group=made[number])

        def expected(roles: set[str], *, eligible_only: bool) -> list[int]:
            return [
                member.pk
                for member, (trait, numbers) in zip(members, people, strict=True)
                if trait == CAN_BE_INVITED or not eligible_only
                if any(
                    is_ours and role in roles
                    for number, (is_ours, role) in enumerate(groups)
                    if number in numbers
                )
            ]

        manager = InvitationManager()
        students = manager.chapter_students(chapter).values_list("pk", flat=True)
        coaches = manager.chapter_coaches(chapter).values_list("pk", flat=True)
        assert sorted(students) == expected({"student"}, eligible_only=True)
        assert sorted(coaches) == expected({"coach"}, eligible_only=True)
        workshop = WorkshopFactory(chapter=chapter)
        for audience, roles in ROLES.items():
            found = audiences.audience_of(workshop, Audience(audience))
            invited = found.filter(reason="").values_list("pk", "invited_as")
            assert sorted(found.values_list("pk", flat=True)) == expected(
                roles, eligible_only=False
            )
            assert sorted(pk for pk, _ in invited) == expected(roles, eligible_only=True)
            may_coach = expected({"coach"} & roles, eligible_only=True)
            assert {pk for pk, role in invited if role == "coach"} == set(may_coach)
        transaction.set_rollback(True)
