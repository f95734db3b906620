"""One field that finds members and workshops."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from invitations import policies
from invitations.forms.searching import SearchForm
from invitations.queries import searches

MOST = 20


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The first members and workshops that fit, of those this organiser may see."""
    if not policies.organises_anything(request.user):
        raise Http404
    form = SearchForm(request.GET if "q" in request.GET else None)
    context: dict[str, object] = {"form": form, "most": MOST, "now": timezone.now()}
    if form.is_valid():
        members = searches.members_found(request.user, text=form.text)[: MOST + 1]
        workshops = searches.workshops_found(request.user, text=form.text)[: MOST + 1]
        context |= {"text": form.text, "members": members, "workshops": workshops}
    status = 400 if form.errors else 200
    return render(request, "invitations/search.html", context, status=status)
