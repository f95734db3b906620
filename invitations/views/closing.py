"""Closing one's own account, after a page that says what that means."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from invitations.forms.closing import CloseForm
from invitations.queries.closing import consequences
from invitations.services import closing
from members.models import Member


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_close(request: HttpRequest) -> HttpResponse:
    """What is kept and what is not, one box to tick, and the button."""
    member = cast("Member", request.user)  # by login_required
    if request.method != "POST":
        return _page(request, member, CloseForm())
    form = CloseForm(request.POST)
    if not form.is_valid():
        return _page(request, member, form, status=400)
    try:
        closing.close(member, at=timezone.now())
    except closing.Refused as refusal:
        form.add_error(None, refusal.message)
        return _page(request, member, form, status=409)
    logout(request)
    messages.success(request, _("Your account is closed. Thank you for having been with us."))
    return redirect("home")


def _page(
    request: HttpRequest, member: Member, form: CloseForm, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "loses": consequences(member, at=timezone.now())}
    return render(request, "invitations/closing/close.html", context, status=status)
