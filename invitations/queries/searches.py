"""Finding members and workshops by what somebody remembers of them."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import (
    DateField,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Cast, Concat, Lower

from chapters.models import Workshop, WorkshopSponsor
from invitations import policies
from members.models import Member

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

_MONTHS = {
    name.lower()[:length]: month
    for month, name in enumerate(calendar.month_name)
    for length in (3, len(name))
    if name
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>[12]\d{3})"
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR}-(?P<month>\d\d?)-(?P<day>\d\d?)\b",
        rf"\b(?P<day>\d\d?)[./](?P<month>\d\d?)(?:[./]{_YEAR})?",
        rf"\b(?P<day>\d\d?)(?:st|nd|rd|th)?\s+(?P<month>{_MONTH})\b(?:,?\s+{_YEAR})?",
        rf"\b(?P<month>{_MONTH})\s+(?P<day>\d\d?)(?:st|nd|rd|th)?\b(?:,?\s+{_YEAR})?",
        rf"\b(?P<month>{_MONTH})\s+{_YEAR}\b",
    )
]
_DAYS = re.compile(rf"\b(?:{'|'.join(calendar.day_name)})\b,?", re.IGNORECASE)


@dataclass(frozen=True)
class Remembered:
    """What is left of a search for a workshop: parts of its date, and words about where it is."""

    date: dict[str, int]
    words: list[str]


def members_found(user: Member | AnonymousUser, *, text: str) -> QuerySet[Member]:
    """
    Members whose name contains the text, by name; only those this person may see.

    The address is looked at only where this person may read it, so that nobody guesses one by
    searching for its parts.
    """
    whole_name = Concat(F("name"), Value(" "), F("surname"))
    with_address = policies.members_looked_after_by(user).filter(email__icontains=text)
    return (
        policies.members_visible_to(user)
        .filter(closed_at__isnull=True)
        .alias(whole_name=whole_name)
        .filter(Q(whole_name__icontains=text) | Q(pk__in=with_address))
        .order_by(Lower("name"), Lower("surname"), "pk")
    )


def workshops_found(user: Member | AnonymousUser, *, text: str) -> QuerySet[Workshop]:
    """
    Workshops of this date, and of chapters or venues with these words; the latest first.

    A date is that of the chapter's own clocks.
    """
    remembered = read(text)
    found = Workshop.objects.organised_by(user).select_related("chapter")
    if remembered.date:
        found = found.alias(local_date=_local_date()).filter(
            **{f"local_date__{part}": number for part, number in remembered.date.items()}
        )
    for word in remembered.words:
        host = WorkshopSponsor.objects.filter(
            workshop=OuterRef("pk"), is_host=True, sponsor__name__icontains=word
        )
        found = found.filter(Q(chapter__name__icontains=word) | Q(Exists(host)))
    return found.order_by("-starts_at", "pk")


def read(text: str) -> Remembered:
    """What was typed, as parts of a date ("9 December", "2026-12-09") and the words around it."""
    for pattern in _DATES:
        if match := pattern.search(text):
            around = _DAYS.sub(" ", text[: match.start()] + " " + text[match.end() :])
            return Remembered(date=_numbers(match), words=_words(around))
    return Remembered(date={}, words=_words(text))


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _numbers(match: re.Match[str]) -> dict[str, int]:
    parts = {part: value.lower() for part, value in match.groupdict().items() if value}
    return {
        part: _MONTHS[value] if value in _MONTHS else int(value) for part, value in parts.items()
    }


def _local_date() -> Cast:
    """The day of the start, on the clocks of the chapter."""
    local = Func(
        F("chapter__time_zone"), F("starts_at"), function="timezone", output_field=DateTimeField()
    )
    return Cast(local, DateField())
