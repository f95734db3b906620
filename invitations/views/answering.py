"""The page a member answers on, opened from a letter: no sign-in, the token is the key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chapters.models import Role, Workshop
from invitations.forms.answering import AnswerForm
from invitations.models import Invitation
from invitations.queries import overviews
from invitations.queries.audiences import roles_of
from invitations.services import rsvps

View = Callable[[HttpRequest, str], HttpResponse]


def by_token(view: View) -> View:
    """
    What every page with a token in its address needs: never stored, never passed on.

    `same-origin` and not `no-referrer`: under that one browsers send `Origin: null` with a form,
    which Django's protection against forged requests refuses.
    """

    @never_cache
    @wraps(view)
    def with_headers(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return with_headers


@by_token
@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The invitation and the answer so far. Looking changes nothing."""
    return _page(request, _invitation(token))


@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """ "I am coming", by POST. Mail scanners open links, so a GET only leads to the page."""
    if request.method != "POST":
        return redirect("invitation", token)
    invitation = _invitation(token)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, invitation, form=form, status=400)
    try:
        rsvps.accept(
            invitation,
            role=Role(form.cleaned_data["role"]),
            note=form.cleaned_data["note"],
            at=timezone.now(),
        )
    except rsvps.Refused as refusal:
        form.add_error(None, refusal.message)
        return _page(request, invitation, form=form, status=409)
    messages.success(request, "See you there!")
    return redirect(invitation)


@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """ "I am not coming", by POST."""
    if request.method != "POST":
        return redirect("invitation", token)
    invitation = _invitation(token)
    try:
        rsvps.decline(invitation, at=timezone.now())
    except rsvps.Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "Thank you for telling us.")
    return redirect(invitation)


def _invitation(token: str) -> Invitation:
    if "\x00" in token:  # PostgreSQL cannot even look for it
        raise Http404
    return get_object_or_404(
        Invitation.objects.select_related("workshop__chapter", "member"), token=token
    )


def _page(
    request: HttpRequest,
    invitation: Invitation,
    *,
    form: AnswerForm | None = None,
    status: int = 200,
) -> HttpResponse:
    workshop = invitation.workshop
    (overview,) = overviews.overviews([workshop])
    roles = roles_of(invitation.member, workshop.chapter)
    now = timezone.now()
    return render(
        request,
        "invitations/invitation.html",
        {
            "invitation": invitation,
            "workshop": workshop,
            "host": overview.host,
            "form": form or AnswerForm(initial={"role": invitation.role, "note": invitation.note}),
            "places": [places for places in overview.places if places.role in roles],
            "why_not": _why_not(invitation, roles, at=now),
            "refusal": _refusal(workshop, at=now),
            "has_begun": workshop.has_begun(now),
            "answers_until": rsvps.answers_until(workshop),
        },
        status=status,
    )


def _refusal(workshop: Workshop, *, at: datetime) -> str:
    """Why no answer is taken now; empty while answers are."""
    try:
        rsvps.check_open(workshop, at=at)
    except rsvps.Refused as refusal:
        return refusal.message
    return ""


def _why_not(invitation: Invitation, roles: list[Role], *, at: datetime) -> str:
    """Why this member cannot take a place, though others can; empty when they can."""
    try:
        rsvps.check_member(invitation.member, at=at)
    except rsvps.Refused as refusal:
        return refusal.message
    chapter = invitation.workshop.chapter
    return "" if roles else f"You are not subscribed to a group of {chapter} any more."
