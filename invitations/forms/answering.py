"""What members type to answer."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from chapters.models import Role
from invitations.forms.texts import TOO_LONG
from invitations.models import Invitation

# Suggestions, and no choice: people also bring a course or a project of their own.
TUTORIALS = (
    "HTML and CSS",
    "JavaScript",
    "Python",
    "Ruby",
    "SQL",
    "Git",
    "Command line",
)


class AnswerForm(forms.Form):
    """What a member types to say that they are coming, or want to."""

    role = forms.ChoiceField(
        choices=Role.choices,
        error_messages={
            "required": _("Say whether you come as a student or as a coach."),
            "invalid_choice": _("Say whether you come as a student or as a coach."),
        },
    )
    tutorial = forms.CharField(
        label=_("What would you like to work on?"),
        help_text=_("A tutorial, a course, a project of your own. Your coach sees it."),
        max_length=Invitation._meta.get_field("tutorial").max_length,
        required=False,
        widget=forms.TextInput(attrs={"list": "tutorials", "autocomplete": "off"}),
        error_messages=TOO_LONG,
    )
    note = forms.CharField(
        label=_("Anything we should know?"),
        help_text=_("For the organisers only. 100 characters."),
        max_length=Invitation._meta.get_field("note").max_length,
        required=False,
        error_messages=TOO_LONG,
    )

    tutorials = TUTORIALS

    @property
    def wanted_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    @property
    def wanted_tutorial(self) -> str:
        """Only students are asked, however many fields a browser sends."""
        return "" if self.wanted_role == Role.COACH else self.cleaned_data["tutorial"]
