"""Times as people type them: what a clock on the wall of a chapter shows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

FIRST_YEAR, LAST_YEAR = 2000, 2100
DAY = "%A %-d %B %Y"


def on_the_clock(wall: datetime, zone: ZoneInfo) -> datetime:
    """
    The moment, in UTC, at which clocks in this zone show that time.

    :raises ValidationError: where clocks are put forward and never show it, or are put back and
        show it twice
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    shown = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if shown != wall:
        raise ValidationError(
            f"There is no {wall:%H:%M} on {wall:{DAY}}: the clocks go forward. Choose another time."
        )
    raise ValidationError(
        f"{wall:%H:%M} comes twice on {wall:{DAY}}: the clocks go back. Choose another time."
    )


def on_the_wall(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """What clocks in this zone show at that moment, for a field that is filled in beforehand."""
    return moment and moment.astimezone(zone).replace(tzinfo=None)


class DayField(forms.DateField):
    """A day within our lifetimes."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_error_messages = {
        "required": "Say on which day.",
        "invalid": "There is no such day. Choose another, or write it like 2027-01-31.",
    }

    def validate(self, value: date | None) -> None:
        super().validate(value)
        _check_year(value)


class HourField(forms.TimeField):
    """A time of day, without a zone."""

    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    default_error_messages = {
        "required": "Say at what time.",
        "invalid": "There is no such time. Write it like 18:30.",
    }


class WallClockField(forms.DateTimeField):
    """A day and a time without a zone; `on_the_clock` makes a moment of it."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    default_error_messages = {
        "invalid": "There is no such day or time. Write it like 2027-01-31 18:30.",
    }

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):  # it has every time once, so nothing is refused here
            moment = super().to_python(value)
        return moment and moment.replace(tzinfo=None)

    def validate(self, value: datetime | None) -> None:
        super().validate(value)
        _check_year(value)


def _check_year(day: date | None) -> None:
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValidationError(f"Check the year: {day.year} is too far away.")
