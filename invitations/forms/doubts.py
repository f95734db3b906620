"""What somebody decides about letters in doubt."""

from __future__ import annotations

from django import forms
from django.db.models import TextChoices


class Decision(TextChoices):
    """What becomes of a letter that may have arrived."""

    AGAIN = "again", "send it again"
    ARRIVED = "arrived", "it arrived"


class DecisionForm(forms.Form):
    """One of the two."""

    decision = forms.ChoiceField(
        choices=Decision.choices,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"),
            "We could not read what you decided: send it again, or it arrived. Choose once more.",
        ),
    )

    @property
    def chosen(self) -> Decision:
        return Decision(self.cleaned_data["decision"])
