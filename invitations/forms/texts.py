"""Texts that people type: the same for the forms of every app."""

from members.forms.texts import TOO_LONG, PlainText

__all__ = ["TOO_LONG", "PlainText"]
