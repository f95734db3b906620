"""After a backup was restored: what may have left since then leaves only when somebody says so."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.management import call_command

from invitations.services import auditing, claiming, preparing
from invitations.services.manager import InvitationManager
from logs.models import Activity, EntryStatus, InvitationLog, InvitationLogEntry, LogStatus, Switch
from logs.services import restoring, slots, steering
from logs.services.slots import Lost
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
)

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def log() -> InvitationLog:
    """Ten letters to go, and four connections."""
    workshop = WorkshopFactory(chapter=chapter_with(students=10))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)
    slots.provide(4)
    log.refresh_from_db()
    return log


def statuses(log: InvitationLog) -> Counter[str]:
    return Counter(log.entries.values_list("status", flat=True))


def test_what_waited_is_in_doubt_and_nothing_leaves(log):
    assert restoring.doubt_what_may_have_left() == {log.pk: 10}

    assert statuses(log) == {"unknown": 10}
    assert set(log.entries.values_list("doubts", "reason")) == {(1, restoring.MAY_HAVE_LEFT)}
    assert not Switch.objects.get(chapter=None).is_on


def test_what_a_cursor_had_passed_was_sent_and_the_rest_in_hand_is_in_doubt(log):
    slot = slots.take(worker="of then")
    assert slot
    letters, _ = claiming.claim(slot, {}, limit=6)
    slots.move_cursor(slot, letters[3].entry_id)

    assert restoring.doubt_what_may_have_left() == {log.pk: 7}

    assert statuses(log) == {"success": 3, "unknown": 7}
    at_the_cursor = log.entries.get(pk=letters[3].entry_id)
    assert (at_the_cursor.doubts, at_the_cursor.reason) == (2, restoring.MAY_HAVE_LEFT)
    assert slots.free_count() == 4


def test_a_sender_that_still_runs_loses_its_lease(log):
    slot = slots.take(worker="forgotten")
    assert slot
    letters, _ = claiming.claim(slot, {}, limit=6)

    restoring.doubt_what_may_have_left()

    assert slots.move_cursor(slot, letters[0].entry_id) is None
    with pytest.raises(Lost):
        slots.release(slot, {letters[0].entry_id: 250})
    assert statuses(log) == {"unknown": 10}


def test_letters_of_no_log_and_of_paused_logs_are_meant_too_and_nothing_else(log):
    steering.pause(log)
    single = InvitationLogEntryFactory(log=None, action="confirmation", status=EntryStatus.PENDING)
    done = InvitationLogFactory(status=LogStatus.COMPLETED)
    others = [
        InvitationLogEntryFactory(log=done, workshop=done.workshop, status=status, reason="so")
        for status in ("success", "failed", "skipped", "unknown", "cancelled")
    ]

    assert restoring.doubt_what_may_have_left() == {log.pk: 10, None: 1}

    single.refresh_from_db()
    assert (single.status, single.doubts) == ("unknown", 1)
    kept = InvitationLogEntry.objects.filter(pk__in=[entry.pk for entry in others])
    assert set(kept.values_list("status", "doubts", "reason")) == {
        (entry.status, 0, "so") for entry in others
    }


def test_each_log_has_a_line_in_the_history_of_its_workshop(log):
    restoring.doubt_what_may_have_left()

    lines = Activity.objects.order_by("pk").values_list(
        "did", "workshop", "chapter", "remark", "by"
    )
    assert list(lines)[-2:] == [
        ("stopped all sending", None, None, "A backup was restored.", None),
        (
            f"put 10 letters that waited of log {log.pk} in doubt",
            log.workshop_id,
            log.chapter_id,
            "A backup was restored.",
            None,
        ),
    ]


def test_twice_changes_nothing_more(log):
    restoring.doubt_what_may_have_left()
    before = list(InvitationLogEntry.objects.order_by("pk").values())

    assert restoring.doubt_what_may_have_left() == {}

    assert list(InvitationLogEntry.objects.order_by("pk").values()) == before
    assert Activity.objects.filter(did__startswith="stopped").count() == 1


def test_the_audit_names_everybody_of_whom_the_ledger_cannot_know(log):
    restoring.doubt_what_may_have_left()
    steering.finish_done()

    found = {(one.kind, one.is_open, one.reason, one.member) for one in auditing.breaches(None)}

    assert found == {
        ("not_invited", True, "the letter is in doubt", member)
        for member in log.entries.values_list("member", flat=True)
    }


def test_a_click_writes_to_nobody_who_is_in_doubt(log):
    restoring.doubt_what_may_have_left()
    steering.finish_done()

    again = InvitationManager().send_workshop_emails(log.workshop, "students", MemberFactory())
    preparing.prepare(again.pk)

    assert set(again.entries.values_list("status", "reason")) == {
        ("skipped", f"has a letter in doubt in log {log.pk}")
    }


def test_somebody_decides_and_it_goes_on(log):
    restoring.doubt_what_may_have_left()
    steering.finish_done()
    arrived = log.entries.order_by("pk")[0]

    steering.take_as_arrived(arrived)
    steering.send_all_again(log, seen=9)

    assert statuses(log) == {"success": 1, "pending": 9}


def test_the_command_counts_and_does_it_only_with_yes(log, capsys):
    call_command("after_restore")

    assert capsys.readouterr().out == (
        "May have left since the backup was made: 10 letters. With --yes all sending is stopped,"
        " and they are in doubt until somebody decides.\n"
    )
    assert statuses(log) == {"pending": 10}
    assert Switch.objects.get(chapter=None).is_on

    call_command("after_restore", "--yes")

    assert capsys.readouterr().out == (
        f"In doubt now: 10 letters of log {log.pk}.\n"
        "Sending is stopped. Decide at /admin/delivery/in-doubt, ask “audit”, then"
        " “delivery resume”.\n"
    )
    assert statuses(log) == {"unknown": 10}
