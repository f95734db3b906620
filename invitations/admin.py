"""Invitations at /staff/, for superusers. Nobody sees the key to a member's page there."""

from __future__ import annotations

from django.contrib import admin

from invitations.models import Invitation
from members.admin import ReadOnly


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    hint = "People are invited, and answers given, on the pages of the workshop."
    list_display = ["id", "workshop", "member", "role", "answer", "answered_at", "attended_at"]
    list_filter = ["role", "answer"]
    list_select_related = ["workshop", "member"]
    search_fields = ["=workshop__id", "member__name", "member__surname", "=member__email"]
    exclude = ["token"]
