"""How signing in with django-allauth behaves here."""

from __future__ import annotations

import logging
from email.utils import make_msgid
from smtplib import SMTPException
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.base.provider import Provider
from django.conf import settings
from django.contrib import messages
from django.core.mail import get_connection
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from members import languages
from members.services import joining
from members.services.joining import Identity

logger = logging.getLogger(__name__)

SECONDS_FOR_A_CODE = 5
SUGGESTED_NAME = "suggested_name"


class LetterNotSent(Exception):
    """The mail server did not take the letter while somebody was waiting for it."""

    message = gettext_lazy(
        "Our mail server does not answer, so no code was sent. Try again in a minute."
    )


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This is not the code we sent. Look at the newest letter."),
        "rate_limited": gettext_lazy("That was a lot of codes. Wait a minute, then ask again."),
        "too_many_login_attempts": gettext_lazy(
            "That was one try too many. Wait a minute, then ask for a code."
        ),
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """
        A letter of signing in leaves within the request, since somebody waits for its code. Its
        head says what those of all other letters say.

        :raises LetterNotSent: when the mail server refuses it, or stays silent for 5 s
        """
        letter = self.render_mail(template_prefix, email, context | {"email": email})
        letter.extra_headers |= {
            "Message-ID": make_msgid(domain=urlsplit(settings.SITE_URL).hostname),
            "Content-Language": get_language() or settings.LANGUAGE_CODE,
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        }
        letter.connection = get_connection(timeout=SECONDS_FOR_A_CODE)
        try:
            letter.send()
        except (OSError, SMTPException) as refusal:
            raise LetterNotSent from refusal


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """
    Who comes by way of GitHub or of an OpenID Connect provider. allauth speaks to the provider;
    who it is, `joining` decides. Nothing that the provider tells is kept but its own id for them.
    """

    def get_requests_session(self) -> requests.Session:
        """With a name of our own, since some providers turn the library's default away."""
        session = super().get_requests_session()
        session.headers["User-Agent"] = "codebar"
        return session  # type: ignore[no-any-return]

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> None:
        first, _space, rest = str(data.get("name") or "").partition(" ")
        sociallogin.user.name = str(data.get("first_name") or first)
        sociallogin.user.surname = str(data.get("last_name") or rest)
        claims = sociallogin.account.extra_data.get("userinfo", {})
        kept = {"github_id": str(claims["github_id"])} if claims.get("github_id") else {}
        sociallogin.account.extra_data = kept

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """From here on allauth signs an existing member in, and creates nobody."""
        account, stranger = sociallogin.account, sociallogin.user
        older = account.extra_data.get("github_id")
        try:
            member = joining.by_identity(
                Identity(account.provider, account.uid),
                addresses=[
                    address.email for address in sociallogin.email_addresses if address.verified
                ],
                also_known_as=Identity("github", older) if older else None,
                language=languages.of_this_page(),
            )
        except joining.NoConfirmedAddress as refusal:
            _back_to_the_codes(request, str(refusal.message), wanted=sociallogin.state.get("next"))
        if not member.name:
            request.session[SUGGESTED_NAME] = {"name": stranger.name, "surname": stranger.surname}
        sociallogin.user = member

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Provider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> NoReturn:
        """Whatever went wrong, a code by e-mail still works."""
        name = {"name": provider.app.name or provider.name}
        if error == AuthError.CANCELLED:
            sentence = _("You did not sign in with %(name)s.") % name
        else:
            logger.warning("Signing in by %s failed.", provider.sub_id, exc_info=exception)
            sentence = _("Signing in with %(name)s did not work. Try again, or use a code.") % name
        state = (extra_context or {}).get("state") or {}
        _back_to_the_codes(request, sentence, wanted=state.get("next"))


def _back_to_the_codes(request: HttpRequest, sentence: str, *, wanted: str | None) -> NoReturn:
    messages.error(request, sentence)
    query = {"next": wanted} if wanted else None
    raise ImmediateHttpResponse(redirect(reverse("account_login", query=query)))
