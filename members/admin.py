"""
What superusers see of people at /staff/, beside the pages made for it.

Whatever a service decides about is read-only here: a row changed by hand would pass its locks, its
letters and its history by.
"""

from __future__ import annotations

import allauth.account.admin  # registers EmailAddress, which is then taken out
import allauth.socialaccount.admin  # noqa: F401 -- the same with its three
import django.contrib.auth.admin  # noqa: F401 -- the same with Group
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from members.models import Ban, Member, Note, Notice

admin.site.site_header = admin.site.site_title = "codebar"
admin.site.unregister([EmailAddress, Group, SocialAccount, SocialApp, SocialToken])


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows to be read; `hint` tells where they are made."""

    actions = None
    show_full_result_count = False
    hint = ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"subtitle": self.hint, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["full_name", "email", "is_superuser", "accepted_terms_at", "closed_at"]
    list_filter = ["is_superuser"]
    search_fields = ["name", "surname", "email"]
    ordering = ["name", "surname", "pk"]
    show_full_result_count = False
    exclude = ["password"]
    readonly_fields = ["accepted_terms_at", "closed_at", "last_login", "created_at"]

    def save_model(
        self, request: HttpRequest, obj: Member, form: ModelForm[Member], change: bool
    ) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """Accounts are closed, never deleted."""
        return False


@admin.register(Ban)
class BanAdmin(ReadOnly):
    hint = "Members are suspended, and suspensions lifted, on the page of the member."
    list_display = ["member", "reason", "expires_at", "is_permanent", "added_by", "created_at"]
    list_filter = ["is_permanent", "reason"]
    list_select_related = ["member", "added_by"]
    search_fields = ["member__name", "member__surname", "member__email"]


@admin.register(Note)
class NoteAdmin(ReadOnly):
    hint = "Notes are written and deleted on the page of the member."
    list_display = ["member", "author", "created_at"]
    list_select_related = ["member", "author"]
    search_fields = ["member__name", "member__surname", "member__email"]


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    hint = "Warnings and questions are sent from the page of the member."
    list_display = ["member", "kind", "sent_by", "created_at"]
    list_filter = ["kind"]
    list_select_related = ["member", "sent_by"]
    search_fields = ["member__name", "member__surname", "member__email"]
