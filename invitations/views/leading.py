"""Who organises a chapter."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from chapters.models import Chapter
from invitations.forms.chapters import OrganiserForm
from invitations.services import leading
from invitations.views import doors
from members.models import Member


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chapter_organisers(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """Who organises the chapter, and one more."""
    chapter = doors.chapter_of_organiser(request, chapter_id)
    if request.method != "POST":
        return _page(request, chapter, OrganiserForm())
    form = OrganiserForm(request.POST)
    if not form.is_valid():
        return _page(request, chapter, form, status=400)
    try:
        added = leading.add(
            chapter,
            email=form.cleaned_data["email"],
            by=cast("Member", request.user),  # by login_required
        )
    except leading.Refused as refusal:
        form.add_error("email", refusal.message)
        return _page(request, chapter, form, status=409)
    messages.success(request, f"{added.full_name} organises {chapter} now.")
    return redirect("chapter_organisers", chapter.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chapter_organiser_remove(request: HttpRequest, chapter_id: int, member_id: int) -> HttpResponse:
    """Asks first, since whoever removes themselves cannot come back by themselves."""
    chapter = doors.chapter_of_organiser(request, chapter_id)
    organiser = chapter.organisers.filter(pk=member_id).first()
    if organiser is None:  # removed by a first tap
        messages.info(request, f"They organise {chapter} no more.")
        return redirect("chapter_organisers", chapter.pk)
    user = cast("Member", request.user)
    if request.method != "POST":
        return _question(request, chapter, organiser)
    try:
        leading.remove(chapter, member=organiser, by=user)
    except leading.Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("chapter_organisers", chapter.pk)
    if organiser == user and not user.is_superuser:
        messages.success(request, f"You organise {chapter} no more. Thank you for all you did.")
        return redirect("portal")
    messages.success(request, f"{organiser.full_name} organises {chapter} no more.")
    return redirect("chapter_organisers", chapter.pk)


def _page(
    request: HttpRequest, chapter: Chapter, form: OrganiserForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "chapter": chapter,
        "organisers": chapter.organisers.order_by("name", "surname", "pk"),
        "form": form,
    }
    return render(request, "invitations/chapters/organisers.html", context, status=status)


def _question(request: HttpRequest, chapter: Chapter, organiser: Member) -> HttpResponse:
    context = {
        "chapter": chapter,
        "organiser": organiser,
        "workshops": organiser.organised_workshops.filter(chapter=chapter).upcoming(timezone.now()),
    }
    return render(request, "invitations/chapters/organiser_remove.html", context)
