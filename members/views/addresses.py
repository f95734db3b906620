"""Using another e-mail address, once a code has shown that one reads its letters."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from members import ways
from members.adapter import LetterNotSent
from members.codes import AddressCode
from members.forms.signing_in import EnterCodeForm, NewAddressForm, refuse
from members.models import Member
from members.services import addresses


@never_cache
@login_required
def address_change(request: HttpRequest) -> HttpResponse:
    """Whether the address has an account is only told to whoever reads its letters."""
    form = NewAddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            AddressCode.start(request, email=form.cleaned_data["email"])
        except LetterNotSent as not_sent:
            form.add_error(None, not_sent.message)
        else:
            return redirect("address_confirm")
    response = render(request, "members/address_change.html", {"form": form})
    refuse(response, form)
    return response


@never_cache
@login_required
def address_confirm(request: HttpRequest) -> HttpResponse:
    waiting = AddressCode.resume(request)
    if waiting is None:
        return redirect("address_change")
    form = EnterCodeForm(request.POST if request.method == "POST" else None, code=waiting.code)
    if request.method == "POST" and form.is_valid():
        return _use(request, waiting)
    if request.method == "POST" and not waiting.record_invalid_attempt():
        messages.error(request, _("That was one try too many. Ask for another code."))
        return redirect("address_change")
    context = {"form": form, "email": waiting.email}
    status = 400 if form.errors else 200
    return render(request, "members/address_confirm.html", context, status=status)


def _use(request: HttpRequest, waiting: AddressCode) -> HttpResponse:
    waiting.abort()
    try:
        addresses.change(cast("Member", request.user), email=waiting.email)
    except addresses.AddressTaken as refusal:
        messages.error(request, refusal.message)
        return redirect("address_change")
    except addresses.AccountClosed as refusal:
        return ways.out(request, str(refusal.message))
    messages.success(
        request, _("Our letters go to %(email)s from now on.") % {"email": waiting.email}
    )
    return redirect("profile")
