"""What organisers choose and type on the pages of a log."""

from __future__ import annotations

from django import forms
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat, Lower

from invitations.forms.texts import TOO_LONG
from logs.models import EntryStatus, InvitationLogEntry
from logs.queries import came_back

POSSIBLE_DUPLICATES = "possible_duplicates"
CAME_BACK = "came_back"


class PeopleFilter(forms.Form):
    """Which people of a log are shown: those of one outcome, or with something in their name."""

    show = forms.ChoiceField(
        choices=[
            *EntryStatus.choices,
            (POSSIBLE_DUPLICATES, "possible duplicates"),
            (CAME_BACK, "came back"),
        ],
        required=False,
        error_messages={"invalid_choice": "There is no such outcome. This is everybody."},
    )
    name = forms.CharField(max_length=100, required=False)

    @property
    def shown(self) -> str:
        return str(self.cleaned_data.get("show", ""))

    @property
    def wanted_name(self) -> str:
        return str(self.cleaned_data.get("name", ""))

    def with_name(self, entries: QuerySet[InvitationLogEntry]) -> QuerySet[InvitationLogEntry]:
        """The entries of people whose name contains what was typed."""
        if not self.wanted_name:
            return entries
        full_name = Concat(F("member__name"), Value(" "), F("member__surname"))
        return entries.alias(full_name=full_name).filter(full_name__icontains=self.wanted_name)

    def people(self, entries: QuerySet[InvitationLogEntry]) -> QuerySet[InvitationLogEntry]:
        """
        The entries to show, by name.

        Not by outcome: that changes while letters leave, and somebody would slip from a page that
        is not read yet to one that is.
        """
        found = self.with_name(entries)
        if self.shown == POSSIBLE_DUPLICATES:
            found = found.filter(doubts__gt=0)
        elif self.shown == CAME_BACK:
            found = came_back(found)
        elif self.shown:
            found = found.filter(status=self.shown)
        return found.select_related("member").order_by(
            Lower("member__name"), Lower("member__surname"), "member_id"
        )


class CancelForm(forms.Form):
    """Why the letters that still wait shall not leave."""

    reason = forms.CharField(
        label="Why",
        help_text="The other organisers read it beside each cancelled letter.",
        max_length=200,
        required=False,
        error_messages=TOO_LONG,
    )


class PersonForm(forms.Form):
    """One person of a log, or none where all are meant."""

    entry = forms.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        error_messages={"invalid": "We could not read whom you mean. Choose again."},
    )
