"""What organisers type or choose before letters leave."""

from __future__ import annotations

from django import forms


class SeenCount(forms.Form):
    """How many people the button named when it was clicked."""

    seen_count = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        error_messages={
            "invalid": "We could not read how many people you saw. These are the numbers now."
        },
    )
