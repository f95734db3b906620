"""The ledger at /staff/: to be read, never to be written by hand."""

from __future__ import annotations

from django.contrib import admin

from logs.models import (
    Activity,
    Alert,
    AuditRun,
    Bounce,
    Heartbeat,
    Hold,
    ImportedTable,
    ImportFinding,
    InvitationLog,
    InvitationLogEntry,
    Pace,
    PlannerImport,
    Reading,
    Release,
    Slot,
    Switch,
    Tally,
)
from members.admin import ReadOnly


@admin.register(InvitationLog)
class InvitationLogAdmin(ReadOnly):
    list_display = ["id", "chapter", "audience", "action", "status", "initiator", "created_at"]
    list_filter = ["status", "action", "audience", "source"]
    list_select_related = ["chapter", "initiator"]
    search_fields = ["=id", "=workshop__id", "chapter__name"]
    date_hierarchy = "created_at"


@admin.register(InvitationLogEntry)
class InvitationLogEntryAdmin(ReadOnly):
    list_display = ["id", "log", "member", "action", "status", "reason", "changed_at"]
    list_filter = ["status", "action"]
    list_select_related = ["log", "member"]
    search_fields = ["=log__id", "=message_id", "member__name", "member__surname", "=member__email"]


@admin.register(Activity)
class ActivityAdmin(ReadOnly):
    list_display = ["at", "by", "did", "member", "workshop", "chapter"]
    list_select_related = ["by", "member", "workshop", "chapter"]
    search_fields = ["did", "by__name", "by__surname", "member__name", "member__surname"]
    date_hierarchy = "at"


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnly):
    list_display = ["id", "asked_at", "asked_by", "finished_at", "found"]
    list_select_related = ["asked_by"]


@admin.register(Release)
class ReleaseAdmin(ReadOnly):
    list_display = ["name", "seen_at"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    list_display = ["name", "at", "release"]


@admin.register(Tally)
class TallyAdmin(ReadOnly):
    list_display = ["name", "minute", "count"]
    list_filter = ["name"]
    date_hierarchy = "minute"


@admin.register(Reading)
class ReadingAdmin(ReadOnly):
    list_display = ["minute", "pending", "sent", "failed", "unknown", "expired", "release"]
    date_hierarchy = "minute"


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    list_display = ["kind", "key", "severity", "log", "began_at", "ended_at", "mailed_at"]
    list_filter = ["kind", "severity"]
    list_select_related = ["log"]
    date_hierarchy = "began_at"


@admin.register(Bounce)
class BounceAdmin(ReadOnly):
    list_display = ["id", "at", "member", "kind", "code", "told_by", "entry"]
    list_filter = ["kind", "told_by"]
    list_select_related = ["member", "entry"]
    search_fields = ["=entry__id", "=code", "member__name", "member__surname", "=member__email"]
    date_hierarchy = "at"


@admin.register(Slot)
class SlotAdmin(ReadOnly):
    list_display = ["nr", "worker", "until", "letters", "smtp_ms", "expired"]


@admin.register(Hold)
class HoldAdmin(ReadOnly):
    list_display = ["id", "since", "reason", "next_probe_at"]


@admin.register(Pace)
class PaceAdmin(ReadOnly):
    list_display = ["id", "next_at"]


@admin.register(Switch)
class SwitchAdmin(ReadOnly):
    hint = (
        "Turned at /admin/delivery, and for one chapter on its page, where it is noted who did it."
    )
    list_display = ["__str__", "chapter", "is_on"]
    list_select_related = ["chapter"]


@admin.register(PlannerImport)
class PlannerImportAdmin(ReadOnly):
    hint = "Made by manage.py import_planner."
    list_display = ["__str__", "zone", "schema_version", "started_at", "finished_at"]


@admin.register(ImportedTable)
class ImportedTableAdmin(ReadOnly):
    list_display = ["table", "read", "imported", "merged", "left_out", "finished_at"]


@admin.register(ImportFinding)
class ImportFindingAdmin(ReadOnly):
    list_display = ["table", "old_id", "rule", "outcome", "into_id", "detail"]
    list_filter = ["outcome", "table"]
    search_fields = ["=old_id", "=rule"]
