"""What organisers type about their chapter, its groups and its organisers."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from django import forms

from chapters.models import Chapter, Group, Role
from invitations.forms.texts import TOO_LONG, PlainText
from invitations.queries.audiences import NOT_ELIGIBLE
from invitations.queries.subscribers import Wanted
from invitations.services.founding import Particulars
from members.models import normalize_email

ELIGIBLE = "eligible"
LONGEST_DESCRIPTION = 280
_CONTINENTS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Pacific/")
ZONES = sorted(zone for zone in available_timezones() if zone.startswith(_CONTINENTS))
_ZONE_OF_WHAT_IS_TYPED = {
    **{zone.rpartition("/")[2].casefold(): zone for zone in ZONES},
    **{zone.casefold(): zone for zone in available_timezones()},
}


class ChapterForm(forms.Form):
    """What a chapter says about itself."""

    name = forms.CharField(
        max_length=100,
        help_text="Without “codebar” in front: Brighton.",
        error_messages={"required": "Name the chapter."},
    )
    city = forms.CharField(max_length=100, error_messages={"required": "Name the city."})
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="Members answer to it, so somebody should read it.",
        error_messages={
            "required": "Write the address of the chapter.",
            "invalid": "This is not an e-mail address: brighton@codebar.io would be one.",
        },
    )
    time_zone = forms.CharField(
        max_length=100,
        initial="Europe/London",
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        error_messages={"required": "Choose the time zone in which its workshops are held."},
    )
    description = PlainText(
        max_length=LONGEST_DESCRIPTION,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"One or two sentences, at most {LONGEST_DESCRIPTION} characters.",
        error_messages=TOO_LONG,
    )

    def clean_email(self) -> str:
        return normalize_email(self.cleaned_data["email"])

    def clean_time_zone(self) -> ZoneInfo:
        typed = self.cleaned_data["time_zone"]
        known = _ZONE_OF_WHAT_IS_TYPED.get(typed.replace(" ", "_").casefold())
        if known is None:
            raise forms.ValidationError(
                "We know no such time zone. Write it as Europe/Berlin, or just the city of a zone."
            )
        return ZoneInfo(known)

    @property
    def particulars(self) -> Particulars:
        return Particulars(**self.cleaned_data)


class EditChapterForm(ChapterForm):
    """The same of a chapter that exists, which may also take a rest."""

    is_active = forms.BooleanField(label="This chapter is active", required=False)

    @classmethod
    def of(cls, chapter: Chapter) -> EditChapterForm:
        return cls(initial=vars(Particulars.of(chapter)))


class GroupForm(forms.Form):
    """The name of a group, and what it is about."""

    name = forms.CharField(max_length=100, error_messages={"required": "Name the group."})
    description = PlainText(
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages=TOO_LONG,
    )

    @classmethod
    def of(cls, group: Group) -> GroupForm:
        return cls(initial={"name": group.name, "description": group.description})


class NewGroupForm(GroupForm):
    """A group is for students or for coaches from its first day."""

    role = forms.ChoiceField(
        label="It is for",
        choices=[(Role.STUDENT, "students"), (Role.COACH, "coaches")],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Say whether the group is for students or for coaches.",
            "invalid_choice": "Say whether the group is for students or for coaches.",
        },
    )
    field_order = ["name", "role", "description"]


class OrganiserForm(forms.Form):
    """The address by which a member is known."""

    email = forms.EmailField(
        label="E-mail address of the member",
        max_length=254,
        help_text="The one they sign in with.",
        error_messages={
            "required": "Write the address they sign in with.",
            "invalid": "This is not an e-mail address.",
        },
    )


class SubscribersFilter(forms.Form):
    """Which subscribers are shown: of one group, eligible or not, or called something."""

    group = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    show = forms.ChoiceField(
        choices=[(ELIGIBLE, ELIGIBLE), *((reason, reason) for reason in NOT_ELIGIBLE)],
        required=False,
    )
    name = forms.CharField(max_length=100, required=False)

    @property
    def shown(self) -> str:
        return str(self.cleaned_data.get("show", ""))

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            group=self.cleaned_data.get("group"),
            reason="" if self.shown == ELIGIBLE else self.shown or None,
            name=str(self.cleaned_data.get("name", "")),
        )
