"""The switches: what is being sent now, and stopping it, all of it or a chapter's."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Chapter
from invitations import tasks
from invitations.forms.stopping import StopForm
from invitations.queries import overviews
from invitations.views import doors
from logs.models import LIVE_LOG_STATUSES, InvitationLog
from logs.queries import obstacles, waiting
from logs.services import switches
from members.models import Member

LOGS_SHOWN = 20
TURNS_SHOWN = 10
ALREADY = "It was so already."


@login_required
@require_safe
def delivery(request: HttpRequest) -> HttpResponse:
    """Whether letters leave, which ones do now, and who has stopped them or let them go."""
    doors.only_if(_user(request).is_superuser)
    live = InvitationLog.objects.filter(status__in=LIVE_LOG_STATUSES)
    return render(
        request,
        "invitations/stopping/delivery.html",
        {
            "sending": obstacles(Chapter.objects.all()),
            "sent": overviews.sent(live, most=LOGS_SHOWN),
            "more": max(live.count() - LOGS_SHOWN, 0),
            "waiting": waiting(),
            "activities": switches.turned()[:TURNS_SHOWN],
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delivery_stop(request: HttpRequest) -> HttpResponse:
    """What happens when everything is stopped; and the decision."""
    doors.only_if(_user(request).is_superuser)
    return _stop(request, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delivery_resume(request: HttpRequest) -> HttpResponse:
    """What happens when letters leave again; and the decision."""
    doors.only_if(_user(request).is_superuser)
    return _resume(request, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chapter_stop(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """What happens when the letters of a chapter are stopped; and the decision."""
    return _stop(request, doors.chapter_of_organiser(request, chapter_id))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chapter_resume(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """What happens when the letters of a chapter leave again; and the decision."""
    return _resume(request, doors.chapter_of_organiser(request, chapter_id))


def _stop(request: HttpRequest, chapter: Chapter | None) -> HttpResponse:
    form = StopForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 400 if form.is_bound else 200
        return _page(request, "invitations/stopping/stop.html", chapter, form, status=status)
    if switches.stop(chapter, by=_user(request), reason=form.cleaned_data["reason"]):
        messages.success(request, "Stopped. The letters that wait leave when you let them.")
    else:
        messages.info(request, ALREADY)
    return _back(chapter)


def _resume(request: HttpRequest, chapter: Chapter | None) -> HttpResponse:
    if request.method != "POST":
        return _page(request, "invitations/stopping/resume.html", chapter)
    try:
        is_new = switches.resume(chapter, by=_user(request))
    except switches.OnlyAnAdmin:
        return _page(request, "invitations/stopping/resume.html", chapter, status=403)
    if is_new:
        tasks.ring_for_all()
        messages.success(request, "The letters leave again.")
    else:
        messages.info(request, ALREADY)
    return _back(chapter)


def _page(
    request: HttpRequest,
    template: str,
    chapter: Chapter | None,
    form: StopForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    chapters = Chapter.objects.all() if chapter is None else Chapter.objects.filter(pk=chapter.pk)
    sending = obstacles(chapters)
    stop = next((stop for stop in sending.stops if stop.chapter == chapter), None)
    context = {
        "chapter": chapter,
        "form": form,
        "sending": sending,
        "stop": stop,
        "can_resume": switches.is_admin(_user(request)) or not (stop and stop.needs_admin),
        "waiting": waiting(chapter),
    }
    return render(request, template, context, status=status)


def _back(chapter: Chapter | None) -> HttpResponse:
    return redirect("chapter", chapter.pk) if chapter else redirect("delivery")


def _user(request: HttpRequest) -> Member:
    return cast("Member", request.user)  # by login_required
