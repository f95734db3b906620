"""Checking what members tell about themselves."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.forms.texts import TOO_LONG, PlainText
from members.models import DietaryNeed, HeardFrom, Language, Member

# What no line may hold, and no letter could be written with. Of NUL, Django itself says so.
CONTROLS = re.compile(r"[\x01-\x1f\x7f-\x9f]")


class Line(forms.CharField):
    """One line: whatever would break it, or add a line to the head of a letter, is a space."""

    def to_python(self, value: Any) -> str:
        return " ".join(CONTROLS.sub(" ", str(super().to_python(value) or "")).split())


def _longest(field: str) -> int:
    longest: int = Member._meta.get_field(field).max_length  # type: ignore[union-attr, assignment]
    return longest


def _line(field: str, **more: Any) -> Line:
    """As long as its column."""
    longest = _longest(field)
    errors = TOO_LONG | more.pop("error_messages", {})
    return Line(max_length=longest, error_messages=errors, **more)


# A page hides the line for "other" while it is empty (.with-other), which only this tells it.
SHOWN_ONCE_FILLED = forms.TextInput(attrs={"placeholder": " "})


class AboutYouForm(forms.Form):
    """What others at a workshop may like to know. (planner: name, surname and about are needed.)"""

    name = _line(
        "name",
        label=_("First name"),
        error_messages={"required": _("Write your first name.")},
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    surname = _line(
        "surname",
        label=_("Surname"),
        error_messages={"required": _("Write your surname.")},
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    pronouns = _line(
        "pronouns",
        label=_("Pronouns"),
        help_text=_("Such as she/her or they/them."),
        required=False,
    )
    about = PlainText(
        label=_("About you"),
        help_text=_(
            "What you would like to learn or teach, in a sentence or two. "
            "Organisers read it when they bring students and coaches together."
        ),
        max_length=_longest("about"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages=TOO_LONG | {"required": _("Tell us a little about you.")},
    )
    dietary_needs = forms.MultipleChoiceField(
        label=_("Is there something you do not eat?"),
        choices=DietaryNeed.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from this list.")},
    )
    other_dietary_needs = _line(
        "other_dietary_needs",
        label=_("What else, in your words"),
        help_text=_("Whoever orders the food reads it."),
        required=False,
        widget=SHOWN_ONCE_FILLED,
    )
    language = forms.ChoiceField(
        label=_("Language of our letters"),
        choices=Language.choices,
        error_messages={
            "required": _("Choose a language."),
            "invalid_choice": _("Choose from this list."),
        },
    )

    def clean(self) -> dict[str, Any]:
        """Whoever ticks “Other” says what; whoever says what has ticked it."""
        cleaned = super().clean() or {}
        needs, words = cleaned.get("dietary_needs", []), cleaned.get("other_dietary_needs", "")
        if DietaryNeed.OTHER in needs and not words and "other_dietary_needs" not in self.errors:
            self.add_error("other_dietary_needs", _("Say what you need, or untick “Other”."))
        if words and DietaryNeed.OTHER not in needs:
            cleaned["dietary_needs"] = [*needs, DietaryNeed.OTHER]
        return cleaned


class DetailsForm(AboutYouForm):
    """The first time: also how one came to us. Exactly one answer counts (planner's rule)."""

    heard_from = forms.ChoiceField(
        label=_("How did you hear about codebar?"),
        choices=HeardFrom.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose one answer."),
            "invalid_choice": _("Choose one of these answers."),
        },
    )
    heard_from_other = _line(
        "heard_from_other", label=_("Where?"), required=False, widget=SHOWN_ONCE_FILLED
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        source, where = cleaned.get("heard_from"), cleaned.get("heard_from_other", "")
        if source == HeardFrom.OTHER and not where and "heard_from_other" not in self.errors:
            self.add_error("heard_from_other", _("Say where you heard about us."))
        if source and source != HeardFrom.OTHER and where:
            self.add_error(
                "heard_from", _("Choose “Somewhere else”, or leave the line below it empty.")
            )
        return cleaned


class ProfileForm(AboutYouForm):
    """Later: also what one could teach."""

    skills = _line(
        "skills",
        label=_("What you could teach"),
        help_text=_("For coaches: such as HTML, Python, Git. Commas between them."),
        required=False,
    )
    field_order = ["name", "surname", "pronouns", "about", "skills"]


class TermsForm(forms.Form):
    accepted = forms.BooleanField(
        label=_("I have read this and the code of conduct, and I agree."),
        error_messages={
            "required": _("Tick the box to accept. Without that you cannot take part.")
        },
    )
