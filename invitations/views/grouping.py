"""The mailing groups of a chapter, and the people in them."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chapters.models import Chapter, Group, Role
from invitations.forms.chapters import ELIGIBLE, GroupForm, NewGroupForm, SubscribersFilter
from invitations.queries import statistics
from invitations.queries import subscribers as subscribed
from invitations.services import grouping
from invitations.views import doors
from members.models import Member

PEOPLE_A_PAGE = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chapter_groups(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """The groups with their sizes, and one more."""
    chapter = doors.chapter_of_organiser(request, chapter_id)
    if request.method != "POST":
        return _groups_page(request, chapter, NewGroupForm())
    form = NewGroupForm(request.POST)
    if not form.is_valid():
        return _groups_page(request, chapter, form, status=400)
    try:
        group = grouping.add(
            chapter,
            name=form.cleaned_data["name"],
            role=Role(form.cleaned_data["role"]),
            description=form.cleaned_data["description"],
            by=cast("Member", request.user),  # by login_required
        )
    except grouping.Refused as refusal:
        form.add_error("name", refusal.message)
        return _groups_page(request, chapter, form, status=409)
    messages.success(request, f"The chapter has the group “{group.name}” now.")
    return redirect("chapter_groups", chapter.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chapter_group(request: HttpRequest, chapter_id: int, group_id: int) -> HttpResponse:
    """Renaming or describing one group."""
    chapter = doors.chapter_of_organiser(request, chapter_id)
    group = get_object_or_404(chapter.groups.select_related("chapter"), pk=group_id)
    if request.method != "POST":
        return _group_page(request, group, GroupForm.of(group))
    form = GroupForm(request.POST)
    if not form.is_valid():
        return _group_page(request, group, form, status=400)
    try:
        grouping.change(group, **form.cleaned_data, by=cast("Member", request.user))
    except grouping.Refused as refusal:
        form.add_error("name", refusal.message)
        return _group_page(request, group, form, status=409)
    messages.success(request, "Saved.")
    return redirect("chapter_groups", chapter.pk)


@login_required
@require_POST
def chapter_group_delete(request: HttpRequest, chapter_id: int, group_id: int) -> HttpResponse:
    """Deleting a group that nobody is in."""
    chapter = doors.chapter_of_organiser(request, chapter_id)
    group = chapter.groups.select_related("chapter").filter(pk=group_id).first()
    if group is None:  # deleted by a first tap
        messages.info(request, "This chapter has no such group any more.")
        return redirect("chapter_groups", chapter.pk)
    try:
        grouping.delete(group, by=cast("Member", request.user))
    except grouping.Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"The group “{group.name}” is deleted.")
    return redirect("chapter_groups", chapter.pk)


@login_required
@require_safe
def subscribers(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """Everybody in a group of the chapter, and who of them gets no letters and why."""
    chapter = doors.chapter_of_organiser(request, chapter_id)
    chosen = SubscribersFilter(request.GET)
    chosen.is_valid()
    found = subscribed.find(chapter, chosen.wanted)
    pages = Paginator(found.people, PEOPLE_A_PAGE)
    pages.count = found.count  # counted already
    return render(
        request,
        "invitations/chapters/subscribers.html",
        {
            "chapter": chapter,
            "filter": chosen,
            "page": pages.get_page(request.GET.get("page")),
            "found": found,
            "by_reason": [(reason or ELIGIBLE, count) for reason, count in found.by_reason],
            "size": statistics.size_of(chapter),
            "in_several": subscribed.in_several_groups(chapter),
        },
    )


@login_required
@require_POST
def subscriber_remove(
    request: HttpRequest, chapter_id: int, group_id: int, member_id: int
) -> HttpResponse:
    """Taking somebody out of a group, and back to where the organiser was in the list."""
    chapter = doors.chapter_of_organiser(request, chapter_id)
    group: Group = get_object_or_404(chapter.groups.select_related("chapter"), pk=group_id)
    member = Member.objects.filter(pk=member_id).first()
    by = cast("Member", request.user)  # by login_required
    if member and grouping.take_out(member, group=group, by=by, at=timezone.now()):
        messages.success(request, f"{member.full_name} gets no more letters of {group.name}.")
    else:
        messages.info(request, f"Nobody was taken out: they were not in {group.name} any more.")
    return redirect(f"{reverse('subscribers', args=[chapter.pk])}?{request.GET.urlencode()}")


def _groups_page(
    request: HttpRequest, chapter: Chapter, form: NewGroupForm, *, status: int = 200
) -> HttpResponse:
    context = {"chapter": chapter, "groups": statistics.sizes_of_groups(chapter), "form": form}
    return render(request, "invitations/chapters/groups.html", context, status=status)


def _group_page(
    request: HttpRequest, group: Group, form: GroupForm, *, status: int = 200
) -> HttpResponse:
    context = {"chapter": group.chapter, "group": group, "form": form}
    return render(request, "invitations/chapters/group.html", context, status=status)
