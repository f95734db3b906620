"""How signing in with django-allauth behaves here."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.mail import get_connection
from django.http import HttpRequest

SECONDS_FOR_A_CODE = 5


class LetterNotSent(Exception):
    """The mail server did not take the letter while somebody was waiting for it."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": "This is not the code we sent. Look at the newest letter.",
        "rate_limited": "That was a lot of codes. Wait a minute, then ask again.",
        "too_many_login_attempts": "That was one try too many. Wait a minute, then ask for a code.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Members arrive by an organiser's import; signing up by oneself is not offered."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """
        A letter of signing in leaves within the request, since somebody waits for its code.

        :raises LetterNotSent: when the mail server refuses it, or stays silent for 5 s
        """
        letter = self.render_mail(template_prefix, email, context | {"email": email})
        letter.connection = get_connection(timeout=SECONDS_FOR_A_CODE)
        try:
            letter.send()
        except (OSError, SMTPException) as refusal:
            raise LetterNotSent from refusal
