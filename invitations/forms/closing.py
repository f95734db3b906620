"""What somebody ticks to close their account."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class CloseForm(forms.Form):
    understood = forms.BooleanField(
        label=_("Yes, close my account. I know that it cannot be opened again."),
        error_messages={"required": _("Tick this if you want to close your account.")},
    )
