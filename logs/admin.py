"""The ledger at /staff/: to be read, never to be written by hand. Only the switch can be turned."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from logs.models import Hold, InvitationLog, InvitationLogEntry, Pace, Slot, Switch


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(InvitationLog)
class InvitationLogAdmin(ReadOnly):
    list_display = ["id", "chapter", "audience", "action", "status", "initiator", "created_at"]
    list_filter = ["status", "action"]
    list_select_related = ["chapter", "initiator"]


@admin.register(InvitationLogEntry)
class InvitationLogEntryAdmin(ReadOnly):
    list_display = ["id", "log", "member", "action", "status", "reason", "changed_at"]
    list_filter = ["status", "action"]
    list_select_related = ["log", "member"]
    search_fields = ["member__name", "member__surname"]
    show_full_result_count = False


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
    list_display = ["__str__", "is_on"]
