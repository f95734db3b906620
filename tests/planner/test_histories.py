"""What planner sent comes over as history: the log says what happened, and nothing follows."""

import pytest
from django.utils import timezone

from invitations.services import closing
from logs.models import EntryStatus, InvitationLog, InvitationLogEntry
from members.models import Member
from tests.planner import network
from tests.planner.network import (
    ASHA,
    BEN,
    CLEO,
    HELD,
    LAST_YEAR,
    bring,
    counts,
    entry,
    findings,
    invitation,
    log,
    naive,
)
from tests.support.planner import Planner

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(planner: Planner) -> Planner:
    network.fill(planner)
    planner.insert(
        "workshop_invitations", *(invitation(10 + who, who, HELD) for who in (ASHA, BEN, CLEO))
    )
    return planner


def test_a_log_and_its_entries_are_what_they_were(planner):
    planner.insert("invitation_logs", log(7, HELD, audience="coaches", created_at=naive(LAST_YEAR)))
    planner.insert("invitation_log_entries", entry(70, ASHA, of=7, created_at=naive(LAST_YEAR)))

    bring(planner)

    brought = InvitationLog.objects.values().get()
    del brought["request_key"]
    assert brought == {
        "id": 7,
        "workshop_id": HELD,
        "chapter_id": 1,
        "audience": "coaches",
        "action": "invite",
        "occasion": "",
        "status": "completed",
        "source": "import",
        "initiator_id": ASHA,
        "subject": "",
        "note": "",
        "about_id": None,
        "recipients": {},
        "send_at": None,
        "seen_count": None,
        "prepare_tries": 0,
        "reason": "",
        "created_at": LAST_YEAR,
        "started_at": LAST_YEAR,
        "finished_at": LAST_YEAR,
        "counts": None,
        "forgotten_at": None,
    }
    letter = InvitationLogEntry.objects.values().get()
    del letter["message_id"]
    assert letter == {
        "id": 70,
        "log_id": 7,
        "member_id": ASHA,
        "workshop_id": HELD,
        "action": "invite",
        "occasion": "",
        "status": "success",
        "reason": "",
        "priority": 1,
        "due_at": LAST_YEAR,
        "lease": None,
        "tries": 0,
        "doubts": 0,
        "answer_code": None,
        "is_settled": True,
        "created_at": LAST_YEAR,
        "changed_at": LAST_YEAR,
    }
    assert findings("invitation_logs", "invitation_log_entries") == []


def test_logs_that_are_odd(planner):
    planner.insert("invitation_logs", log(1, HELD, status="running", completed_at=None))
    planner.insert("invitation_logs", log(2, HELD, status="failed", error_message="No host"))
    planner.insert("invitation_logs", log(3, HELD, status="failed"))
    planner.insert("invitation_logs", log(4, HELD, audience="owls", initiator_id=None))
    planner.insert("invitation_logs", log(5, HELD, action="waiting_list_notification"))
    planner.insert("invitation_logs", log(6, HELD, chapter_id=2))
    planner.insert("invitation_logs", log(7, HELD, loggable_type="Event"))
    planner.insert("invitation_logs", log(8, 99))

    bring(planner)

    fields = ("pk", "status", "reason", "audience", "action", "chapter", "initiator")
    assert list(InvitationLog.objects.order_by("pk").values_list(*fields)) == [
        (1, "failed", "planner left it running", "students", "invite", 1, ASHA),
        (2, "failed", "planner: “No host”", "students", "invite", 1, ASHA),
        (3, "failed", "planner gave no reason", "students", "invite", 1, ASHA),
        (4, "completed", "", "everyone", "invite", 1, None),
        (5, "completed", "", "students", "message", 1, ASHA),
        (6, "completed", "", "students", "invite", 1, ASHA),
    ]
    assert findings("invitation_logs") == [
        ("log_left_running", 1, "kept", None),
        ("audience_unknown", 4, "kept", None),
        ("action_unknown", 5, "kept", None),
        ("log_of_another_chapter", 6, "kept", None),
        ("log_of_something_else", 7, "left_out", None),
        ("workshop_is_not_here", 8, "left_out", None),
    ]
    assert counts("invitation_logs") == (8, 6, 0, 2)


def test_somebody_who_stands_twice_in_a_log(planner):
    planner.insert("invitation_logs", log(1, HELD))
    planner.insert(
        "invitation_log_entries",
        entry(1, ASHA, status="skipped"),
        entry(2, ASHA, status="success"),
        entry(3, BEN, status="failed", failure_reason="Timeout"),
        entry(4, BEN, status="failed"),
        entry(5, BEN, status="skipped"),
        entry(6, CLEO, status="odd"),
        entry(7, 99),
    )

    bring(planner)

    assert list(
        InvitationLogEntry.objects.order_by("pk").values_list("pk", "member", "status", "reason")
    ) == [
        (2, ASHA, "success", ""),
        (3, BEN, "failed", "planner: “Timeout”"),
        (6, CLEO, "skipped", "planner gave no reason"),
    ]
    assert findings("invitation_log_entries") == [
        ("twice_in_a_log", 1, "merged", 2),
        ("twice_in_a_log", 4, "merged", 3),
        ("twice_in_a_log", 5, "merged", 3),
        ("outcome_unknown", 6, "kept", None),
        ("person_is_not_there", 7, "left_out", None),
    ]
    assert counts("invitation_log_entries") == (7, 3, 3, 1)


def test_a_letter_that_planner_sent_in_two_logs_counts_in_the_first(planner):
    planner.insert("invitation_logs", log(1, HELD), log(2, HELD, audience="everyone"))
    planner.insert("invitation_log_entries", entry(1, BEN, of=2), entry(2, BEN, of=1))

    bring(planner)

    assert list(
        InvitationLogEntry.objects.order_by("pk").values_list("pk", "status", "reason")
    ) == [
        (1, EntryStatus.SKIPPED, "planner had sent it before, in log 1"),
        (2, EntryStatus.SUCCESS, ""),
    ]
    assert findings("invitation_log_entries") == [("sent_before", 1, "kept", None)]


def test_reminders_of_the_past_are_no_invitations(planner):
    planner.insert("invitation_logs", log(1, HELD), log(2, HELD, action="reminder"))
    planner.insert("invitation_log_entries", entry(1, BEN, of=1), entry(2, BEN, of=2))

    bring(planner)

    statuses = InvitationLogEntry.objects.order_by("pk").values_list("action", "status")
    assert list(statuses) == [("invite", "success"), ("reminder", "success")]


def test_the_words_of_a_failure_go_with_a_closed_account(planner):
    planner.insert("invitation_logs", log(1, HELD))
    planner.insert(
        "invitation_log_entries",
        entry(1, BEN, status="failed", failure_reason="ben@people.example is unknown"),
    )
    bring(planner)

    closing.close(Member.objects.get(pk=BEN), at=timezone.now())

    assert InvitationLogEntry.objects.get().reason == closing.NOT_QUOTED
