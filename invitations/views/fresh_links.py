"""The page that mails a fresh link to whoever wants to stop our letters and cannot."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from invitations.forms.unsubscribing import FreshLinkForm
from invitations.services import fresh_links
from members.adapter import LetterNotSent
from members.forms.signing_in import refuse

PAGE = "invitations/fresh_link.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def fresh_link(request: HttpRequest) -> HttpResponse:
    """Whether an address is known is only told to whoever reads its letters."""
    form = FreshLinkForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            fresh_links.send(form.cleaned_data["email"])
        except LetterNotSent:
            form.add_error(
                None,
                _("Our mail server does not answer, so nothing was sent. Try again in a minute."),
            )
        else:
            messages.success(request, _("Look into your letters: one is on its way."))
            return redirect("fresh_link")
    response = render(request, PAGE, {"form": form})
    refuse(response, form)
    return response


def in_place_of_an_unknown_one(request: HttpRequest) -> HttpResponse:
    """The same page for a link that is none of ours, or not the whole of one."""
    context = {"form": FreshLinkForm(), "is_unknown": True}
    return render(request, PAGE, context, status=HTTPStatus.NOT_FOUND)
