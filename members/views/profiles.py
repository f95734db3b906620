"""What one tells about oneself: first in the details, later in the profile."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from members import languages, ways
from members.adapter import SUGGESTED_NAME
from members.forms.profiles import AboutYouForm, DetailsForm, ProfileForm
from members.models import Member
from members.services import profiles


@never_cache
@login_required
def details(request: HttpRequest) -> HttpResponse:
    """Whoever is new says who they are, and goes on to choose chapters."""
    known = _known(request, DetailsForm) | request.session.get(SUGGESTED_NAME, {})
    if not cast("Member", request.user).name:
        known["language"] = languages.of_this_page()
    form = DetailsForm(request.POST if request.method == "POST" else None, initial=known)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "members/details.html", form)
    try:
        profiles.change(cast("Member", request.user), **form.cleaned_data)
    except profiles.AccountClosed as refusal:
        return ways.out(request, str(refusal.message))
    request.session.pop(SUGGESTED_NAME, None)
    return ways.by_way_of(settings.AFTER_DETAILS_URL, ways.wanted(request))


@never_cache
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    return render(request, "members/profile.html")


@never_cache
@login_required
def profile_edit(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(
        request.POST if request.method == "POST" else None, initial=_known(request, ProfileForm)
    )
    if request.method != "POST" or not form.is_valid():
        return _page(request, "members/profile_edit.html", form)
    try:
        profiles.change(cast("Member", request.user), **form.cleaned_data)
    except profiles.AccountClosed as refusal:
        return ways.out(request, str(refusal.message))
    messages.success(request, _("Your profile is saved."))
    return redirect("profile")


def _known(request: HttpRequest, form: type[AboutYouForm]) -> dict[str, Any]:
    return {field: getattr(request.user, field) for field in form.base_fields}


def _page(request: HttpRequest, template: str, form: AboutYouForm) -> HttpResponse:
    context = {"form": form, "wanted": ways.wanted(request)}
    return render(request, template, context, status=400 if form.errors else 200)
