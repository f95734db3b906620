"""R7: a sender frozen past its lease finds another one in its place, and writes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing

import psutil
import psycopg2
import pytest

from codebar.local.paths import CHECKOUT
from invitations.services import preparing
from invitations.services.manager import InvitationManager
from logs.models import EntryStatus
from logs.services import holds
from members.models import Member
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled, extra_copies, wait_until_quiet
from tests.support.processes import QUICK, STEADY, Station, database_url
from tests.support.waiting import wait_until

PEOPLE = 30
TIMES = ("EMAIL_TIMEOUT", "LETTER_SECONDS", "TASK_SECONDS", "LEASE_SECONDS")
LOST = "was lost; others settle it"


@pytest.mark.parametrize("pool", ["prefork", "threads"])
@pytest.mark.parametrize(
    ("step", "copies"),
    [
        pytest.param("rcpt", 1, id="before the letter was handed over"),
        pytest.param("dot", 2, id="after the final dot"),
    ],
)
def test_r07_a_frozen_sender_wakes_and_has_lost_its_lease(
    station: Station, pool: str, step: str, copies: int
):
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    victim = workshop.chapter.groups.get(role="student").members.order_by("pk")[4]
    frozen: list[psutil.Process] = []

    def freeze(at: str, recipient: str) -> None:
        if (at, recipient) != (step, victim.email) or frozen:
            return
        # Its parent too, which would else end it at the task's time limit.
        all_of_it = [psutil.Process(slow.pid), *slow.children]
        for process in all_of_it:
            process.suspend()
        if is_in_hand(victim):
            frozen.extend(all_of_it)
        else:  # on a busy machine it has given up waiting for this answer, and tries again
            for process in all_of_it:
                process.resume()

    station.variables |= STEADY
    station.sink.script = freeze
    slow = station.start_worker(pool=pool, concurrency=1)
    station.start_beat()
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: frozen)
    station.start_worker(pool=pool, concurrency=1)
    wait_until_quiet(log)

    parent = frozen[0]
    for sender in frozen[1:] or [parent]:
        sender.resume()
    wait_until(lambda: LOST in slow.output)
    parent.resume()

    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)
    entry = log.entries.get(member=victim)
    assert (entry.status, entry.doubts) == (EntryStatus.SUCCESS, 1)
    assert station.sink.recipients[victim.email] == copies
    assert extra_copies(station.sink) == copies - 1 or station.mishaps > 1


def test_r07_a_frozen_sweep_keeps_nobody_from_sweeping(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    frozen: list[psutil.Process] = []

    def freeze(at: str, _: str) -> None:
        if at == "mail" and not frozen:
            frozen.extend([psutil.Process(slow.pid), *slow.children])
            for process in frozen:
                process.suspend()

    holds.hold(reason="The mail server is asked first, by a sweep.")
    station.sink.script = freeze
    slow = station.start_worker(concurrency=1)
    station.start_beat()
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: frozen)
    station.start_worker(concurrency=1)
    wait_until_quiet(log, seconds=20)

    for process in frozen:
        process.resume()
    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)


def is_in_hand(member: Member) -> bool:
    """Whether a sender's cursor is at this member's letter; asked from the mail server's thread."""
    with closing(psycopg2.connect(database_url())) as session, session.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT FROM logs_slot s JOIN logs_invitationlogentry e ON e.id = s.cursor
                WHERE e.member_id = %s AND e.lease = s.token
            )
            """,
            [member.pk],
        )
        return bool(cursor.fetchone()[0])


HOLD_THE_LOG = """
import sys, time, django
django.setup()
from django.db import transaction
from logs.models import InvitationLog, InvitationLogEntry
with transaction.atomic():
    log = InvitationLog.objects.select_for_update().get(pk=sys.argv[1])
    list(InvitationLogEntry.objects.select_for_update().filter(log=log)[:5])
    print("held", flush=True)
    time.sleep(600)
"""


def test_r07_somebody_frozen_in_a_transaction_holds_up_nobody(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    assert preparing.prepare(log.pk)
    frozen = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOG, str(log.pk)],
        cwd=CHECKOUT,
        env=os.environ | QUICK | {"DATABASE_URL": database_url()},
        stdout=subprocess.PIPE,
    )
    try:
        assert frozen.stdout is not None
        assert frozen.stdout.readline() == b"held\n"
        station.start_worker(concurrency=1)
        station.start_beat()
        wait_until_quiet(log, seconds=20)
    finally:
        frozen.kill()
        frozen.wait()

    assert_settled(station.sink, log, audience=PEOPLE, faults=station.mishaps)


def test_r07_the_usual_times_are_in_order():
    said = _start(
        "import json; from codebar import settings; print(json.dumps(vars(settings), default=str))"
    )
    at = json.loads(said.stdout)
    soft, hard = at["CELERY_TASK_SOFT_TIME_LIMIT"], at["CELERY_TASK_TIME_LIMIT"]

    assert at["EMAIL_TIMEOUT"] < at["LETTER_SECONDS"] < soft < hard < at["LEASE_SECONDS"]
    assert at["TASK_SECONDS"] + at["LETTER_SECONDS"] < soft
    assert hard * 10 < at["CELERY_BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_TIMEOUT", "20"),
        ("EMAIL_TIMEOUT", "0"),
        ("LETTER_SECONDS", "60"),
        ("LETTER_SECONDS", "30"),
        ("TASK_SECONDS", "20"),
        ("LEASE_SECONDS", "45"),
        ("LEASE_SECONDS", "a minute"),
    ],
)
def test_r07_times_out_of_order_stop_the_start(name: str, value: str):
    said = _start("import codebar.settings", **{name: value})

    assert said.returncode != 0
    assert name in said.stderr.splitlines()[-1]


def _start(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Python with the settings' usual times, except for these."""
    usual = {name: value for name, value in os.environ.items() if name not in TIMES}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env=usual | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
