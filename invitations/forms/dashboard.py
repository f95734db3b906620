"""Which of their invitations a member looks at."""

from __future__ import annotations

from typing import ClassVar

from django import forms


class InvitationsFilter(forms.Form):
    """Coming up, unless something else is chosen; nonsense counts as nothing chosen."""

    UPCOMING: ClassVar[str] = "upcoming"
    ATTENDED: ClassVar[str] = "attended"
    ALL: ClassVar[str] = "all"

    show = forms.ChoiceField(
        required=False, choices=[(value, value) for value in (UPCOMING, ATTENDED, ALL)]
    )

    @property
    def wanted(self) -> str:
        return self.cleaned_data.get("show") or self.UPCOMING
