"""Checking what somebody types to sign in, or to use another address."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ConfirmLoginCodeForm
from allauth.core import context
from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from members import limits
from members.models import Member, normalize_email

TOO_OFTEN = "rate_limited"


class AddressField(forms.EmailField):
    """An e-mail address as it is stored, to which a code may be sent now."""

    default_error_messages = {
        "required": _("Write your e-mail address."),
        "invalid": _("This is not an e-mail address. It should look like asha@example.org."),
        "max_length": _("This is too long for an e-mail address."),
    }
    widget = forms.EmailInput(attrs={"autocomplete": "email", "class": "form-control"})

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=Member._meta.get_field("email").max_length, **more)

    def clean(self, value: str) -> str:
        email = normalize_email(super().clean(value))
        if wait := limits.take(limits.CODES, context.request, account=email):
            message = get_adapter().error_messages[TOO_OFTEN]
            raise forms.ValidationError(message, code=TOO_OFTEN, params={"wait": wait})
        return email


class RequestCodeForm(forms.Form):
    email = AddressField(label=_("E-mail address"))


class NewAddressForm(forms.Form):
    email = AddressField(label=_("New e-mail address"))


class EnterCodeForm(ConfirmLoginCodeForm):  # type: ignore[misc]
    code = forms.CharField(
        label=_("Code"),
        error_messages={"required": _("Write the code from the letter.")},
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


def refuse(response: HttpResponse, form: forms.Form) -> None:
    """400 for what is wrong in the form; 429 where it was sent too often, and when to try again."""
    if not form.errors:
        return
    response.status_code = HTTPStatus.BAD_REQUEST
    for error in form.errors.as_data().get("email", []):
        if error.code == TOO_OFTEN and error.params:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(error.params["wait"])
