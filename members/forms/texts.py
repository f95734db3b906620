"""Texts that people type, and what is said of one that is too long."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

TOO_LONG = {
    "max_length": _("That is %(show_value)d characters. %(limit_value)d fit; please shorten.")
}


class PlainText(forms.CharField):
    """
    Several lines, counted and kept with the line breaks that a browser counts: it types one
    character and sends two.
    """

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n")
