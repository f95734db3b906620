"""What is typed by whoever stops sending."""

from __future__ import annotations

from django import forms

from invitations.forms.texts import TOO_LONG


class StopForm(forms.Form):
    """Why no letter shall leave."""

    reason = forms.CharField(
        label="Why",
        help_text="It is written down beside your name, for whoever has to decide when to go on.",
        max_length=200,
        required=False,
        error_messages=TOO_LONG,
    )
