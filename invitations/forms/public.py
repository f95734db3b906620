"""What members choose on the public pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from chapters.models import Role

CHOOSE = _("Choose whether you come as a student or as a coach.")


class AskForm(forms.Form):
    """As what somebody wants to come."""

    role = forms.ChoiceField(
        choices=Role.choices, error_messages={"required": CHOOSE, "invalid_choice": CHOOSE}
    )
