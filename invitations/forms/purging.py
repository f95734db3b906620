"""Which letters that wait shall be cancelled: for the page, and for the command."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from chapters.models import Chapter, Workshop
from invitations.forms.clocks import WallClockField
from invitations.forms.counts import CountField, is_sealed, seal
from invitations.forms.texts import TOO_LONG
from logs.models import Action, InvitationLog
from logs.services.purging import Which

ACTIONS = ", ".join(Action.values)


class WhichForm(forms.Form):
    """At least one of these, so that an empty form never means everything."""

    log = forms.ModelChoiceField(
        InvitationLog.objects.all(),
        widget=forms.NumberInput,
        required=False,
        help_text="Its number.",
        error_messages={"invalid_choice": "There is no log of this number."},
    )
    workshop = forms.ModelChoiceField(
        Workshop.objects.all(),
        widget=forms.NumberInput,
        required=False,
        help_text="Its number.",
        error_messages={"invalid_choice": "There is no workshop of this number."},
    )
    chapter = forms.ModelChoiceField(
        Chapter.objects.order_by("name"),
        to_field_name="slug",
        required=False,
        empty_label="Any chapter",
        error_messages={"invalid_choice": "There is no such chapter. Say the end of its address."},
    )
    action = forms.ChoiceField(
        label="Kind of letter",
        choices=[("", "Any kind"), *((a.value, a.label.capitalize()) for a in Action)],
        required=False,
        error_messages={
            "invalid_choice": f"There is no such kind of letter. There are: {ACTIONS}."
        },
    )
    since = WallClockField(label="Written down from (UTC)", required=False)
    until = WallClockField(label="and before (UTC)", required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors and not any(said.values()):
            raise ValidationError(
                "Say which letters: a log, a workshop, a chapter, a kind of letter, or a time."
            )
        since, until = said.get("since"), said.get("until")
        if since and until and until <= since:
            self.add_error("until", "This must be later than the beginning.")
        return said

    def seal(self, letters: int) -> str:
        """What shows that the page named this number of these letters (`ConfirmForm`)."""
        return seal(letters, about=self.typed)

    @property
    def typed(self) -> dict[str, str]:
        """What was said, in the words of the form."""
        return {name: str(self[name].value() or "") for name in self.fields}

    @property
    def which(self) -> Which:
        said = self.cleaned_data
        return Which(
            log=said["log"],
            workshop=said["workshop"],
            chapter=said["chapter"],
            action=Action(said["action"]) if said["action"] else None,
            since=_in_utc(said["since"]),
            until=_in_utc(said["until"]),
        )


class ConfirmForm(forms.Form):
    """The number that the page showed, typed again, and why."""

    seen = forms.IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            "We could not read how many letters you saw. This is their number now.",
        ),
    )
    seal = forms.CharField(required=False, widget=forms.HiddenInput)
    number = CountField(
        label="How many letters",
        error_messages={
            "required": "Type the number of letters.",
            "invalid": "Type the number with digits.",
        },
    )
    reason = forms.CharField(
        label="Why",
        help_text="The organisers read it beside each cancelled letter.",
        max_length=200,
        error_messages={"required": "Say why, for the organisers.", **TOO_LONG},
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors and said["number"] != said["seen"]:
            self.add_error("number", f"To cancel them, type {said['seen']:,}.")
        return said

    def at_most(self, meant: WhichForm) -> int:
        """So many of these letters were seen; what no page has named, as far as it is true now."""
        seen: int = self.cleaned_data["seen"]
        if is_sealed(seen, self.cleaned_data["seal"], about=meant.typed):
            return seen
        return min(seen, meant.which.letters().count())


def _in_utc(wall: datetime | None) -> datetime | None:
    return wall and wall.replace(tzinfo=UTC)
