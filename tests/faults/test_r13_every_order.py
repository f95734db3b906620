"""R13: Students, Coaches and Everybody, in every order: one letter a member and workshop."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest

from chapters.models import Role, Workshop
from invitations.services import preparing
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog
from members.models import Member
from tests.factories import (
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    subscribe,
)
from tests.support.here import send_here
from tests.support.ledger import assert_settled
from tests.support.processes import Station

ORDERS = list(permutations(["students", "coaches", "everyone"]))
PEOPLE = {"students": 4, "coaches": 4, "everyone": 6}  # two of them are in both groups
WRITTEN_TO = {
    ("students", "coaches", "everyone"): [4, 2, 0],
    ("students", "everyone", "coaches"): [4, 2, 0],
    ("coaches", "students", "everyone"): [4, 2, 0],
    ("coaches", "everyone", "students"): [4, 2, 0],
    ("everyone", "students", "coaches"): [6, 0, 0],
    ("everyone", "coaches", "students"): [6, 0, 0],
}


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_r13_one_after_the_other(station: Station, order: tuple[str, ...]):
    workshop, in_both = workshop_with_people_in_both()
    logs = []
    for audience in order:
        logs.append(InvitationManager().send_workshop_emails(workshop, audience, MemberFactory()))
        send_here(logs[-1])

    assert_each_got_one_letter(station, workshop, logs, order)
    first_as = "student" if order[0] == "students" else "coach"
    for member in in_both:
        reasons = {
            (log.audience, entry.reason)
            for log in logs
            for entry in log.entries.filter(member=member, status="skipped")
        }
        assert reasons == {
            (audience, already(first_as, asked_as="student" if audience == "students" else "coach"))
            for audience in order[1:]
        }


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_r13_all_at_once(station: Station, order: tuple[str, ...]):
    workshop, _ = workshop_with_people_in_both()
    logs = [
        InvitationManager().send_workshop_emails(workshop, audience, MemberFactory())
        for audience in order
    ]
    for log in logs:
        preparing.prepare(log.pk)
    for log in logs[1:]:
        assert set(log.entries.filter(status="skipped").values_list("reason", flat=True)) <= {
            f"is being invited by log {other.pk}" for other in logs
        }

    send_here(*logs)

    assert_each_got_one_letter(station, workshop, logs, order)


def test_r13_an_invitation_whose_letter_never_left_is_sent_by_the_next_run(station: Station):
    """Planner looked for the row only, so nobody of these ever got a letter (S2, S3, S14)."""
    chapter = chapter_with()
    workshop = WorkshopFactory(chapter=chapter)
    without_letter = InvitationFactory(workshop=workshop).member
    as_coach = InvitationFactory(workshop=workshop, role=Role.COACH).member
    subscribe(as_coach, chapter, Role.STUDENT)
    refused = subscribe(MemberFactory(), chapter, Role.STUDENT)
    station.sink.script = lambda step, recipient: (
        "550 5.2.1 disabled" if (step, recipient) == ("rcpt", refused.email) else None
    )
    first = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    send_here(first)
    assert station.sink.recipients == Counter([without_letter.email, as_coach.email])
    assert workshop.invitations.get(member=as_coach).role == Role.STUDENT
    assert workshop.invitations.get(member=refused).role == Role.STUDENT

    station.sink.script = None
    second = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    send_here(second)

    assert station.sink.recipients == Counter([without_letter.email, as_coach.email, refused.email])
    assert second.entries.get(status="success").member == refused
    assert {e.reason for e in second.entries.filter(status="skipped")} == {"is already invited"}


def workshop_with_people_in_both() -> tuple[Workshop, list[Member]]:
    chapter = chapter_with(students=2, coaches=2)
    in_both: list[Member] = MemberFactory.create_batch(2)
    for member in in_both:
        subscribe(member, chapter, Role.STUDENT, Role.COACH)
    return WorkshopFactory(chapter=chapter), in_both


def already(invited_as: str, *, asked_as: str) -> str:
    other = "" if invited_as == asked_as else f" as a {invited_as}"
    return f"is already invited{other}"


def assert_each_got_one_letter(
    station: Station, workshop: Workshop, logs: list[InvitationLog], order: tuple[str, ...]
) -> None:
    everybody = Member.objects.filter(groups__chapter=workshop.chapter).distinct()
    assert station.sink.recipients == Counter(everybody.values_list("email", flat=True))
    for log in logs:
        assert_settled(station.sink, log, audience=PEOPLE[log.audience], faults=0)
    assert [log.entries.filter(status="success").count() for log in logs] == WRITTEN_TO[order]
