"""What somebody says about a workshop they came to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chapters.models import Workshop
from invitations.forms.texts import TOO_LONG, PlainText
from invitations.models import Feedback
from invitations.queries import feedback
from invitations.services.feedback import Answer
from members.models import Member

LONGEST_TEXT = 3_000
RATINGS = (
    (5, _("5: great")),
    (4, _("4: good")),
    (3, _("3: all right")),
    (2, _("2: not so good")),
    (1, _("1: bad")),
)


class FeedbackForm(forms.Form):
    """Only the rating is asked for; nothing is filled in beforehand, since that would name one."""

    rating = forms.TypedChoiceField(
        label=_("How do you rate it?"),
        choices=RATINGS,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a number from 1 to 5."),
            "invalid_choice": _("Choose a number from 1 to 5."),
        },
    )
    coach = forms.ModelChoiceField(
        label=_("Who was your coach?"),
        queryset=Member.objects.none(),
        required=False,
        empty_label=_("I would rather not say"),
        error_messages={"invalid_choice": _("Choose one of the coaches who were there.")},
    )
    tutorial = forms.CharField(
        label=_("What did you work on?"),
        max_length=Feedback._meta.get_field("tutorial").max_length,
        required=False,
        error_messages=TOO_LONG,
    )
    how_it_was = PlainText(
        label=_("How was it, in your own words?"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages=TOO_LONG,
    )
    suggestions = PlainText(
        label=_("What could be better?"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages=TOO_LONG,
    )

    def __init__(self, workshop: Workshop, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        coaches = feedback.coaches_at(workshop)
        self.fields["coach"].queryset = coaches  # type: ignore[attr-defined]  # of its own field

    @property
    def answer(self) -> Answer:
        return Answer(**self.cleaned_data)
