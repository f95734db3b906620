"""The terms and the code of conduct, before anything else."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from members import ways
from members.forms.profiles import TermsForm
from members.services import joining


def terms(request: HttpRequest) -> HttpResponse:
    """Everybody reads them; whoever is signed in and has not accepted them yet can."""
    if request.method == "POST":
        return _accept(request)
    return _page(request, TermsForm())


def _accept(request: HttpRequest) -> HttpResponse:
    member = request.user
    if not member.is_authenticated:
        return redirect_to_login(request.get_full_path())
    form = TermsForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    joining.accept_terms(member, at=timezone.now())
    if not member.heard_from:
        return ways.by_way_of("details", ways.wanted(request))
    return ways.on_to(ways.wanted(request))


def _page(request: HttpRequest, form: TermsForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "wanted": ways.wanted(request)}
    return render(request, "members/terms.html", context, status=status)
