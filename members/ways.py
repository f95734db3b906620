"""Where somebody wanted to go before we asked for something else first."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def wanted(request: HttpRequest) -> str:
    """The path on this site that came along as `next`; nothing where it leads elsewhere."""
    path = str(request.POST.get("next") or request.GET.get("next") or "")
    is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_ours else ""


def by_way_of(name: str, then: str) -> HttpResponse:
    """To another page first, which leads on; the page everybody comes to needs no mention."""
    is_worth_it = then and then != resolve_url(settings.LOGIN_REDIRECT_URL)
    return redirect(reverse(name, query={"next": then} if is_worth_it else None))


def on_to(path: str) -> HttpResponse:
    """Where one wanted to go, or else where everybody comes to."""
    return redirect(path or settings.LOGIN_REDIRECT_URL)


def out(request: HttpRequest, why: str) -> HttpResponse:
    """To the start page, signed out, for whoever closed the account in another window meanwhile."""
    logout(request)
    messages.error(request, why)
    return redirect("home")
