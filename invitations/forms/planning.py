"""What organisers type to plan a workshop, and to find one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import QueryDict

from chapters.models import Chapter, Sponsor, Workshop, WorkshopSponsor
from invitations.forms.clocks import DayField, HourField, WallClockField, on_the_clock, on_the_wall
from invitations.forms.once import OnceForm
from invitations.forms.texts import TOO_LONG, PlainText
from invitations.services.planning import FewerPlaces, InThePast, Plan, Refused
from members.models import Member

AT_A_VENUE, IN_A_CALL = "venue", "call"
LONGEST_NIGHT = timedelta(hours=12)
LONGEST_DESCRIPTION = 10_000
LONGEST_REASON = 2_000
MOST_SPACES = 10_000
UNKNOWN_COMPANY = "Choose companies from this list. The one you sent is not in it."


class WebsiteField(forms.URLField):
    """An address that a browser opens: nothing but http and https."""

    default_validators = [URLValidator(schemes=["http", "https"])]

    def __init__(self, **kwargs: Any) -> None:
        invalid = "That is no address. Write it like https://company.example."
        super().__init__(
            max_length=200,
            assume_scheme="https",
            error_messages={**TOO_LONG, "invalid": invalid},
            **kwargs,
        )


def chapter_with_zone(chapter: Chapter) -> str:
    """A chapter as it stands in a list: the times of the form are those of its clocks."""
    return f"{chapter.name} ({chapter.time_zone})"


def company_with_places(company: Sponsor) -> str:
    """A venue as it stands in a list: how many people fit is what it is chosen by."""
    return f"{company} ({company.seats} students, {company.spaces_for_coaches} coaches)"


class WorkshopForm(OnceForm):
    """
    One workshop, new or as it is.

    :param chapters: those for which a workshop may be planned
    :param workshop: the one that is changed, which stays with its chapter
    """

    chapter = forms.ModelChoiceField(
        queryset=Chapter.objects.none(),
        empty_label=None,
        error_messages={
            "required": "Choose the chapter.",
            "invalid_choice": "Choose a chapter that you organise.",
        },
    )
    date = DayField(label="Day")
    begins = HourField(label="Begins")
    ends = HourField(label="Ends")
    place = forms.ChoiceField(
        label="People meet",
        choices=[(AT_A_VENUE, "At a venue"), (IN_A_CALL, "In a call")],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Say whether people meet at a venue or in a call.",
            "invalid_choice": "Say whether people meet at a venue or in a call.",
        },
    )
    host = forms.ModelChoiceField(
        label="Venue",
        queryset=Sponsor.objects.all(),
        required=False,
        error_messages={
            "invalid_choice": "Choose a venue from this list. The one you sent is not in it."
        },
    )
    student_spaces = forms.IntegerField(
        label="Spaces for students", min_value=0, max_value=MOST_SPACES, required=False
    )
    coach_spaces = forms.IntegerField(
        label="Spaces for coaches", min_value=0, max_value=MOST_SPACES, required=False
    )
    slack_channel = forms.CharField(label="Channel", max_length=100, required=False)
    slack_channel_link = WebsiteField(label="Link to the channel", required=False)
    sponsors = forms.ModelMultipleChoiceField(
        label="Other sponsors",
        queryset=Sponsor.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": UNKNOWN_COMPANY, "invalid_pk_value": UNKNOWN_COMPANY},
    )
    description = PlainText(
        label="About this evening",
        required=False,
        max_length=LONGEST_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Stands in the letters, with your line breaks.",
        error_messages=TOO_LONG,
    )
    is_invitable = forms.BooleanField(
        label="Invitations can be sent",
        required=False,
        initial=True,
        help_text="Without the tick nobody can be invited yet.",
    )
    opens = WallClockField(
        label="Answers open",
        required=False,
        help_text="Left empty, people can answer as soon as they are invited.",
    )
    closes = WallClockField(
        label="Answers close",
        required=False,
        help_text="Left empty, people can answer until it begins.",
    )
    organisers = forms.ModelMultipleChoiceField(
        label="Who organises this workshop",
        queryset=Member.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Besides everybody who organises the chapter.",
        error_messages={
            "invalid_choice": "Choose from the organisers of this chapter.",
            "invalid_pk_value": "Choose from the organisers of this chapter.",
        },
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    accepts_fewer_places = forms.BooleanField(label="Save it with fewer places", required=False)

    def __init__(
        self,
        *args: Any,
        chapters: QuerySet[Chapter],
        workshop: Workshop | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.chapters = list(chapters.order_by("name"))
        self.workshop = workshop
        self.asks_for_fewer_places = False
        self._offer_companies(workshop)
        if workshop is None:
            self._field("chapter").queryset = chapters.order_by("name")
            self._field("chapter").label_from_instance = chapter_with_zone
            del self.fields["organisers"]
        else:
            del self.fields["chapter"]
            self._field("organisers").queryset = _possible_organisers(workshop)

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of every time in this form, where it is known already."""
        zones = {chapter.time_zone for chapter in self.chapters}
        return zones.pop() if len(zones) == 1 else None

    @property
    def city(self) -> str:
        """Whose clocks are meant; empty while several chapters can be chosen."""
        return self.chapters[0].city if len(self.chapters) == 1 else ""

    def refuse(self, refusal: Refused, *, now: Plan | None = None) -> None:
        """
        Show why it was not saved, and what would let it be.

        :param now: what is planned meanwhile; saving this form again is meant to replace it
        """
        self.asks_for_fewer_places = isinstance(refusal, FewerPlaces)
        if isinstance(refusal, InThePast):
            self.add_error("date", refusal.message)
        else:
            self.add_error(None, refusal.message)
        if now is not None:
            typed = cast("QueryDict", self.data).copy()  # what a request brought is fixed
            typed["seen"] = now.mark
            self.data = typed

    def plan(self) -> Plan:
        """What was typed, as moments and companies."""
        typed = self.cleaned_data
        is_virtual = typed["place"] == IN_A_CALL
        host = None if is_virtual else typed["host"]
        return Plan(
            starts_at=typed["starts_at"],
            ends_at=typed["ends_at"],
            rsvp_opens_at=typed["opens_at"],
            rsvp_closes_at=typed["closes_at"],
            is_invitable=typed["is_invitable"],
            is_virtual=is_virtual,
            student_spaces=typed["student_spaces"] or 0,
            coach_spaces=typed["coach_spaces"] or 0,
            slack_channel=typed["slack_channel"],
            slack_channel_link=typed["slack_channel_link"],
            description=typed["description"],
            host=host,
            sponsors=frozenset(typed["sponsors"]) - {host},
            organisers=frozenset(typed.get("organisers", ())),
        )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        self._clean_place(typed)
        chapter = self.workshop.chapter if self.workshop else typed.get("chapter")
        if chapter is not None:
            self._clean_times(typed, chapter.time_zone)
        return typed

    def _clean_place(self, typed: dict[str, Any]) -> None:
        if typed.get("place") != IN_A_CALL:
            return
        for name, sentence in (
            ("student_spaces", "Say how many students can join the call."),
            ("coach_spaces", "Say how many coaches can join the call."),
            ("slack_channel", "Name the channel in which people meet."),
            ("slack_channel_link", "Give the link by which people join."),
        ):
            if name not in self.errors and not typed.get(name):
                self.add_error(name, sentence)

    def _clean_times(self, typed: dict[str, Any], zone: ZoneInfo) -> None:
        day, begins, ends = (typed.get(name) for name in ("date", "begins", "ends"))
        if day and begins:
            typed["starts_at"] = self._moment("begins", datetime.combine(day, begins), zone)
        if day and begins and ends:
            is_next_day = ends < begins
            end = datetime.combine(day + timedelta(days=is_next_day), ends)
            typed["ends_at"] = self._moment("ends", end, zone)
            self._check_length(typed)
        for field, name in (("opens", "opens_at"), ("closes", "closes_at")):
            wall = typed.get(field)
            typed[name] = self._moment(field, wall, zone) if wall else None
        self._check_answers(typed)

    def _moment(self, field: str, wall: datetime, zone: ZoneInfo) -> datetime | None:
        try:
            return on_the_clock(wall, zone)
        except ValidationError as error:
            self.add_error(field, error)
            return None

    def _check_length(self, typed: dict[str, Any]) -> None:
        starts_at, ends_at = typed.get("starts_at"), typed.get("ends_at")
        if not starts_at or not ends_at:
            return
        if ends_at <= starts_at:
            self.add_error("ends", "The end must be after the start.")
        elif typed["ends"] < typed["begins"] and ends_at - starts_at > LONGEST_NIGHT:
            self.add_error(
                "ends",
                f"{typed['ends']:%H:%M} is before {typed['begins']:%H:%M}, and until then on the"
                " next day it would be more than 12 hours. Check both times.",
            )

    def _check_answers(self, typed: dict[str, Any]) -> None:
        starts_at, opens_at, closes_at = (
            typed.get(name) for name in ("starts_at", "opens_at", "closes_at")
        )
        if starts_at and closes_at and closes_at >= starts_at:
            self.add_error("closes", "Answers must close before the workshop begins.")
        if starts_at and opens_at and opens_at >= starts_at:
            self.add_error("opens", "Answers must open before the workshop begins.")
        elif opens_at and closes_at and opens_at >= closes_at:
            self.add_error("opens", "Answers must open before they close.")

    def _offer_companies(self, workshop: Workshop | None) -> None:
        """Those who have helped these chapters before come first; there can be hundreds."""
        helped = WorkshopSponsor.objects.filter(workshop__chapter__in=self.chapters)
        companies = list(
            Sponsor.objects.annotate(
                is_known=Exists(helped.filter(sponsor=OuterRef("pk")))
            ).order_by(Lower("name"), "pk")
        )
        known = [company for company in companies if company.is_known]
        others = [company for company in companies if not company.is_known]
        self._field("host").choices = [
            ("", "Not known yet"),
            *_group("Helped before", known),
            *_group("Others", others),
        ]
        self._field("sponsors").choices = [(company.pk, company.name) for company in known]

    def _field(self, name: str) -> Any:
        return self.fields[name]


class WorkshopFilter(forms.Form):
    """Which workshops are listed."""

    when = forms.ChoiceField(choices=[("coming", ""), ("past", "")], required=False)
    chapter = forms.ModelChoiceField(
        queryset=Chapter.objects.none(), required=False, empty_label="All chapters"
    )
    name = forms.CharField(label="Chapter or venue", max_length=100, required=False)

    def __init__(self, *args: Any, chapters: QuerySet[Chapter], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["chapter"]
        field.queryset = chapters
        self.offers_chapters = len(chapters) > 1

    def found(self, workshops: QuerySet[Workshop]) -> QuerySet[Workshop]:
        """Those of the chapter that was chosen, with what was typed in a name."""
        self.is_valid()
        chapter, name = (self.cleaned_data.get(field) for field in ("chapter", "name"))
        if chapter:
            workshops = workshops.filter(chapter=chapter)
        if name:
            company = WorkshopSponsor.objects.filter(
                workshop=OuterRef("pk"), sponsor__name__icontains=name
            )
            workshops = workshops.filter(
                Q(chapter__name__icontains=name)
                | Q(chapter__city__icontains=name)
                | Exists(company)
            )
        return workshops

    @property
    def is_past(self) -> bool:
        return bool(self.cleaned_data.get("when") == "past")

    @property
    def is_narrowed(self) -> bool:
        return any(self.cleaned_data.get(field) for field in ("chapter", "name"))


def as_typed(workshop: Workshop, plan: Plan) -> dict[str, Any]:
    """A plan as somebody would have typed it, for a form that is filled in beforehand."""
    zone = workshop.chapter.time_zone
    starts, ends = (moment.astimezone(zone) for moment in (plan.starts_at, plan.ends_at))
    return {
        "date": starts.date(),
        "begins": starts.time(),
        "ends": ends.time(),
        "place": IN_A_CALL if plan.is_virtual else AT_A_VENUE,
        "host": plan.host and plan.host.pk,
        "student_spaces": plan.student_spaces or None,
        "coach_spaces": plan.coach_spaces or None,
        "slack_channel": plan.slack_channel,
        "slack_channel_link": plan.slack_channel_link,
        "sponsors": [sponsor.pk for sponsor in plan.sponsors],
        "description": plan.description,
        "is_invitable": plan.is_invitable,
        "opens": on_the_wall(plan.rsvp_opens_at, zone),
        "closes": on_the_wall(plan.rsvp_closes_at, zone),
        "organisers": [member.pk for member in plan.organisers],
        "seen": plan.mark,
    }


def moved(typed: dict[str, Any], *, to: date) -> dict[str, Any]:
    """The same evening on another day: whatever was before it is as long before it."""
    by = to - typed["date"]
    return typed | {
        "date": to,
        "opens": typed["opens"] and typed["opens"] + by,
        "closes": typed["closes"] and typed["closes"] + by,
    }


def _possible_organisers(workshop: Workshop) -> QuerySet[Member]:
    those = Q(organised_chapters=workshop.chapter_id) | Q(organised_workshops=workshop)
    members: QuerySet[Member] = Member.objects.filter(those).distinct()
    return members.order_by("name", "surname", "pk")


def _group(label: str, companies: Iterable[Sponsor]) -> list[tuple[str, list[tuple[int, str]]]]:
    choices = [(company.pk, company_with_places(company)) for company in companies]
    return [(label, choices)] if choices else []


class CancellingForm(forms.Form):
    """Why a workshop is cancelled, and who is told besides those who reckon with it."""

    reason = PlainText(
        label="Why",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands in the letter, in your words.",
        error_messages=TOO_LONG,
    )
    include_unanswered = forms.BooleanField(required=False)

    def __init__(self, *args: Any, unanswered: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_the_unanswered(self, unanswered)


class TellingForm(forms.Form):
    """What is added to a letter about a change, and who gets it besides those who come or wait."""

    note = PlainText(
        label="A few words of your own",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands in the letter, above the new day, time and place.",
        error_messages=TOO_LONG,
    )
    include_unanswered = forms.BooleanField(required=False)

    def __init__(self, *args: Any, unanswered: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_the_unanswered(self, unanswered)


def _offer_the_unanswered(form: forms.Form, people: int) -> None:
    if not people:
        del form.fields["include_unanswered"]
        return
    who = "the one person" if people == 1 else f"the {intcomma(people)} people"
    have = "has" if people == 1 else "have"
    form.fields["include_unanswered"].label = f"Also tell {who} who {have} not answered"
