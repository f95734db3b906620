"""What planner sent: its logs and entries under their old numbers; nothing follows from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from chapters.models import Workshop
from invitations.queries.reminders import occasion_of_start
from invitations.services.planner import pairs
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step
from logs.models import (
    Action,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Priority,
)

LOGS = Step("invitation_logs")
ENTRIES = Step("invitation_log_entries", key="invitation_log_id")
LEFT_RUNNING = "planner left it running"
NO_REASON = "planner gave no reason"
AUDIENCES = {audience.value: audience for audience in Audience if audience != Audience.PEOPLE}
ACTIONS = {"invite": Action.INVITE, "reminder": Action.REMINDER}
# Of several entries of one person in one log the first of these tells what happened.
WINNING = {
    "success": EntryStatus.SUCCESS,
    "failed": EntryStatus.FAILED,
    "skipped": EntryStatus.SKIPPED,
}


def bring_logs(chunk: Chunk) -> None:
    """Those about workshops that are here; whoever pressed the button may be gone."""
    ids = [row.loggable_id for row in chunk.rows if row.loggable_type == "Workshop"]
    workshops = Workshop.objects.in_bulk(set(here("workshops", ids).values()))
    members = here("members", (row.initiator_id for row in chunk.rows))
    logs = []
    for row in chunk.rows:
        if row.loggable_type != "Workshop":
            chunk.leave_out(Rule.LOG_OF_SOMETHING_ELSE, row.id, detail=row.loggable_type or "")
        elif row.loggable_id not in workshops:
            chunk.leave_out(Rule.WORKSHOP_IS_NOT_HERE, row.id)
        else:
            logs.append(_log(chunk, row, workshops[row.loggable_id], members))
    InvitationLog.objects.bulk_create(logs)


def bring_entries(chunk: Chunk) -> None:
    """One for each person of a log; of a letter that planner sent twice, one that counts."""
    logs = InvitationLog.objects.in_bulk(
        set(here("invitation_logs", (row.invitation_log_id for row in chunk.rows)).values())
    )
    members = here("members", (row.member_id for row in chunk.rows))
    together: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in chunk.rows:
        if row.invitation_log_id not in logs:
            chunk.leave_out(Rule.LOG_IS_NOT_HERE, row.id)
        elif row.member_id not in members:
            chunk.leave_out(Rule.PERSON_IS_NOT_THERE, row.id)
        else:
            together[row.invitation_log_id, members[row.member_id]].append(row)
    sent = _sent_before((logs[log_id].workshop_id, member) for log_id, member in together)
    entries = []
    for (log_id, member), rows in together.items():
        winner, *others = sorted(rows, key=lambda row: (_rank(row), row.id))
        for other in others:
            chunk.merge(Rule.TWICE_IN_A_LOG, other.id, into=winner.id)
        entry = _entry(chunk, winner, logs[log_id], member)
        _skip_if_sent(chunk, entry, sent)
        entries.append(entry)
    InvitationLogEntry.objects.bulk_create(entries)


# ---- Logs ----------------------------------------------------------------------------------


def _log(chunk: Chunk, row: Row, workshop: Workshop, members: dict[int, int]) -> InvitationLog:
    if row.chapter_id is not None and row.chapter_id != workshop.chapter_id:
        chunk.note(Rule.LOG_OF_ANOTHER_CHAPTER, row.id)
    action = _action(chunk, row)
    begun = row.started_at or row.created_at
    return InvitationLog(
        id=row.id,
        workshop=workshop,
        chapter_id=workshop.chapter_id,
        audience=_audience(chunk, row),
        action=action,
        occasion=_occasion(action, row, workshop),
        source=InvitationLog.Source.IMPORT,
        initiator_id=members.get(row.initiator_id),
        created_at=row.created_at,
        started_at=begun,
        finished_at=row.completed_at or begun,
        **_ending(chunk, row),
    )


def _ending(chunk: Chunk, row: Row) -> dict[str, Any]:
    if row.status == "completed":
        return {"status": LogStatus.COMPLETED}
    if row.status == "failed":
        return {"status": LogStatus.FAILED, "reason": _quoted(row.error_message)}
    chunk.note(Rule.LOG_LEFT_RUNNING, row.id)
    return {"status": LogStatus.FAILED, "reason": LEFT_RUNNING}


def _audience(chunk: Chunk, row: Row) -> Audience:
    audience = AUDIENCES.get(row.audience)
    if audience is None:
        chunk.note(Rule.AUDIENCE_UNKNOWN, row.id)
    return audience or Audience.EVERYONE


def _action(chunk: Chunk, row: Row) -> Action:
    """What is no invitation must not count as one."""
    action = ACTIONS.get(row.action)
    if action is None:
        chunk.note(Rule.ACTION_UNKNOWN, row.id)
    return action or Action.MESSAGE


def _occasion(action: Action, row: Row, workshop: Workshop) -> str:
    if action == Action.REMINDER:
        return occasion_of_start(workshop)
    return str(row.id) if action == Action.MESSAGE else ""


# ---- Entries -------------------------------------------------------------------------------


def _rank(row: Row) -> int:
    return [*WINNING].index(row.status) if row.status in WINNING else len(WINNING)


def _entry(chunk: Chunk, row: Row, log: InvitationLog, member: int) -> InvitationLogEntry:
    """Planner's success means that the letter was handed over, not what a mail server said."""
    status = WINNING.get(row.status)
    if status is None:
        chunk.note(Rule.OUTCOME_UNKNOWN, row.id)
        status = EntryStatus.SKIPPED
    has_left = status == EntryStatus.SUCCESS
    return InvitationLogEntry(
        id=row.id,
        log=log,
        member_id=member,
        workshop_id=log.workshop_id,
        action=log.action,
        occasion=log.occasion,
        status=status,
        reason="" if has_left else _quoted(row.failure_reason),
        priority=Priority.BULK,
        is_settled=has_left,
        due_at=row.created_at,
        created_at=row.created_at,
        changed_at=row.processed_at or row.created_at,
    )


def _sent_before(people: Iterable[tuple[Any, int]]) -> dict[tuple[Any, ...], int | None]:
    """In which log each letter was sent, of those to these people of workshops that are here."""
    sent = pairs.rows_of(
        """
        SELECT DISTINCT e.workshop_id, e.member_id, e.action, e.occasion, e.log_id
        FROM logs_invitationlogentry e
        JOIN wanted ON wanted.workshop = e.workshop_id AND wanted.member = e.member_id
        WHERE e.status = 'success'
        """,
        people,
    )
    return {tuple(letter): log for *letter, log in sent}


def _skip_if_sent(
    chunk: Chunk, entry: InvitationLogEntry, sent: dict[tuple[Any, ...], int | None]
) -> None:
    """Planner invited again whom another click had invited; one of the two counts."""
    if entry.status != EntryStatus.SUCCESS:
        return
    letter = (entry.workshop_id, entry.member_id, entry.action, entry.occasion)
    if letter in sent:
        chunk.note(Rule.SENT_BEFORE, entry.pk, detail=f"log {sent[letter]}")
        entry.status, entry.is_settled = EntryStatus.SKIPPED, False
        entry.reason = f"planner had sent it before, in log {sent[letter]}"
    sent.setdefault(letter, entry.log_id)


def _quoted(reason: str | None) -> str:
    """As the words of others stand in a reason; a closed account takes them along."""
    words = (reason or "").strip()
    return f"planner: “{words}”" if words else NO_REASON
