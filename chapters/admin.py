"""Chapters and their workshops at /staff/, for superusers."""

from django.contrib import admin

from chapters.models import Chapter, Group, Sponsor, Subscription, Workshop, WorkshopSponsor


@admin.register(Chapter)
class ChapterAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "city", "email", "is_active"]
    search_fields = ["name"]
    autocomplete_fields = ["organisers"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Group)
class GroupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "chapter", "role"]
    list_filter = ["role"]
    list_select_related = ["chapter"]
    search_fields = ["name", "chapter__name"]
    autocomplete_fields = ["chapter"]


@admin.register(Subscription)
class SubscriptionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["member", "group", "created_at"]
    list_select_related = ["member", "group__chapter"]
    search_fields = ["member__name", "member__surname", "group__chapter__name"]
    autocomplete_fields = ["member", "group"]


@admin.register(Sponsor)
class SponsorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "city", "seats"]
    search_fields = ["name"]


class WorkshopSponsorInline(admin.TabularInline):  # type: ignore[type-arg]
    model = WorkshopSponsor
    extra = 1
    autocomplete_fields = ["sponsor"]


@admin.register(Workshop)
class WorkshopAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "chapter", "starts_at", "is_virtual", "is_invitable", "cancelled_at"]
    list_filter = ["is_virtual", "is_invitable"]
    list_select_related = ["chapter"]
    search_fields = ["chapter__name"]
    date_hierarchy = "starts_at"
    autocomplete_fields = ["chapter"]
    inlines = [WorkshopSponsorInline]
