"""Forms that may arrive twice: a double tap, or a lost answer and another try."""

from __future__ import annotations

import uuid

from django import forms


class OnceForm(forms.Form):
    """
    Carries a key, made when the page is shown; the row that the form makes keeps it.

    The service looks the key up first, so a form that arrives twice makes one row.
    """

    request_key = forms.UUIDField(
        initial=uuid.uuid4,
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid": "This form was changed on its way. Open the page again."},
    )

    @property
    def key(self) -> uuid.UUID:
        """The key that came with the form, or a new one where none did."""
        return self.cleaned_data.get("request_key") or uuid.uuid4()
