"""The page behind "Stop these letters", for people and for the button of their mail program."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from invitations.services import unsubscribing


@csrf_exempt  # a mail program has no cookie and no form of ours: the token alone decides
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """
    A GET shows a button, a POST stops the letters and says so with 200 (RFC 8058: no redirect).

    :raises Http404: when the link is not one of ours
    """
    try:
        letters = unsubscribing.letters_of(token)
    except unsubscribing.UnknownLink as error:
        raise Http404 from error
    if request.method == "POST":
        unsubscribing.unsubscribe(letters)
    return _page(request, letters)


def _page(request: HttpRequest, letters: unsubscribing.Letters) -> HttpResponse:
    context = {"letters": letters, "is_subscribed": letters.subscriptions().exists()}
    response = render(request, "invitations/unsubscribe.html", context)
    response["Referrer-Policy"] = "no-referrer"
    return response
