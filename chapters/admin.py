"""Chapters and their workshops at /staff/, for superusers: what the organisers' pages leave out."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from chapters.models import (
    Chapter,
    Contact,
    Departure,
    Group,
    Sponsor,
    Subscription,
    Workshop,
    WorkshopSponsor,
)
from members.admin import ReadOnly


@admin.register(Chapter)
class ChapterAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "city", "email", "time_zone", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "city"]
    ordering = ["name"]
    autocomplete_fields = ["organisers"]
    prepopulated_fields = {"slug": ["name"]}

    def has_delete_permission(self, request: HttpRequest, obj: Chapter | None = None) -> bool:
        """A chapter becomes inactive; what it did stays."""
        return False


@admin.register(Group)
class GroupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "chapter", "role"]
    list_filter = ["role"]
    search_fields = ["name", "chapter__name"]
    ordering = ["chapter__name", "name"]
    autocomplete_fields = ["chapter"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """A group is called by its chapter, also where one is looked up."""
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.select_related("chapter")


@admin.register(Subscription)
class SubscriptionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["member", "group", "created_at"]
    list_select_related = ["member", "group__chapter"]
    search_fields = ["member__name", "member__surname", "member__email", "group__chapter__name"]
    show_full_result_count = False
    autocomplete_fields = ["member", "group"]


class ContactsOfASponsor(admin.TabularInline):  # type: ignore[type-arg]
    model = Contact
    fields = ["name", "surname", "email", "on_mailing_list", "comment"]
    extra = 0


@admin.register(Contact)
class ContactAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["full_name", "email", "sponsor", "on_mailing_list"]
    list_filter = ["on_mailing_list"]
    list_select_related = ["sponsor"]
    search_fields = ["name", "surname", "email", "sponsor__name"]
    ordering = ["sponsor__name", "name", "surname"]
    autocomplete_fields = ["sponsor"]
    readonly_fields = ["created_at"]


@admin.register(Sponsor)
class SponsorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "city", "seats", "coach_seats"]
    search_fields = ["name", "city"]
    ordering = ["name"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = [ContactsOfASponsor]


@admin.register(Workshop)
class WorkshopAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who organises it beside the chapter is decided here; the rest on the workshop's own pages."""

    list_display = ["id", "chapter", "starts_at", "is_virtual", "is_invitable", "cancelled_at"]
    list_filter = ["is_virtual", "is_invitable"]
    list_select_related = ["chapter"]
    search_fields = ["=id", "chapter__name"]
    date_hierarchy = "starts_at"
    autocomplete_fields = ["organisers"]
    readonly_fields = [
        "chapter", "starts_at", "ends_at", "rsvp_opens_at", "rsvp_closes_at", "is_invitable",
        "is_virtual", "student_spaces", "coach_spaces", "slack_channel", "slack_channel_link",
        "description", "cancelled_at", "sequence", "created_at",
    ]  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Workshop | None = None) -> bool:
        """A workshop is cancelled on its own page, where everybody is told."""
        return False


@admin.register(Departure)
class DepartureAdmin(ReadOnly):
    hint = "Members leave and join groups on their own pages."
    list_display = ["id", "member", "group", "left_at"]
    list_select_related = ["member", "group__chapter"]
    search_fields = ["member__name", "member__surname", "=member__email"]


@admin.register(WorkshopSponsor)
class WorkshopSponsorAdmin(ReadOnly):
    hint = "Venue and sponsors are chosen on the page of the workshop."
    list_display = ["workshop", "sponsor", "is_host"]
    list_filter = ["is_host"]
    list_select_related = ["workshop", "sponsor"]
    search_fields = ["=workshop__id", "sponsor__name"]
