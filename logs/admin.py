"""The ledger at /staff/: to be read, never to be written by hand. Only the switch can be turned."""

from __future__ import annotations

from django.contrib import admin

from logs.models import Activity, Hold, InvitationLog, InvitationLogEntry, Pace, Slot, Switch
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


@admin.register(Slot)
class SlotAdmin(ReadOnly):
    list_display = ["nr", "worker", "until"]


@admin.register(Hold)
class HoldAdmin(ReadOnly):
    list_display = ["id", "since", "reason", "next_probe_at"]


@admin.register(Pace)
class PaceAdmin(ReadOnly):
    list_display = ["id", "next_at"]


@admin.register(Switch)
class SwitchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "chapter", "is_on"]
    list_select_related = ["chapter"]
    autocomplete_fields = ["chapter"]
