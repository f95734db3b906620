"""The page behind "Stop these letters", for people and for the button of their mail program."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from invitations.forms.unsubscribing import StopForm
from invitations.services import planner_links, unsubscribing
from invitations.services.unsubscribing import Letters
from invitations.views import fresh_links
from invitations.views.answering import by_token
from members import languages


@csrf_exempt  # a mail program has no cookie and no form of ours: the token alone decides
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """
    The one click of a mail program stops the letters and says so with 200 (RFC 8058: no cookie,
    no redirect). People get a page with choices. A link of planner leads to one of ours; one that
    is neither, to a page that mails a link that works.
    """
    try:
        letters = unsubscribing.letters_of(token)
    except unsubscribing.UnknownLink:
        return _other_link(request, token)
    languages.speak_as_letters_do(request, letters.member)
    if request.POST.get("List-Unsubscribe") == "One-Click":
        unsubscribing.unsubscribe(letters, at=timezone.now())
        return HttpResponse(_("These letters have stopped."), content_type="text/plain")
    return _by_hand(request, letters)


def _other_link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        return redirect("unsubscribe", planner_links.our_token(token))
    except unsubscribing.UnknownLink:
        return fresh_links.in_place_of_an_unknown_one(request)


@csrf_protect
def _by_hand(request: HttpRequest, letters: Letters) -> HttpResponse:
    if request.method != "POST":
        return _page(request, letters)
    form = StopForm(request.POST)
    if not form.is_valid():
        return _page(request, letters, form=form, status=400)
    unsubscribing.unsubscribe(letters, scope=form.scope_chosen, at=timezone.now())
    return _page(request, letters)


def _page(
    request: HttpRequest, letters: Letters, *, form: StopForm | None = None, status: int = 200
) -> HttpResponse:
    standing = unsubscribing.standing(letters)
    context = {"letters": letters, "standing": standing, "form": form}
    return render(request, "invitations/unsubscribe.html", context, status=status)
