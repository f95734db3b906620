"""The tables of the ledger, and of all that watches over it; a module a story."""

from logs.models.bounces import Bounce
from logs.models.history import Activity
from logs.models.importing import ImportedTable, ImportFinding, PlannerImport
from logs.models.ledger import (
    CHAPTER_AUDIENCES,
    LIVE_ENTRY_STATUSES,
    LIVE_LOG_STATUSES,
    REPAIRS,
    TO_GO,
    Action,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Priority,
)
from logs.models.sending import Hold, Pace, Slot, Switch
from logs.models.watching import Alert, AuditRun, Heartbeat, Reading, Release, Severity, Tally

__all__ = [
    "CHAPTER_AUDIENCES",
    "LIVE_ENTRY_STATUSES",
    "LIVE_LOG_STATUSES",
    "REPAIRS",
    "TO_GO",
    "Action",
    "Activity",
    "Alert",
    "Audience",
    "AuditRun",
    "Bounce",
    "EntryStatus",
    "Heartbeat",
    "Hold",
    "ImportFinding",
    "ImportedTable",
    "InvitationLog",
    "InvitationLogEntry",
    "LogStatus",
    "Pace",
    "PlannerImport",
    "Priority",
    "Reading",
    "Release",
    "Severity",
    "Slot",
    "Switch",
    "Tally",
]
