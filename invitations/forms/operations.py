"""What admins choose on the operations page."""

from __future__ import annotations

from django import forms

from invitations.queries.operations import SPANS


class SpanForm(forms.Form):
    """How far back the pictures go."""

    show = forms.ChoiceField(
        choices=[(key, word) for key, (word, _) in SPANS.items()],
        required=False,
        error_messages={"invalid_choice": "There is no such time. These are the last 3 hours."},
    )

    @property
    def chosen(self) -> str:
        return str(self.cleaned_data.get("show") or next(iter(SPANS)))
