"""Signing in with an account elsewhere: GitHub, or an OpenID Connect provider."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from allauth.account.utils import get_next_redirect_url, passthrough_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.base.provider import Provider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from requests import RequestException

from members.openid import SignedIdentity

GITHUB = "github"

# What becomes of a provider that is down, or answers with something else than it should.
NONSENSE = (RequestException, KeyError, TypeError, ValueError, AttributeError, ImproperlyConfigured)


def sign_in_with(request: HttpRequest, provider_id: str) -> HttpResponse:
    """On to the provider. A link does not do that: it could sign somebody in as somebody else."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    if request.method != "POST":
        return redirect(passthrough_next_redirect_url(request, reverse("account_login"), "next"))
    provider = _provider_or_404(request, provider_id)
    try:
        response: HttpResponse = provider.redirect(
            request, process=AuthProcess.LOGIN, next_url=get_next_redirect_url(request)
        )
    except NONSENSE as error:
        return _did_not_work(request, provider, error)
    return response


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from the provider, signed in or with a sentence that says why not."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    provider = _provider_or_404(request, provider_id)
    adapter = (
        GitHubOAuth2Adapter(request)
        if provider_id == GITHUB
        else SignedIdentity(request, provider_id)
    )
    try:
        response: HttpResponse = OAuth2CallbackView.adapter_view(adapter)(request)
    except NONSENSE as error:
        return _did_not_work(request, provider, error)
    return response


@dataclass(frozen=True)
class WayIn:
    """A button of the sign-in page: what it says, its address, and the site that it leads to."""

    name: str
    address: str
    site: str


def ways_in(request: HttpRequest) -> list[WayIn]:
    """One for each provider that is configured."""
    return [
        WayIn(provider.app.name, provider.get_login_url(request), _site_of(provider))
        for provider in get_adapter().list_providers(request)
    ]


def _site_of(provider: Provider) -> str:
    leads_to = (
        GitHubOAuth2Adapter.authorize_url
        if provider.sub_id == GITHUB
        else provider.app.settings["server_url"]
    )
    parts = urlsplit(leads_to)
    return f"{parts.scheme}://{parts.netloc}"


def _provider_or_404(request: HttpRequest, provider_id: str) -> Provider:
    try:
        return get_adapter().get_provider(request, provider_id)
    except SocialApp.DoesNotExist as not_configured:
        raise Http404 from not_configured


def _did_not_work(request: HttpRequest, provider: Provider, error: Exception) -> HttpResponse:
    response: HttpResponse = render_authentication_error(request, provider, exception=error)
    return response
