"""How numbers, outcomes and times of a batch are written and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from django import template
from django.template.defaultfilters import capfirst

from chapters.models import Workshop
from invitations.forms import counts
from invitations.forms.counts import TypedCount
from invitations.forms.sending import button_of
from invitations.queries import sizes
from logs.models import Action, Audience, EntryStatus, InvitationLog, LogStatus
from logs.queries import Progress

register = template.Library()

TONES: dict[str, str] = {
    EntryStatus.PENDING: "is-waiting",
    EntryStatus.SENDING: "is-sending",
    EntryStatus.SUCCESS: "is-sent",
    EntryStatus.FAILED: "is-failed",
    EntryStatus.SKIPPED: "is-skipped",
    EntryStatus.UNKNOWN: "is-doubt",
    EntryStatus.CANCELLED: "is-skipped",
    LogStatus.SCHEDULED: "is-waiting",
    LogStatus.PREPARING: "is-sending",
    LogStatus.RUNNING: "is-sending",
    LogStatus.PAUSED: "is-waiting",
    LogStatus.COMPLETED: "is-sent",
}
IN_THE_BAR = (
    EntryStatus.SUCCESS,
    EntryStatus.SENDING,
    EntryStatus.FAILED,
    EntryStatus.UNKNOWN,
    EntryStatus.PENDING,
)
HEADINGS: dict[str, str] = {
    Action.INVITE: "Inviting {}",
    Action.MESSAGE: "Message to {}",
    Action.CHANGE: "Telling {} of the change",
    Action.CANCELLATION: "Telling {} of the cancellation",
    Action.TEST: "Test letter",
    Action.REMINDER: "Reminding {}",
    Action.NUDGE: "Asking {} whether they come",
    Action.FEEDBACK: "Asking students how it was",
}
SINGULAR_AND_PLURAL = (("has ", "have "), ("is ", "are "))


@dataclass(frozen=True)
class Part:
    """One colour of the bar, in hundredths of its width."""

    tone: str
    x: str
    width: str


@register.filter
def heading(log: InvitationLog) -> str:
    """What a log does, and for whom: "Inviting students", "Message to people who are coming"."""
    if log.about_id:
        return f"{log.get_action_display().capitalize()} about log {log.about_id}"
    words = HEADINGS.get(log.action, f"{log.get_action_display().capitalize()} to {{}}")
    return words.format(log.get_audience_display().lower())


@register.filter
def tone(status: str) -> str:
    """The class that gives an outcome its colour and shape; the word beside it says what it is."""
    return TONES[status]


@register.simple_tag
def seal(workshop: Workshop, audience: str, count: int) -> str:
    """What a button that names this number sends along with it (`SeenCount`)."""
    return counts.seal(count, about=button_of(workshop, audience))


@register.simple_tag
def to_type(workshop: Workshop, audience: str, count: int) -> TypedCount | None:
    """A field for this number where it is not usual; the click is refused without it (R21)."""
    why = sizes.why_type(workshop.chapter, Audience(audience), letters=count)
    return counts.count_to_type(count, why=why, prefix=audience)


@register.filter
def bar_parts(progress: Progress) -> list[Part]:
    """
    The letters of a log as parts of a bar of 100.

    Every part that is not empty gets 1, so that it is seen, and its share of what is left; so they
    never add up to more than 100.
    """
    counts = {status: getattr(progress, status) for status in IN_THE_BAR}
    filled = {status: count for status, count in counts.items() if count}
    to_share = 100 - len(filled)
    parts, x = [], 0.0
    for status, count in filled.items():
        width = 1 + to_share * count / progress.letters
        parts.append(Part(TONES[status], x=f"{x:.2f}", width=f"{width:.2f}"))
        x += width
    return parts


@register.filter
def about(seconds: float) -> str:
    """A time that is left, as people say it: "less than a minute", "about 3 minutes"."""
    minutes = ceil(seconds / 60)
    if minutes <= 1:
        return "less than a minute" if seconds < 50 else "about a minute"
    if minutes < 90:
        return f"about {minutes} minutes"
    return f"about {round(minutes / 60)} hours"


@register.filter
def of_people(reason: str, count: int) -> str:
    """A reason as it is said of so many people: "is banned" of one, "are banned" of two."""
    if count == 1:
        return reason
    for singular, plural in SINGULAR_AND_PLURAL:
        if reason.startswith(singular):
            return plural + reason.removeprefix(singular)
    return reason


@register.filter
def as_sentence(reason: str) -> str:
    """A reason that stands by itself: with a capital, and a full stop where it is not a quote."""
    return capfirst(reason) + ("" if reason.endswith((".", "”")) else ".")
