"""What superusers see of people at /staff/, beside the pages made for it."""

import allauth.account.admin  # noqa: F401 -- registers EmailAddress, which is then taken out
import django.contrib.auth.admin  # noqa: F401 -- the same with Group
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group
from django.forms import ModelForm
from django.http import HttpRequest

from members.models import Ban, Member

admin.site.site_header = admin.site.site_title = "codebar"
admin.site.unregister([EmailAddress, Group])


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["full_name", "email", "is_superuser", "accepted_terms_at", "closed_at"]
    list_filter = ["is_superuser"]
    search_fields = ["name", "surname", "email"]
    exclude = ["password", "last_login"]

    def save_model(
        self, request: HttpRequest, obj: Member, form: "ModelForm[Member]", change: bool
    ) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """Accounts are closed, never deleted."""
        return False


@admin.register(Ban)
class BanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["member", "reason", "expires_at", "is_permanent"]
    autocomplete_fields = ["member", "added_by"]
