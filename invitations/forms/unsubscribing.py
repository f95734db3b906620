"""How much somebody wants to stop."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from invitations.services.unsubscribing import Scope
from members.forms.signing_in import AddressField

CHOOSE = _("Choose what we shall stop.")


class StopForm(forms.Form):
    scope = forms.ChoiceField(
        choices=Scope.choices, error_messages={"required": CHOOSE, "invalid_choice": CHOOSE}
    )

    @property
    def scope_chosen(self) -> Scope:
        return Scope(self.cleaned_data["scope"])


class FreshLinkForm(forms.Form):
    email = AddressField(label=_("E-mail address"))
