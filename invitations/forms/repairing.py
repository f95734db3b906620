"""What is typed before an apology or a correction leaves."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from invitations.forms.sending import LONGEST_MESSAGE, LONGEST_SUBJECT, LetterForm
from invitations.forms.texts import TOO_LONG, PlainText
from invitations.moulds import LINE_BREAKS_AND_CONTROLS
from invitations.queries import repairing as queries
from invitations.queries.repairing import Whom
from logs.models import Action, EntryStatus, InvitationLog
from members.models import normalize_email

ACTIONS = {Action.APOLOGY: "Say sorry", Action.CORRECTION: "Correct something"}
LONGEST_LIST = 500_000
NAMED_AT_MOST = 20
BETWEEN = re.compile(r"[\s,;]+")


class RepairForm(LetterForm):
    """
    A letter to people of a log: what for, to whom of them, and what it says.

    `counts` says how many there are of each outcome.

    :param may_name: whether people may be named one by one
    """

    action = forms.ChoiceField(
        label="What for",
        choices=[(action.value, words) for action, words in ACTIONS.items()],
        widget=forms.RadioSelect,
        initial=Action.APOLOGY,
        error_messages={
            "required": "Choose whether you say sorry or correct something.",
            "invalid_choice": "Choose whether you say sorry or correct something.",
        },
    )
    statuses = forms.MultipleChoiceField(
        label="To those of this log whose letter is",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        error_messages={
            "invalid_choice": "%(value)s is no outcome. Choose from"
            f" {', '.join(status.value for status in queries.OUTCOMES)}."
        },
    )
    people = PlainText(
        label="Only these people",
        help_text="Their numbers or addresses, one a line. Leave it empty, and it is everybody"
        " ticked above.",
        max_length=LONGEST_LIST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        error_messages=TOO_LONG,
    )
    subject = forms.CharField(
        help_text="Leave it empty, and it names the day of the workshop.",
        max_length=LONGEST_SUBJECT,
        required=False,
        error_messages=TOO_LONG,
    )
    text = PlainText(
        label="What you have to say",
        help_text="Plain text. It begins with their name and ends with your chapter's.",
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 10}),
        error_messages={"required": "Write what you have to say.", **TOO_LONG},
    )

    def __init__(self, about: InvitationLog, *args: Any, may_name: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._about = about
        self.counts = counts = dict(queries.outcomes(about))
        choices = [
            (status.value, f"{status.label} ({counts.get(status, 0):,})")
            for status in queries.OUTCOMES
        ]
        field = self.fields["statuses"]
        field.choices = choices  # type: ignore[attr-defined]  # of a ChoiceField
        field.widget.choices = [each for each in choices if each[0] in counts]
        field.initial = [status.value for status in queries.THOSE_WHO_GOT_IT.statuses]
        if not may_name:
            del self.fields["people"]

    @property
    def purpose(self) -> Action:
        return Action(self.cleaned_data["action"])

    @property
    def whom(self) -> Whom:
        """Of those who are named it does not matter what became of their letter."""
        if members := self.cleaned_data.get("people"):
            return Whom(members=tuple(members))
        return Whom(statuses=tuple(map(EntryStatus, self.cleaned_data["statuses"])))

    def clean_people(self) -> list[int]:
        wanted = [normalize_email(word) for word in BETWEEN.split(self.cleaned_data["people"])]
        found, unknown = queries.members_among(self._about, [word for word in wanted if word])
        if unknown:
            named = ", ".join(unknown[:NAMED_AT_MOST])
            more = len(unknown) - NAMED_AT_MOST
            raise ValidationError(
                f"Not in this log: {named}{f' and {more} more' if more > 0 else ''}."
                " Take them out. Nobody is written to until then."
            )
        return found

    def clean_subject(self) -> str:
        subject = str(self.cleaned_data["subject"])
        if LINE_BREAKS_AND_CONTROLS.search(subject):
            raise ValidationError("A subject is one line.")
        return subject

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not ({"people", "statuses"} & set(self.errors)) and not (
            self.cleaned_data.get("people") or self.cleaned_data.get("statuses")
        ):
            self.add_error("statuses", "Choose whom to write to.")
        return cleaned
