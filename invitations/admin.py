"""
Invitations at /staff/, for superusers. Nobody sees the key to a member's page there.

What people said about a workshop is not there at all: whoever sees one answer whole can tell whose
it is.
"""

from __future__ import annotations

from django.contrib import admin

from invitations.models import FeedbackRequest, FormerToken, Invitation
from members.admin import ReadOnly


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    hint = "People are invited, and answers given, on the pages of the workshop."
    list_display = ["id", "workshop", "member", "role", "answer", "answered_at", "attended_at"]
    list_filter = ["role", "answer"]
    list_select_related = ["workshop", "member"]
    search_fields = ["=workshop__id", "member__name", "member__surname", "=member__email"]
    exclude = ["token"]


@admin.register(FeedbackRequest)
class FeedbackRequestAdmin(ReadOnly):
    hint = "Whoever came is asked by itself; what they said is on the pages of the workshop."
    list_display = ["id", "invitation", "answered_on", "created_at"]
    list_select_related = ["invitation"]
    search_fields = ["=invitation__id"]
    exclude = ["token"]


@admin.register(FormerToken)
class FormerTokenAdmin(ReadOnly):
    hint = "Kept by the import from planner, where one person had two invitations to a workshop."
    list_display = ["id", "invitation"]
    list_select_related = ["invitation"]
    search_fields = ["=invitation__id"]
    exclude = ["token"]
