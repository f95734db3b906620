"""A planner with people in two chapters and two workshops, for what is imported of workshops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from django.core.management import call_command

from logs.models import ImportedTable, ImportFinding
from tests.support.planner import Planner, fill_clean

TODAY = datetime.now(UTC).replace(hour=18, minute=30, second=0, microsecond=0)
NEXT_WEEK = TODAY + timedelta(days=7)
LAST_YEAR = TODAY - timedelta(days=400)
TO_COME, HELD = 1, 2
ASHA, BEN, CLEO = 1, 2, 3  # coach, student, student in London


def naive(moment: datetime) -> datetime:
    """As Rails writes it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def fill(planner: Planner) -> None:
    fill_clean(planner)
    planner.insert("workshops", workshop(TO_COME, NEXT_WEEK), workshop(HELD, LAST_YEAR))


def workshop(number: int, start: datetime | None, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "chapter_id": 1,
        "date_and_time": start and naive(start),
        "ends_at": start and naive(start + timedelta(hours=2)),
        "invitable": True,
        "virtual": False,
        "coach_spaces": 0,
        "student_spaces": 0,
        "slack_channel": None,
        "slack_channel_link": None,
        "description": None,
        **values,
    }


def invitation(number: int, member: int, workshop: int = TO_COME, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "workshop_id": workshop,
        "member_id": member,
        "role": "Student",
        "token": f"token-{number}",
        "attending": None,
        "attended": None,
        "note": None,
        "tutorial": None,
        "rsvp_time": None,
        "automated_rsvp": None,
        "last_overridden_by_id": None,
        "reminded_at": None,
        **values,
    }


def log(number: int, workshop: int = TO_COME, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "loggable_type": "Workshop",
        "loggable_id": workshop,
        "initiator_id": ASHA,
        "chapter_id": 1,
        "audience": "students",
        "action": "invite",
        "status": "completed",
        "started_at": naive(LAST_YEAR),
        "completed_at": naive(LAST_YEAR),
        "error_message": None,
        **values,
    }


def entry(number: int, member: int, of: int = 1, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "invitation_log_id": of,
        "member_id": member,
        "status": "success",
        "failure_reason": None,
        "processed_at": naive(LAST_YEAR),
        **values,
    }


def bring(planner: Planner, *options: str) -> str:
    """Import it all, and what the command said."""
    said = StringIO()
    call_command("import_planner", planner.url, *options, stdout=said)
    return said.getvalue()


def counts(table: str) -> tuple[int, int, int, int]:
    """Read, imported, merged and left out."""
    row = ImportedTable.objects.get(table=table)
    return row.read, row.imported, row.merged, row.left_out


def findings(*tables: str) -> list[tuple[str, int | None, str, int | None]]:
    """Rule, planner's row, outcome and the row it was merged into, in the order of the rows."""
    rows = ImportFinding.objects.filter(table__in=tables, old_id__isnull=False)
    found = rows.order_by("table", "old_id", "pk")
    return list(found.values_list("rule", "old_id", "outcome", "into_id"))


def marked() -> dict[str, int]:
    """How many letters of each kind the report says are marked as sent."""
    found = ImportFinding.objects.filter(rule="marked_as_sent").values_list("detail", flat=True)
    return {kind: int(words.split()[0]) for kind, words in (each.split(": ") for each in found)}
