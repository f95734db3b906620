"""Checking what someone typed about people and chapters."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime

from django import forms

from chapters.models import Group
from members.models import normalize_email

GROUPS_ARE_SEPARATED_BY = "|"


def _refuse_control_characters(value: str) -> None:
    # A line break in a name would end up in the head of a letter.
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise forms.ValidationError("It contains a line break or another control character.")


class PersonLineForm(forms.Form):
    """
    One line of a list of people: a column each, as `import_members` reads it.

    :param groups: the chapter's groups by their name in lower case
    :param at: nobody can have accepted the terms later than this
    """

    name = forms.CharField(max_length=100, validators=[_refuse_control_characters])
    surname = forms.CharField(
        max_length=100, required=False, validators=[_refuse_control_characters]
    )
    email = forms.EmailField(max_length=254)
    groups = forms.CharField()
    # Only ISO 8601: 03/04/2026 is March to some and April to others.
    accepted_terms_at = forms.DateTimeField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Write the date as 2026-04-03 or 2026-04-03T18:30."},
    )

    def __init__(
        self, line: Mapping[str, str], *, groups: Mapping[str, Group], at: datetime
    ) -> None:
        super().__init__(line)
        self.known_groups = groups
        self.at = at

    def clean_email(self) -> str:
        email = normalize_email(self.cleaned_data["email"])
        if not email.isascii():
            raise forms.ValidationError("Write the domain in its xn-- form.")
        return email

    def clean_groups(self) -> list[Group]:
        names = self.cleaned_data["groups"].split(GROUPS_ARE_SEPARATED_BY)
        names = [name.strip() for name in names if name.strip()]
        unknown = [name for name in names if name.casefold() not in self.known_groups]
        if unknown:
            known = ", ".join(group.name for group in self.known_groups.values())
            raise forms.ValidationError(
                f"There is no group {', '.join(unknown)}: the chapter has {known}."
            )
        if not names:
            raise forms.ValidationError("Name at least one group.")
        return [self.known_groups[name.casefold()] for name in names]

    def clean_accepted_terms_at(self) -> datetime | None:
        accepted_at: datetime | None = self.cleaned_data["accepted_terms_at"]
        if accepted_at and accepted_at > self.at:
            raise forms.ValidationError("This lies in the future.")
        return accepted_at

    def complaints(self) -> list[str]:
        """What is wrong, each with its column."""
        return [
            f"{column}: {message}"
            for column, messages in self.errors.items()
            for message in messages
        ]
