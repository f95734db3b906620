"""What organisers type about a member."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from invitations.forms.clocks import DayField
from invitations.forms.once import OnceForm
from invitations.forms.searching import SearchForm
from invitations.forms.texts import TOO_LONG, PlainText
from invitations.services import banning
from members.models import Member, Notice

LONGEST_TEXT = 5000
LONGEST_BAN = timedelta(days=3653)


class MemberSearchForm(SearchForm):
    """A few letters of a name or of an address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].label = "Name or e-mail address"


class AboutMemberForm(OnceForm):
    """Something about one member, made once however often the form arrives."""

    def key_for(self, member: Member) -> uuid.UUID:
        """The form's key, made this member's own: sent for somebody else it is another form."""
        return uuid.uuid5(self.key, str(member.pk))


class NoteForm(AboutMemberForm):
    text = PlainText(
        label="New note",
        help_text="Other organisers of their chapters read it; the member does not.",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write the note first.", **TOO_LONG},
    )


class NoticeForm(AboutMemberForm):
    kind = forms.ChoiceField(
        choices=Notice.Kind.choices,
        error_messages={
            "required": "Choose which letter to send.",
            "invalid_choice": "Choose which letter to send.",
        },
    )


class BanForm(AboutMemberForm):
    """
    A ban ends on a day or does not end; one of both is said.

    :param zone: whose calendar the day is of
    """

    use_required_attribute = False  # the day is not needed once the box is ticked

    reason = forms.ChoiceField(
        label="Reason",
        choices=[("", "Choose one"), *((reason, reason) for reason in banning.REASONS)],
        help_text="It stands in the letter to the member.",
        error_messages={
            "required": "Choose the reason.",
            "invalid_choice": "Choose one of these reasons.",
        },
    )
    explanation = PlainText(
        label="What else the member reads",
        help_text="It stands in the letter, below the reason.",
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages=TOO_LONG,
    )
    ends_on = DayField(
        label="Ends on",
        help_text="From this day on the member is invited again and can take a place.",
        error_messages={
            "required": "Say on which day it ends, or tick that it does not end.",
        },
    )
    is_permanent = forms.BooleanField(
        label="It does not end",
        help_text="It holds until an organiser lifts it.",
        required=False,
    )
    note = PlainText(
        label="Note for organisers",
        help_text="What happened, for those who decide the next time. The member does not read it.",
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages=TOO_LONG,
    )

    def __init__(self, *args: Any, zone: ZoneInfo, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.today = at.astimezone(zone).date()
        ends_on = self.fields["ends_on"]
        ends_on.required = "is_permanent" not in self.data
        ends_on.widget.attrs["min"] = (self.today + timedelta(days=1)).isoformat()

    @property
    def expires_at(self) -> datetime | None:
        """The first moment of the day on which it ends; nothing where it does not end."""
        day = self.cleaned_data["ends_on"]
        return datetime.combine(day, time.min, tzinfo=self.zone) if day else None

    def clean_ends_on(self) -> date | None:
        day: date | None = self.cleaned_data["ends_on"]
        if day is None:
            return None
        if "is_permanent" in self.data:
            raise forms.ValidationError("Either it ends on a day or it does not end. Choose one.")
        if day <= self.today:
            raise forms.ValidationError("This day is not in the future. Choose a later one.")
        if day > self.today + LONGEST_BAN:
            raise forms.ValidationError("That is more than ten years. Tick “It does not end”.")
        return day
