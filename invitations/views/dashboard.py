"""A member's own pages: what is coming up, the invitations, and what we hold about them."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from invitations.forms.dashboard import InvitationsFilter
from invitations.queries import belongings
from invitations.queries import dashboard as mine
from logs.services import bounces
from members.models import Member

SOON = 10
LATEST = 3
A_PAGE = 20


@never_cache
@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """My next workshops and my answers, what else is coming up, my chapters and my past."""
    member, now = cast("Member", request.user), timezone.now()
    coming_up = mine.coming_up(member, at=now, most=SOON)
    attended = mine.invitations(member, at=now, show=InvitationsFilter.ATTENDED)[:LATEST]
    return render(
        request,
        "invitations/dashboard/dashboard.html",
        {
            "coming_up": coming_up,
            "first": coming_up.held[0] if coming_up.held else None,
            "chapters": mine.chapters_of(member),
            "attended": mine.evenings(attended, at=now),
            "counts": mine.counts(member, at=now),
        },
    )


@never_cache
@login_required
@require_safe
def my_invitations(request: HttpRequest) -> HttpResponse:
    """All my invitations, a page at a time: coming up, where I was, or all."""
    member, now = cast("Member", request.user), timezone.now()
    chosen = InvitationsFilter(request.GET)
    chosen.is_valid()
    rows = mine.invitations(member, at=now, show=chosen.wanted)
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "invitations/dashboard/invitations.html",
        {
            "page": page,
            "evenings": mine.evenings(list(page), at=now),
            "filter": chosen,
            "counts": mine.counts(member, at=now),
        },
    )


@login_required
def letters_again(request: HttpRequest) -> HttpResponse:
    """The way back after a letter was marked as unwanted. Opened as a page it changes nothing."""
    if request.method == "POST":
        bounces.want_letters_again(cast("Member", request.user))
        messages.success(request, _("You get our letters again."))
    return redirect("profile")


@never_cache
@login_required
@require_safe
def my_data(request: HttpRequest) -> HttpResponse:
    """Everything we hold about me, as a file to take along."""
    data = belongings.of(cast("Member", request.user), at=timezone.now())
    return JsonResponse(
        data,
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": 'attachment; filename="codebar-my-data.json"'},
    )
