"""Cancelling letters that wait: first which they are and how many, then the decision."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from invitations.forms.purging import ConfirmForm, WhichForm
from invitations.views import doors
from logs.models import Action
from logs.services import purging
from members.models import Member

SHOWN = 10


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def purge(request: HttpRequest) -> HttpResponse:
    """Which letters, how many and whose; with the number typed, they are cancelled."""
    user = cast("Member", request.user)  # by login_required
    doors.only_if(user.is_superuser)
    if request.method != "POST":
        form = WhichForm(request.GET if request.GET else None)
        return _page(request, form, status=400 if form.is_bound and not form.is_valid() else 200)
    form, confirmed = WhichForm(request.POST), ConfirmForm(request.POST)
    if not form.is_valid() or not confirmed.is_valid():
        return _page(request, form, confirmed, status=400)
    try:
        count = purging.purge(
            form.which,
            at_most=confirmed.at_most(form),
            reason=confirmed.cleaned_data["reason"],
            by=user,
        )
    except purging.Refused as refusal:
        return _page(request, form, confirmed, refusals=(refusal.message,), status=409)
    messages.success(request, f"{count:,} letter{'' if count == 1 else 's'} cancelled.")
    if in_hand := purging.about_those_in_hand(form.which):
        messages.warning(request, in_hand)
    return redirect("delivery")


def _page(
    request: HttpRequest,
    form: WhichForm,
    confirmed: ConfirmForm | None = None,
    *,
    refusals: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    found: dict[str, object] = {}
    if form.is_bound and form.is_valid():
        counted = form.which.counted()
        count = sum(counted.values())
        found = {
            "count": count,
            "seal": form.seal(count),
            "in_hand": purging.about_those_in_hand(form.which),
            "kinds": [(Action(action).label, letters) for action, letters in counted.items()],
            "first": form.which.first(SHOWN),
            "confirm": confirmed or ConfirmForm(),
        }
    context = {"form": form, "refusals": refusals, "is_counted": bool(found)} | found
    return render(request, "invitations/stopping/purge.html", context, status=status)
