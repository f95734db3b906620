"""Checking what somebody types to sign in."""

from __future__ import annotations

import logging

from allauth.account.adapter import get_adapter
from allauth.account.forms import ConfirmLoginCodeForm, RequestLoginCodeForm
from allauth.core import context, ratelimit
from django import forms
from redis.exceptions import RedisError

from members.models import Member, normalize_email

logger = logging.getLogger(__name__)


class RequestCodeForm(RequestLoginCodeForm):  # type: ignore[misc]
    email = forms.EmailField(
        label="E-mail address",
        error_messages={
            "required": "Write the address that our letters go to.",
            "invalid": "This is not an e-mail address. It should look like asha@example.org.",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "class": "form-control"}),
    )

    def clean_email(self) -> str:
        """The address in the row of the member is the only one that signs in."""
        email = normalize_email(self.cleaned_data["email"])
        if not _may_ask(email):
            raise get_adapter().validation_error("rate_limited")
        self._user = Member.objects.filter(email=email, closed_at__isnull=True).first()
        return email


class EnterCodeForm(ConfirmLoginCodeForm):  # type: ignore[misc]
    code = forms.CharField(
        label="Code",
        error_messages={"required": "Write the code from the letter."},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "form-control",
            }
        ),
    )


def _may_ask(email: str) -> bool:
    """Not too often. Without the cache nobody can be counted, and signing in matters more."""
    try:
        return bool(ratelimit.consume(context.request, action="request_login_code", key=email))
    except RedisError:
        logger.warning("The cache does not answer: sign-in codes are not rate limited.")
        return True
