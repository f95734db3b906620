"""How many come and how many wait, however many were invited."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.queries import overviews
from invitations.queries.overviews import Overview, Places, Room
from tests.factories import BanFactory, InvitationFactory, WorkshopFactory, chapter_with

pytestmark = pytest.mark.django_db


def test_rooms_count_places_and_the_line_and_overviews_everybody():
    workshop = WorkshopFactory(is_virtual=True, student_spaces=3, coach_spaces=2)
    for answer in (Answer.ATTENDING, Answer.ATTENDING, Answer.WAITING, Answer.DECLINED):
        InvitationFactory(workshop=workshop, role=Role.STUDENT, answer=answer)
    InvitationFactory(workshop=workshop, role=Role.COACH, answer=Answer.ATTENDING)
    InvitationFactory(workshop=workshop, role=Role.COACH)
    banned = InvitationFactory(workshop=workshop, role=Role.COACH, answer=Answer.ATTENDING)
    BanFactory(member=banned.member, is_permanent=True)
    elsewhere = InvitationFactory(answer=Answer.ATTENDING, role=Role.STUDENT).workshop

    places = [
        Places(Role.STUDENT, capacity=3, taken=2, waiting=1),
        Places(Role.COACH, capacity=2, taken=1, waiting=0),
    ]
    room, other = overviews.rooms([workshop, elsewhere])
    assert room == Room(workshop, None, places)
    assert other.attending == 1
    assert overviews.overviews([workshop]) == [
        Overview(workshop, None, places, declined=1, unanswered=1)
    ]


def test_a_members_page_reads_nobody_who_has_not_answered(client):
    """The index holds answers only, so a page costs the same after a batch of 20,000."""
    workshop = WorkshopFactory(chapter=chapter_with(students=200))
    students = workshop.chapter.groups.get(role=Role.STUDENT).members.all()
    Invitation.objects.bulk_create(
        Invitation(workshop=workshop, member=one, role=Role.STUDENT) for one in students
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE invitations_invitation")

    with CaptureQueriesContext(connection) as asked:
        client.get(workshop.invitations.earliest("pk").get_absolute_url())

    (counting,) = [q["sql"] for q in asked if 'COUNT("invitations_invitation"."id")' in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {counting}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(r"Index.* answers_of_a_workshop", plan), plan
