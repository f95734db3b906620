"""
R38: whom we wrote to is forgotten by real workers that are killed meanwhile, and no number changes.

What is forgotten, and that nobody is written to again, is in tests/invitations/test_forgetting.py;
what is left of a closed account, and that its letters are not sent, in test_closing.py there.
"""

from __future__ import annotations

from dataclasses import asdict

from django.db import connection

from chapters.models import Role
from invitations import tasks
from invitations.models import Invitation
from invitations.queries import overviews
from invitations.services import auditing
from logs.models import InvitationLog, InvitationLogEntry, LogStatus
from logs.queries import progress
from tests.factories import GroupFactory, InvitationLogFactory, WorkshopFactory, in_days
from tests.support.here import crowd
from tests.support.processes import PATIENT, Station
from tests.support.waiting import wait_until

PEOPLE = 10_000
KILLS = 3


def test_r38_workers_killed_while_they_forget_leave_every_number_as_it_was(station: Station):
    # Whoever dies of a task's limit, which is made of it, rings for nobody; and there is no beat.
    station.variables["LEASE_SECONDS"] = PATIENT["LEASE_SECONDS"]
    log = old_log()
    before = overviews.overviews([log.workshop])
    numbers = asdict(progress(log))

    killed = 0
    while killed < KILLS:
        worker = station.start_worker()
        left = rows_left()
        tasks.ring_forget()
        wait_until(
            lambda left=left: rows_left() < left, every=0.01, what="something to be forgotten"
        )
        worker.kill()
        killed += 1
        assert_nothing_changed(log, before, numbers)
    assert rows_left() > PEOPLE // 10, "the kills came too late to matter"

    station.start_worker()
    tasks.ring_forget()
    wait_until(lambda: rows_left() == PEOPLE // 10, what="everything to be forgotten")

    assert_nothing_changed(log, before, numbers)
    assert not InvitationLogEntry.objects.exists()
    log.refresh_from_db()
    assert log.counts["unanswered"] == {"student": PEOPLE - PEOPLE // 10}
    assert station.sink.letters == []


def old_log() -> InvitationLog:
    """Of a workshop long over, to which every tenth of those who were invited came."""
    workshop = WorkshopFactory(starts_at=in_days(-300))
    GroupFactory(chapter=workshop.chapter, role=Role.STUDENT)
    crowd(workshop.chapter, PEOPLE)
    log: InvitationLog = InvitationLogFactory(
        workshop=workshop, status=LogStatus.COMPLETED, finished_at=in_days(-300)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO logs_invitationlogentry
                (log_id, workshop_id, action, member_id, status, answer_code)
            SELECT %s, %s, 'invite', member_id, 'success', 250 FROM chapters_subscription
            """,
            [log.pk, workshop.pk],
        )
        cursor.execute(
            """
            INSERT INTO invitations_invitation (workshop_id, member_id, role, answer, created_at)
            SELECT %s, member_id, 'student',
                CASE row_number() OVER () %% 10 WHEN 0 THEN 'attending' ELSE '' END, %s
            FROM chapters_subscription
            """,
            [workshop.pk, log.created_at],
        )
    return log


def rows_left() -> int:
    return InvitationLogEntry.objects.count() + Invitation.objects.count()


def assert_nothing_changed(
    log: InvitationLog, before: list[overviews.Overview], numbers: dict[str, int]
) -> None:
    log.refresh_from_db()
    assert asdict(progress(log)) == numbers
    assert overviews.overviews([log.workshop]) == before
    with auditing.one_moment():
        assert list(auditing.breaches()) == []
