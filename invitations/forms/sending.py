"""What organisers type or choose before letters leave."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid5

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from chapters.models import Workshop
from invitations.forms.clocks import WallClockField, on_the_clock, on_the_wall
from invitations.forms.counts import is_sealed
from invitations.forms.once import OnceForm
from invitations.forms.texts import TOO_LONG, PlainText
from invitations.moulds import LINE_BREAKS_AND_CONTROLS
from invitations.queries.audiences import Reach

LONGEST_NOTE = 2_000
LONGEST_SUBJECT = 150
LONGEST_MESSAGE = 5_000


class SeenCount(forms.Form):
    """
    How many people the button named when it was clicked.

    A button that invites seals the number, since nobody is counted at the click; where others do
    not, the service counts.
    """

    seen_count = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        error_messages={
            "invalid": "We could not read how many people you saw. These are the numbers now."
        },
    )
    seal = forms.Field(required=False)  # compared and never kept: whatever it is, it is no problem

    @property
    def count(self) -> int | None:
        """What was told; nothing where nothing was."""
        return self.cleaned_data["seen_count"]  # type: ignore[no-any-return]

    def is_sealed(self, workshop: Workshop, audience: str) -> bool:
        """Whether a page of ours has named this number for this audience."""
        about = button_of(workshop, audience)
        return self.count is not None and is_sealed(
            self.count, self.cleaned_data["seal"] or "", about=about
        )


def button_of(workshop: Workshop, audience: str) -> str:
    """What the number of a button is about."""
    return f"inviting {audience} to workshop {workshop.pk}"


class LetterForm(OnceForm):
    """One page with several buttons: each makes its own row, however often it is tapped."""

    def key_of(self, button: str) -> UUID:
        """What this button of this page is known by."""
        return uuid5(self.key, button)


class NoteForm(LetterForm):
    """An invitation as it can be looked at and tried: with a note, to one role."""

    note = PlainText(
        label="A note of your own",
        help_text="Plain text. Everybody who is invited reads it at the top of the letter.",
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages=TOO_LONG,
    )


class InviteForm(NoteForm):
    """An invitation as it is sent: with a note, now or later."""

    send_at = WallClockField(label="Send at", required=False)

    def __init__(self, workshop: Workshop, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._zone = workshop.chapter.time_zone
        field = self.fields["send_at"]
        field.help_text = (
            f"By the clocks in {workshop.chapter.city or workshop.chapter.name}."
            " Leave it empty, and the letters leave when you click."
        )
        for bound, moment in (("min", timezone.now()), ("max", workshop.starts_at)):
            wall = on_the_wall(moment, self._zone)
            field.widget.attrs[bound] = f"{wall:%Y-%m-%dT%H:%M}"

    def clean_send_at(self) -> datetime | None:
        wall = self.cleaned_data["send_at"]
        return on_the_clock(wall, self._zone) if wall else None


class MessageForm(LetterForm):
    """
    A message as it can be looked at and tried.

    :param reaches: whom it can be written to, with the numbers
    """

    audience = forms.ChoiceField(
        label="To",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose whom to write to.",
            "invalid_choice": "There is nobody to write to there now. Choose again.",
        },
    )
    subject = forms.CharField(max_length=LONGEST_SUBJECT, error_messages=TOO_LONG)
    text = PlainText(
        label="Message",
        help_text="Plain text. It begins with their name and ends with your chapter's.",
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 10}),
        error_messages=TOO_LONG,
    )

    def __init__(self, reaches: list[Reach], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for reach in reaches:
            self.fields[f"seen_{reach.audience}"] = forms.IntegerField(
                min_value=0, max_value=2**31 - 1, required=False
            )
        choices = [
            (reach.audience.value, f"{reach.audience.label} ({reach.to_invite})")
            for reach in reaches
            if reach.to_invite
        ]
        self.fields["audience"].choices = choices  # type: ignore[attr-defined]  # of a ChoiceField
        if len(choices) == 1:
            self.initial["audience"] = choices[0][0]

    @property
    def seen_count(self) -> int | None:
        """How many people the page named beside the audience that was chosen."""
        return cast("int | None", self.cleaned_data[f"seen_{self.cleaned_data['audience']}"])

    def clean_subject(self) -> str:
        subject = str(self.cleaned_data["subject"])
        if LINE_BREAKS_AND_CONTROLS.search(subject):
            raise ValidationError("A subject is one line.")
        return subject
