"""What organisers write down about companies, and which of them they choose."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.db.models.functions import Lower

from chapters.models import Sponsor
from invitations.forms.planning import WebsiteField, company_with_places
from invitations.forms.texts import TOO_LONG, PlainText
from invitations.services.sponsoring import LABELS, Company

LONGEST_TEXT = 5_000
MOST_SEATS = 10_000
CHOOSE = {
    "required": "Choose a company.",
    "invalid_choice": "Choose a company from this list. The one you sent is not in it.",
}


def _text(name: str, help_text: str) -> PlainText:
    return PlainText(
        label=LABELS[name],
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=help_text,
        error_messages=TOO_LONG,
    )


def _line(name: str, length: int) -> forms.CharField:
    return forms.CharField(
        label=LABELS[name], required=False, max_length=length, error_messages=TOO_LONG
    )


class CompanyForm(forms.Form):
    """One company: what it is called, how many fit in, and how people get there."""

    name = forms.CharField(
        label=LABELS["name"],
        max_length=200,
        error_messages=TOO_LONG | {"required": "Say what the company is called."},
    )
    website = WebsiteField(label=LABELS["website"], required=False)
    description = _text("description", "Who they are, in a sentence or two.")
    seats = forms.IntegerField(
        label=LABELS["seats"],
        initial=15,
        min_value=0,
        max_value=MOST_SEATS,
        error_messages={"required": "Say how many students fit in; 0 where it is no venue."},
    )
    coach_seats = forms.IntegerField(
        label=LABELS["coach_seats"],
        min_value=0,
        max_value=MOST_SEATS,
        required=False,
        help_text="Left empty: half as many as students.",
    )
    flat = _line("flat", 100)
    street = _line("street", 200)
    city = _line("city", 100)
    postal_code = _line("postal_code", 20)
    directions = _text("directions", "From the station to the door, and whom to ring for.")
    accessibility_info = _text(
        "accessibility_info", "Steps, lifts, toilets, a quiet corner: what people ask beforehand."
    )
    accepts_fewer_places = forms.BooleanField(label="Save it with fewer seats", required=False)

    asks_for_fewer_places = False

    def company(self) -> Company:
        """What was typed, with the line breaks of the database."""
        return Company(**{name: self.cleaned_data[name] for name in LABELS})


class ChooseCompany(forms.Form):
    """One of the companies, by a list."""

    sponsor = forms.ModelChoiceField(
        queryset=Sponsor.objects.none(),
        label="One more sponsor",
        empty_label="Choose a company",
        error_messages=CHOOSE,
    )

    def __init__(self, *args: Any, companies: QuerySet[Sponsor], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["sponsor"]
        field.queryset = companies.order_by(Lower("name"), "pk")


class ChooseVenue(ChooseCompany):
    """The venue of a workshop."""

    keeps_former = forms.BooleanField(required=False)
    accepts_fewer_places = forms.BooleanField(label="Move it there all the same", required=False)

    asks_for_fewer_places = False

    def __init__(self, *args: Any, former: Sponsor | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["sponsor"]
        field.label = "Another venue" if former else "Where it is held"
        field.label_from_instance = company_with_places
        if former is None:
            del self.fields["keeps_former"]
        else:
            self.fields["keeps_former"].label = f"{former} stays as a sponsor"


class CompanySearch(forms.Form):
    """What is typed to find a company."""

    name = forms.CharField(label="Name or city", max_length=100, required=False)
