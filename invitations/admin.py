"""Invitations at /staff/, for superusers. Nobody sees the key to a member's page there."""

from django.contrib import admin
from django.http import HttpRequest

from invitations.models import Invitation


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "workshop", "member", "role", "answer", "answered_at"]
    list_filter = ["role", "answer"]
    list_select_related = ["workshop", "member"]
    search_fields = ["member__name", "member__surname"]
    exclude = ["token"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Inviting is done from the workshop's page, where the ledger hears of it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """Answers are given under locks, by the services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False
