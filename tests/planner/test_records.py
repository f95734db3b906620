"""Suspensions, notes and notices."""

from datetime import UTC, datetime

import pytest

from members.models import Ban, Member, Note, Notice
from tests.planner.test_people import arrive, found
from tests.support.planner import member_row, naive

pytestmark = pytest.mark.django_db

THEN = naive(2019, 6, 1, 12)


def test_all_bans_come_and_hold_as_they_did(planner):
    planner.insert("members", member_row(1, "a@people.example"), member_row(2, "b@people.example"))
    ban = {"member_id": 1, "added_by_id": 2, "reason": "No-shows", "note": "n", "explanation": "e"}
    planner.insert(
        "bans",
        ban | {"id": 1, "expires_at": THEN, "permanent": False},
        ban | {"id": 2, "expires_at": "2999-01-01", "permanent": False},
        ban | {"id": 3, "expires_at": THEN, "permanent": True},
        ban | {"id": 4, "expires_at": None, "permanent": False},
        ban | {"id": 5, "expires_at": None, "permanent": None, "reason": None},
        ban | {"id": 6, "expires_at": THEN, "permanent": False, "reason": "r" * 300},
        ban | {"id": 7, "expires_at": "infinity", "permanent": False},
        ban | {"id": 8, "member_id": 77, "expires_at": THEN, "permanent": False},
    )

    arrive(planner)

    at = THEN.replace(tzinfo=UTC)
    values = Ban.objects.order_by("pk").values_list("expires_at", "is_permanent", "reason")
    assert list(values) == [
        (at, False, "No-shows"),
        (datetime(2999, 1, 1, tzinfo=UTC), False, "No-shows"),
        (at, True, "No-shows"),
        (None, True, "No-shows"),
        (None, True, "No reason was written down."),
        (at, False, "r" * 199 + "…"),
        (datetime(9999, 12, 30, tzinfo=UTC), False, "No-shows"),
    ]
    assert Member.objects.not_banned().filter(pk=1).exists() is False
    assert found("bans") == [
        (4, "ban_without_end", "kept", None, ""),
        (5, "ban_without_end", "kept", None, ""),
        (5, "ban_without_reason", "kept", None, ""),
        (6, "text_cut", "kept", None, "reason"),
        (8, "person_is_not_there", "left_out", None, ""),
    ]


def test_former_member_stands_for_authors_who_are_gone_and_only_then(planner):
    planner.insert("members", member_row(1, "a@people.example"))
    planner.insert(
        "member_notes",
        {"id": 1, "member_id": 1, "author_id": 1, "note": "Kind."},
    )
    arrive(planner)
    assert Member.objects.count() == 1


def test_notes_and_notices(planner):
    planner.insert("members", member_row(1, "a@people.example"), member_row(2, "b@people.example"))
    planner.insert(
        "member_notes",
        {"id": 1, "member_id": 1, "author_id": 2, "note": "Kind."},
        {"id": 2, "member_id": 1, "author_id": 99, "note": "Late."},
        {"id": 3, "member_id": 1, "author_id": 2, "note": "  "},
    )
    planner.insert("attendance_warnings", {"id": 1, "member_id": 1, "sent_by_id": None})
    planner.insert("eligibility_inquiries", {"id": 1, "member_id": 2, "sent_by_id": 1})

    arrive(planner)

    somebody = Member.objects.get(email="closed-planner@codebar.invalid")
    assert (somebody.name, somebody.is_active) == ("Former member", False)
    assert somebody.pk > 2
    assert list(Note.objects.order_by("pk").values_list("member", "author", "text")) == [
        (1, 2, "Kind."),
        (1, somebody.pk, "Late."),
    ]
    assert set(Notice.objects.values_list("member", "sent_by", "kind")) == {
        (1, somebody.pk, "attendance"),
        (2, 1, "eligibility"),
    }
    assert found("member_notes") == [
        (2, "author_is_not_there", "kept", None, ""),
        (3, "note_blank", "left_out", None, ""),
    ]
    assert found("attendance_warnings") == [(1, "author_is_not_there", "kept", None, "")]
