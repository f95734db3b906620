"""What members type to find a chapter."""

from __future__ import annotations

from django import forms

from invitations.queries.subscribing import Choice


class ChaptersFilter(forms.Form):
    """A part of the name of a chapter or its city."""

    name = forms.CharField(required=False, max_length=100)

    @property
    def wanted(self) -> str:
        """What was typed; nothing where no chapter can be called that."""
        return str(self.cleaned_data.get("name", ""))

    def those(self, choices: list[Choice]) -> list[Choice]:
        """The chapters whose name or city has it."""
        wanted = self.wanted.casefold()
        return [
            choice
            for choice in choices
            if wanted in choice.chapter.name.casefold() or wanted in choice.chapter.city.casefold()
        ]
