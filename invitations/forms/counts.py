"""
Numbers of people: those that a page named, and those that somebody types before very many are
reached.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.signing import Signer
from django.utils.crypto import constant_time_compare

ANOTHER = "That is another number."
SEPARATORS = re.compile(r"[\s.,']")


def seal(count: int, *, about: object) -> str:
    """What a page of ours sends along with a number that it names, so that it is believed later."""
    return Signer(salt=__name__).signature(f"{about}: {count}")


def is_sealed(count: int, found: str, *, about: object) -> bool:
    """Whether a page of ours has named this number, about this very thing."""
    return constant_time_compare(seal(count, about=about), found)


class CountField(forms.IntegerField):
    """A number of people, also written like 4,312."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def to_python(self, value: Any) -> int | None:
        return super().to_python(SEPARATORS.sub("", value) if isinstance(value, str) else value)


class TypedCount(forms.Form):
    """
    One number, typed to confirm it. `ask` says which, and why.

    Whether it is needed, and the right one, the service says.
    """

    use_required_attribute = False  # other buttons of the page need no number

    typed = CountField(
        min_value=0,
        max_value=2**31 - 1,
        error_messages={
            "required": "Type the number to confirm it.",
            "invalid": "Type the number with digits.",
            "min_value": ANOTHER,
            "max_value": ANOTHER,
        },
    )

    def ask(self, letters: int, *, why: str) -> None:
        """For this number, and say so where another one was typed."""
        self.fields["typed"].label = f"Type {letters} to confirm"
        self.fields["typed"].help_text = why
        if self.count not in (None, letters):
            self.add_error("typed", ANOTHER)

    @property
    def count(self) -> int | None:
        """What was typed, where that is a number."""
        return self.cleaned_data.get("typed") if self.is_bound and self.is_valid() else None


def count_to_type(
    letters: int, *, why: str, typed: TypedCount | None = None, prefix: str | None = None
) -> TypedCount | None:
    """
    The field for this number, with what was typed into it; nothing where a click will do.

    :param why: it must be typed; "" where it need not be
    :param typed: of the form that was sent, which may be about another button of the page
    """
    if not why:
        return None
    field = typed if typed and typed.prefix == prefix else TypedCount(prefix=prefix)
    field.ask(letters, why=why)
    return field
