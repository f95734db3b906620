"""Planner's pages that this site has elsewhere, or has not."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from invitations.views.answering import by_token


class Gone(StrEnum):
    """What an old address was about, so that the page can say where to look instead."""

    EVENT = "event"
    COMPANY = "company"
    NEWSLETTER = "newsletter"
    PAGE = "page"


def gone(request: HttpRequest, *, what: Gone, **_in_address: str) -> HttpResponse:
    """A page for people, and 410 for search engines: it will not come back."""
    return render(request, "public/gone.html", {"what": what}, status=HTTPStatus.GONE)


@by_token
@require_safe
def feedback(request: HttpRequest, token: str) -> HttpResponse:
    """Where planner's form was sent to."""
    return redirect("feedback", token)


@require_safe
def workshops_of_chapter(request: HttpRequest, chapter_id: int) -> HttpResponse:
    return redirect(reverse("workshops", query={"chapter": chapter_id}))
