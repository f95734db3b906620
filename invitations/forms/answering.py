"""What members type to answer."""

from __future__ import annotations

from django import forms

from chapters.models import Role
from invitations.forms.texts import TOO_LONG
from invitations.models import Invitation


class AnswerForm(forms.Form):
    """What a member types to say that they are coming."""

    role = forms.ChoiceField(
        choices=Role.choices,
        error_messages={
            "required": "Say whether you come as a student or as a coach.",
            "invalid_choice": "Say whether you come as a student or as a coach.",
        },
    )
    note = forms.CharField(
        max_length=Invitation._meta.get_field("note").max_length,
        required=False,
        error_messages=TOO_LONG,
    )
