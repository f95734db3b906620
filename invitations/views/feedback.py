"""How a workshop was: the page that asks, by a link that works once, and what organisers read."""

from __future__ import annotations

from contextlib import suppress

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from invitations import charts
from invitations.forms.feedback import FeedbackForm
from invitations.models import FeedbackRequest
from invitations.queries import feedback as answers
from invitations.services import feedback as services
from invitations.views import doors
from invitations.views.answering import by_token
from members import languages

WORKSHOPS_A_PAGE = 25
MOST_TEXTS = 200


@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def feedback(request: HttpRequest, token: str) -> HttpResponse:
    """The questions, and a thank-you once they are answered. Looking changes nothing."""
    asked = _request(request, token)
    workshop = asked.invitation.workshop
    if asked.answered_on:
        return render(request, "invitations/feedback/thanks.html", {"workshop": workshop})
    if request.method != "POST":
        return _page(request, asked, FeedbackForm(workshop))
    form = FeedbackForm(workshop, request.POST)
    if not form.is_valid():
        return _page(request, asked, form, status=400)
    with suppress(services.AlreadyGiven):  # the other tap of a double tap was kept
        services.give(asked, form.answer, at=timezone.now())
    return redirect("feedback", token)


@login_required
@require_safe
def workshop_feedback(request: HttpRequest, workshop_id: int) -> HttpResponse:
    """How one workshop was, to whoever looks after its chapter."""
    workshop = doors.workshop_of_organiser(request, workshop_id)
    doors.chapter_of_organiser(request, workshop.chapter_id)
    given = answers.of_workshop(workshop)
    ratings = answers.ratings(given)
    return render(
        request,
        "invitations/feedback/of_workshop.html",
        {
            "workshop": workshop,
            "chapter": workshop.chapter,
            "ratings": ratings,
            "chart": charts.ratings(ratings.counts) if ratings.counts else None,
            "asked": answers.asked_about(workshop),
            "texts": answers.texts(given, most=MOST_TEXTS),
            "least": answers.LEAST,
            "is_over": workshop.ends_at <= timezone.now(),
        },
    )


@login_required
@require_safe
def chapter_feedback(request: HttpRequest, chapter_id: int) -> HttpResponse:
    """How the workshops of a chapter were."""
    chapter = doors.chapter_of_organiser(request, chapter_id)
    given = answers.of_chapter(chapter)
    ratings = answers.ratings(given)
    page = Paginator(answers.workshops(chapter), WORKSHOPS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "invitations/feedback/of_chapter.html",
        {
            "chapter": chapter,
            "ratings": ratings,
            "chart": charts.ratings(ratings.counts) if ratings.counts else None,
            "page": page,
            "workshops": answers.by_workshop(page.object_list),
            "coaches": answers.coaches(given),
            "texts": answers.texts(answers.of_small_workshops(chapter), most=MOST_TEXTS),
            "least": answers.LEAST,
        },
    )


def _request(request: HttpRequest, token: str) -> FeedbackRequest:
    if "\x00" in token:  # PostgreSQL cannot even look for it
        raise Http404
    requests = FeedbackRequest.objects.select_related(
        "invitation__workshop__chapter", "invitation__member"
    )
    asked = get_object_or_404(requests, token=token)
    languages.speak_as_letters_do(request, asked.invitation.member)
    return asked


def _page(
    request: HttpRequest, asked: FeedbackRequest, form: FeedbackForm, *, status: int = 200
) -> HttpResponse:
    context = {"workshop": asked.invitation.workshop, "form": form}
    return render(request, "invitations/feedback/feedback.html", context, status=status)
