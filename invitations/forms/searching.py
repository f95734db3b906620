"""What organisers type to find somebody or some workshop."""

from __future__ import annotations

from django import forms


class SearchForm(forms.Form):
    """A few letters of a name, of an address, of a place, or a date."""

    q = forms.CharField(
        label="Name, e-mail address, chapter, venue or date",
        min_length=2,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
        error_messages={
            "required": "Type what you look for.",
            "min_length": "Type at least two letters.",
            "max_length": "That is too long to be a name. 100 characters fit.",
        },
    )

    @property
    def text(self) -> str:
        return str(self.cleaned_data["q"])
