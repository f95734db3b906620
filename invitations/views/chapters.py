"""Chapters: how each of them stands, one of them with its figures, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Chapter, Workshop
from invitations import charts
from invitations.forms.chapters import ZONES, ChapterForm, EditChapterForm
from invitations.queries import overviews, statistics
from invitations.queries.overviews import Overview
from invitations.queries.statistics import Standing
from invitations.services import founding
from invitations.views import doors
from logs.models import Activity
from logs.queries import obstacles
from members.models import Member

RECENT_ACTIVITIES = 10
ACTIVITIES_A_PAGE = 50
SOON = 6


@dataclass(frozen=True)
class Part:
    """Chapters that stand alike."""

    title: str
    tone: str
    standings: list[Standing]


@login_required
@require_safe
def chapters(request: HttpRequest) -> HttpResponse:
    """How every chapter of this organiser stands; those that need somebody come first."""
    if not cast("Member", request.user).is_superuser:  # the first admin adds the first chapter
        doors.organiser_of_anything(request)
    found = list(Chapter.objects.organised_by(request.user).order_by("name"))
    standings = statistics.standings(found, at=timezone.now())
    parts = _parts(standings)
    return render(
        request,
        "invitations/chapters/chapters.html",
        {
            "parts": [part for part in parts if part.standings],
            "attention": len(parts[0].standings),
            "chapters": found,
            "sending": obstacles(Chapter.objects.organised_by(request.user)),
        },
    )


@login_required
@require_safe
def chapter(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """The next workshop, who is subscribed, who organises, what comes and how it went."""
    found = doors.chapter_of_organiser(request, chapter_id)
    now = timezone.now()
    (standing,) = statistics.standings([found], at=now)
    year = statistics.last_year(found, at=now)
    return render(
        request,
        "invitations/chapters/chapter.html",
        {
            "chapter": found,
            "standing": standing,
            "groups": statistics.sizes_of_groups(found),
            "organisers": found.organisers.order_by("name", "surname", "pk"),
            "coming": _coming(found, at=now),
            "attendance": charts.attendance(year),
            "replies": charts.replies(year),
            # Every answer to a workshop would push a new organiser off this short list.
            "activities": _history(found).filter(workshop=None)[:RECENT_ACTIVITIES],
            "sending": obstacles(Chapter.objects.filter(pk=found.pk)),
            "now": now,
        },
    )


@login_required
@require_safe
def chapter_history(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """Everything that was done for the chapter and its workshops, the newest first."""
    found = doors.chapter_of_organiser(request, chapter_id)
    page = Paginator(_history(found), ACTIVITIES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "invitations/chapters/history.html", {"chapter": found, "page": page})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chapter_new(request: HttpRequest) -> HttpResponse:
    """Founding a chapter, which only admins do."""
    admin = cast("Member", request.user)  # by login_required
    doors.only_if(admin.is_superuser)
    if request.method != "POST":
        return _form_page(request, ChapterForm())
    form = ChapterForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, status=400)
    try:
        founded = founding.found(form.particulars, by=admin)
    except founding.Refused as refusal:
        form.add_error(refusal.field, refusal.message)
        return _form_page(request, form, status=409)
    messages.success(request, "The chapter has a group for students and one for coaches now.")
    return redirect("chapter", founded.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chapter_edit(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """What a chapter says about itself."""
    found = doors.chapter_of_organiser(request, chapter_id)
    if request.method != "POST":
        return _form_page(request, EditChapterForm.of(found), chapter=found)
    form = EditChapterForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, chapter=found, status=400)
    old_zone = found.time_zone
    try:
        founding.change(found, form.particulars, by=cast("Member", request.user))
    except founding.Refused as refusal:
        form.add_error(refusal.field, refusal.message)
        return _form_page(request, form, chapter=found, status=409)
    messages.success(request, "Saved.")
    if found.time_zone != old_zone:
        _tell_about_workshops(request, found)
    return redirect("chapter", found.pk)


def _parts(standings: list[Standing]) -> list[Part]:
    """Every chapter in exactly one part."""
    resting = [standing for standing in standings if not standing.chapter.is_active]
    active = [standing for standing in standings if standing.chapter.is_active]
    calm = [standing for standing in active if not standing.needs]
    return [
        Part("Need attention", "is-doubt", [s for s in active if s.needs]),
        Part("All is well", "is-sent", [s for s in calm if s.next]),
        Part("Nothing planned", "is-skipped", [s for s in calm if not s.next]),
        Part("Not active", "is-skipped", resting),
    ]


def _coming(chapter: Chapter, *, at: datetime) -> list[Overview]:
    """The workshops of today, by the chapter's clock, and those to come."""
    today = at.astimezone(chapter.time_zone).replace(hour=0, minute=0, second=0, microsecond=0)
    workshops = chapter.workshops.filter(starts_at__gte=today, cancelled_at=None)
    soon = workshops.select_related("chapter").order_by("starts_at", "pk")[:SOON]
    return overviews.overviews(list(soon))


def _form_page(
    request: HttpRequest, form: ChapterForm, *, chapter: Chapter | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "chapter": chapter,
        "zones": ZONES,
        "upcoming": _upcoming(chapter).count() if chapter else 0,
    }
    return render(request, "invitations/chapters/edit.html", context, status=status)


def _upcoming(chapter: Chapter) -> QuerySet[Workshop]:
    return Workshop.objects.filter(chapter=chapter).upcoming(timezone.now()).order_by("starts_at")


def _tell_about_workshops(request: HttpRequest, chapter: Chapter) -> None:
    """The clock has changed, and the moments of the workshops have not."""
    upcoming = _upcoming(chapter)
    first = upcoming.first()
    if first:
        start = first.starts_at.astimezone(chapter.time_zone)
        messages.warning(
            request,
            f"Upcoming workshops keep their moment: the next, on {start:%-d %B}, now begins at"
            f" {start:%H:%M} ({chapter.time_zone}). Move it if that is not what you mean.",
        )


def _history(chapter: Chapter) -> QuerySet[Activity]:
    activities = chapter.activities.select_related("by", "member", "workshop__chapter")
    return activities.order_by("-at", "-pk")
