"""What organisers choose and type about who comes."""

from __future__ import annotations

from django import forms
from django.db.models import TextChoices

from chapters.models import Role
from invitations.forms.searching import SearchForm
from invitations.forms.texts import TOO_LONG
from invitations.models import Invitation
from invitations.queries.attendance import Show

LONGEST_REASON = Invitation._meta.get_field("override_reason").max_length


class What(TextChoices):
    """What an organiser does for somebody."""

    PLACE = "place", "Give a place"
    WAIT = "wait", "Put on the waiting list"
    TAKE_BACK = "take_back", "Take back"


class Back(TextChoices):
    """The page an organiser came from, and goes back to."""

    ATTENDANCE = "attendance", "Who comes"
    RSVP = "rsvp", "Add somebody"
    DOOR = "door", "Who is here?"


class PeopleFilter(forms.Form):
    """Which people are listed; whatever cannot be read narrows nothing."""

    show = forms.ChoiceField(choices=Show.choices, required=False)
    name = forms.CharField(max_length=100, required=False)

    @property
    def chosen(self) -> str:
        """The list that was asked for; empty where none was."""
        return str(self.cleaned_data.get("show", ""))

    @property
    def shown(self) -> Show:
        """A name alone is looked for among everybody who answered."""
        otherwise = Show.ANSWERED if self.wanted_name else Show.STUDENTS
        return Show(self.chosen or otherwise)

    @property
    def wanted_name(self) -> str:
        return str(self.cleaned_data.get("name", ""))


class DoorFilter(forms.Form):
    """Whom the door shows: everybody who comes, or one role, or a name."""

    role = forms.ChoiceField(choices=Role.choices, required=False)
    name = forms.CharField(max_length=100, required=False)

    @property
    def shown(self) -> Role | None:
        role = self.cleaned_data.get("role")
        return Role(role) if role else None

    @property
    def wanted_name(self) -> str:
        return str(self.cleaned_data.get("name", ""))


class HereForm(forms.Form):
    """Whether somebody is here: the state that is wanted, never "the other one"."""

    here = forms.ChoiceField(choices=[("1", "here"), ("0", "not here")])

    @property
    def is_here(self) -> bool:
        return bool(self.cleaned_data["here"] == "1")


class CandidateSearchForm(SearchForm):
    """A few letters of somebody who may be added."""

    def __init__(self, *args: object, with_addresses: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as Django passes them
        self.fields["q"].label = "Name or e-mail address" if with_addresses else "Name"


class AnswerForm(forms.Form):
    """What an organiser answers for somebody."""

    what = forms.ChoiceField(
        choices=What.choices,
        error_messages={
            "required": "Choose what to do.",
            "invalid_choice": "Choose what to do.",
        },
    )
    role = forms.ChoiceField(
        choices=Role.choices,
        required=False,
        error_messages={"invalid_choice": "Choose student or coach."},
    )
    override_reason = forms.CharField(
        label="Reason",
        help_text="Everybody who organises this workshop reads it beside the name.",
        max_length=LONGEST_REASON,
        required=False,
        widget=forms.TextInput(),
        error_messages=TOO_LONG,
    )
    back = forms.ChoiceField(choices=Back.choices, required=False)
    show = forms.ChoiceField(choices=Show.choices, required=False)

    @property
    def what_to_do(self) -> What:
        return What(self.cleaned_data["what"])

    @property
    def as_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    @property
    def back_to(self) -> Back:
        """Where to go afterwards, also while the rest is not right yet."""
        return Back(self.cleaned_data.get("back") or Back.ATTENDANCE)

    def clean(self) -> None:
        wants_role = self.cleaned_data.get("what") in (What.PLACE, What.WAIT)
        if wants_role and not self.cleaned_data.get("role") and "role" not in self.errors:
            self.add_error("role", "Choose student or coach.")
