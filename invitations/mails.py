"""
The letters: what they say.

Each is written once for everybody who gets the same words, as a draft with gaps; filling in one
person needs no database and no template. It speaks the language that is active.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chapters.models import Chapter, Role, Workshop
from chapters.queries import capacity, host_of
from invitations import calendars, moulds
from invitations.services import rsvps
from logs.models import REPAIRS, Action, Audience
from members.models import Ban

# What a letter about a workshop is called, and what it is called about a call.
SUBJECTS_OF_A_DAY = {
    (Action.INVITE, Role.STUDENT): gettext_lazy("Come and code with us on %(day)s"),
    (Action.INVITE, Role.COACH): gettext_lazy("Come and coach with us on %(day)s"),
    Action.CONFIRMATION: gettext_lazy("See you on %(day)s"),
    Action.PLACE: gettext_lazy("You have a place on %(day)s"),
    Action.CHANGE: gettext_lazy("Changed: our workshop on %(day)s"),
    Action.CANCELLATION: gettext_lazy("Cancelled: our workshop on %(day)s"),
    Action.DECLINED: gettext_lazy("You are not coming on %(day)s"),
    Action.WAITING: gettext_lazy("You are on the waiting list for %(day)s"),
    Action.APOLOGY: gettext_lazy("Sorry for our letter about %(day)s"),
    Action.CORRECTION: gettext_lazy("A correction to our letter about %(day)s"),
}
SUBJECTS_OF_A_CALL = {
    (Action.INVITE, Role.STUDENT): gettext_lazy("Come and code with us online on %(day)s"),
    (Action.INVITE, Role.COACH): gettext_lazy("Come and coach with us online on %(day)s"),
    Action.CONFIRMATION: gettext_lazy("See you online on %(day)s"),
}
SUBJECTS = {
    Action.BAN: gettext_lazy("Your codebar account is suspended"),
    Action.WARNING: gettext_lazy("We missed you at our workshops"),
    Action.ELIGIBILITY: gettext_lazy("A short question before you come to a workshop"),
    Action.HELLO: gettext_lazy("It has been a while. How are you?"),
    Action.WELCOME: gettext_lazy("Welcome to codebar"),
}
TAKEN_OFF = gettext_lazy("You are off the list for %(day)s")
ABOUT_GROUPS = (Action.HELLO, Action.WELCOME)  # of every chapter
STOPPABLE = (Action.INVITE, Action.FEEDBACK, *REPAIRS)
ABOUT_A_PLACE = (Action.CONFIRMATION, Action.PLACE, Action.CHANGE, Action.CANCELLATION)

_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class Preview:
    """A letter to show to an organiser: nobody's, and its links lead nowhere."""

    subject: str
    sender: str
    html: str


def draft(
    workshop: Workshop,
    *,
    action: Action,
    role: Role,
    other_role: Role | None = None,
    audience: Audience | None = None,
    subject: str = "",
    note: str = "",
    had_place: bool = False,
    is_taken_off: bool = False,
    at: datetime | None = None,
) -> moulds.Draft:
    """
    The letter about this workshop to everybody who is written to for this reason, in this role.

    A test says what an invitation says, or with a subject what a message says; its links lead to
    the organiser's pages.

    :param other_role: the one in which they can come as well, where they are in both groups
    :param audience: whom the log writes to, which is why they get it
    :param subject: an organiser's own, of a message, apology or correction
    :param note: an organiser's own words
    :param had_place: a letter has told them of a place that they have no more
    :param is_taken_off: it was an organiser who noted that they are not coming
    :param at: when it is sent, for "today", "tomorrow" and whether answers are still taken; now,
        where nothing is said
    :raises ValueError: when the chapter's name or address cannot stand in a letter's head
    """
    is_test = action == Action.TEST
    told = _told_by_a_test(subject) if is_test else action
    context = _context(
        workshop,
        action=told,
        role=role,
        other_role=other_role,
        audience=audience,
        subject=TAKEN_OFF % {"day": _day(workshop)} if is_taken_off else subject,
        note=note,
        at=at,
    )
    context |= _links_of_a_test(workshop) if is_test else _links(workshop, action)
    context |= {
        "html_name": moulds.HTML_NAME,
        "text_name": moulds.TEXT_NAME,
        "had_place": had_place,
    }
    if is_test:
        context["subject"] = f"[Test] {context['subject']}"
    head = moulds.head(
        str(workshop.chapter),
        context["subject"],
        reply_to=workshop.chapter.email,
        list_name=workshop.chapter.slug,
        can_be_stopped=context["can_be_stopped"] and not is_test,
        is_about_a_letter=action in REPAIRS,
    )
    return _draft(
        head,
        context,
        template="taken_off" if is_taken_off else told,
        sender=_sender(workshop.chapter),
        calendar=_calendar(workshop, context, role=role, had_place=had_place)
        if _holds_a_place(told, audience) or had_place
        else "",
        chapter_id=workshop.chapter_id,
        workshop_id=workshop.pk,
        sequence=workshop.sequence,
        role=role,
    )


def draft_to_a_member(*, action: Action, occasion: str) -> moulds.Draft:
    """
    The letter about no workshop: a suspension, a warning, a question, a welcome.

    :param occasion: the id of the ban or notice; of a welcome, the role
    :raises ValueError, Ban.DoesNotExist: when there is no such letter
    """
    subject = str(SUBJECTS[action])
    context: dict[str, Any] = {
        "subject": subject,
        "title": subject,
        "chapter": "codebar",
        "address": moulds.sender_address(),
        "home_link": f"{settings.SITE_URL}/",
        "html_name": moulds.HTML_NAME,
        "text_name": moulds.TEXT_NAME,
    }
    role = Role(occasion) if action == Action.WELCOME else Role.STUDENT
    can_be_stopped = action in ABOUT_GROUPS
    if can_be_stopped:
        context |= _links_about_groups(role)
        context |= {"is_coach": role == Role.COACH, "can_be_stopped": True}
    if action == Action.BAN:
        context |= _suspension(Ban.objects.get(pk=int(occasion)))
    return _draft(
        moulds.head(
            "codebar",
            subject,
            reply_to=moulds.sender_address(),
            can_be_stopped=can_be_stopped,
        ),
        context,
        template=action,
        sender=f"codebar <{moulds.sender_address()}>",
        role=role,
    )


def preview(workshop: Workshop, *, role: Role, note: str = "") -> Preview:
    """The invitation to this workshop as somebody called Amina would get it."""
    context = _context(workshop, action=Action.INVITE, role=role, note=note)
    return _preview(workshop, Action.INVITE, context)


def preview_message(workshop: Workshop, *, audience: Audience, subject: str, text: str) -> Preview:
    """This message as somebody called Amina would get it."""
    context = _context(
        workshop,
        action=Action.MESSAGE,
        role=Role.STUDENT,
        audience=audience,
        subject=subject,
        note=text,
    )
    return _preview(workshop, Action.MESSAGE, context)


def preview_repair(workshop: Workshop, *, action: Action, subject: str, text: str) -> Preview:
    """This apology or correction as somebody called Amina would get it."""
    context = _context(workshop, action=action, role=Role.STUDENT, subject=subject, note=text)
    return _preview(workshop, action, context)


def preview_nudge(workshop: Workshop, *, role: Role) -> Preview:
    """The question whether they can come, as somebody called Amina would get it."""
    audience = Audience.UNANSWERED
    context = _context(workshop, action=Action.NUDGE, role=role, audience=audience)
    return _preview(workshop, Action.NUDGE, context)


def _context(
    workshop: Workshop,
    *,
    action: Action,
    role: Role,
    other_role: Role | None = None,
    audience: Audience | None = None,
    subject: str = "",
    note: str = "",
    at: datetime | None = None,
) -> dict[str, Any]:
    host = None if workshop.is_virtual else host_of(workshop)
    day = _day(workshop)
    at = at or timezone.now()
    days_left = _days_left(workshop, at=at)
    subject = (
        subject
        or _question_or_reminder(action, audience, day=day, days_left=days_left)
        or _subject(action, role, day=day, is_virtual=workshop.is_virtual)
    )
    return {
        "subject": subject,
        "title": subject,
        "note": note,
        "chapter": workshop.chapter,
        "workshop": workshop,
        "day": day,
        "when": _when(day, days_left=days_left),
        "hours": _hours(workshop),
        "zone": _zone(workshop),
        "deadline": _deadline(workshop),
        "takes_answers": at < rsvps.answers_until(workshop),
        "host": host,
        "student_places": capacity(workshop, host=host, role=Role.STUDENT),
        "coach_places": capacity(workshop, host=host, role=Role.COACH),
        "role": role.label.lower(),
        "is_coach": role == Role.COACH,
        "other_role": other_role.label.lower() if other_role else "",
        "has_place": _holds_a_place(action, audience) or audience == Audience.ATTENDING,
        "is_attending": audience == Audience.ATTENDING,
        "is_waiting": audience == Audience.WAITING,
        "is_unanswered": audience == Audience.UNANSWERED,
        "can_be_stopped": action in STOPPABLE or audience == Audience.UNANSWERED,
        "slack_channel": workshop.slack_channel.lstrip("#"),
        "slack_link": _web_link(workshop.slack_channel_link),
    }


def _subject(action: Action, role: Role, *, day: str, is_virtual: bool) -> str:
    kind = (action, role) if action == Action.INVITE else action
    subject = SUBJECTS_OF_A_CALL.get(kind) if is_virtual else None
    return str(subject or SUBJECTS_OF_A_DAY[kind]) % {"day": day}


def _told_by_a_test(subject: str) -> Action:
    return Action.MESSAGE if subject else Action.INVITE


def _holds_a_place(action: Action, audience: Audience | None) -> bool:
    """Whether whoever gets this letter has, or had, a place."""
    return action in ABOUT_A_PLACE and audience in (None, Audience.ATTENDING)


def _day(workshop: Workshop) -> str:
    return date_format(workshop.local_start, "WEEKDAY_FORMAT")


def _days_left(workshop: Workshop, *, at: datetime) -> int:
    """How many nights are left until it, by the calendar of its chapter."""
    return (workshop.local_start.date() - at.astimezone(workshop.chapter.time_zone).date()).days


def _when(day: str, *, days_left: int) -> str:
    """The day as people say it: what fits behind "our workshop is"."""
    if days_left == 0:
        return _("today, %(day)s") % {"day": day}
    if days_left == 1:
        return _("tomorrow, %(day)s") % {"day": day}
    return _("on %(day)s") % {"day": day}


def _question_or_reminder(
    action: Action, audience: Audience | None, *, day: str, days_left: int
) -> str:
    """The subject of a letter that leaves around a workshop; empty for every other letter."""
    if action == Action.NUDGE:
        return _("Can you come on %(day)s?") % {"day": day}
    if action == Action.FEEDBACK:
        return _("How was our workshop on %(day)s?") % {"day": day}
    if action != Action.REMINDER:
        return ""
    if audience == Audience.WAITING:
        return _("You are on the waiting list for %(day)s") % {"day": day}
    if days_left == 0:
        return _("Today: our workshop on %(day)s") % {"day": day}
    if days_left == 1:
        return _("Tomorrow: our workshop on %(day)s") % {"day": day}
    return _("Soon: our workshop on %(day)s") % {"day": day}


def _links(workshop: Workshop, action: Action) -> dict[str, str]:
    page = "feedback" if action == Action.FEEDBACK else "invitation"
    return {
        "answer_link": settings.SITE_URL + reverse(page, args=[moulds.TOKEN]),
        "upcoming_link": settings.SITE_URL + reverse("upcoming"),
        "workshop_link": settings.SITE_URL + reverse("workshop", args=[workshop.pk]),
        "unsubscribe_link": settings.SITE_URL + reverse("unsubscribe", args=[moulds.UNSUBSCRIBE]),
    }


def _links_about_groups(role: Role) -> dict[str, str]:
    guide = "coaching_guide" if role == Role.COACH else "student_guide"
    return {
        "conduct_link": settings.SITE_URL + reverse("code_of_conduct"),
        "guide_link": settings.SITE_URL + reverse(guide),
        "groups_link": settings.SITE_URL + reverse("subscriptions"),
        "unsubscribe_link": settings.SITE_URL + reverse("unsubscribe", args=[moulds.UNSUBSCRIBE]),
    }


def _links_of_a_test(workshop: Workshop) -> dict[str, str]:
    """Whoever asked for it has perhaps no invitation, and wants to stay subscribed."""
    page = settings.SITE_URL + reverse("organiser_workshop", args=[workshop.pk])
    return {"answer_link": page, "unsubscribe_link": page}


def _suspension(ban: Ban) -> dict[str, str]:
    """It ends where a day begins on some chapter's clocks; noon of that day is in it everywhere."""
    ends_at = None if ban.is_permanent else ban.expires_at
    return {
        "until": date_format(ends_at + timedelta(hours=12)) if ends_at else "",
        "reason": ban.reason.rstrip("."),
        "explanation": ban.explanation,
    }


def _calendar(workshop: Workshop, context: dict[str, Any], *, role: Role, had_place: bool) -> str:
    is_gone = workshop.is_cancelled or had_place
    return calendars.entry(
        workshop,
        method=calendars.Method.CANCEL if is_gone else calendars.Method.REQUEST,
        host=context["host"],
        role=role,
        organiser=moulds.ascii_address(workshop.chapter.email),
        guest=moulds.GUEST,
        uid=moulds.ENTRY,
        sequence=moulds.SEQUENCE,
        link=context["answer_link"],
        gaps=moulds.GAPS,
    )


def _hours(workshop: Workshop) -> str:
    """18:30 to 20:30, with the day where it ends on another."""
    start, end = workshop.local_start, workshop.local_end
    words = {"start": time_format(start), "end": time_format(end)}
    if start.date() == end.date():
        return _("%(start)s to %(end)s") % words
    words["day"] = date_format(end, "WEEKDAY_FORMAT")
    return _("%(start)s to %(end)s on %(day)s") % words


def _zone(workshop: Workshop) -> str:
    """Brighton time, and how far that is from Greenwich, for whoever is elsewhere."""
    city = workshop.chapter.city or workshop.chapter.name
    offset = format_date(workshop.local_start, "O")
    away = "" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return _("%(city)s time (%(zone)s)") % {"city": city, "zone": f"GMT{away}"}


def _deadline(workshop: Workshop) -> str:
    """Until when an answer can be changed, where that ends before the workshop starts."""
    until = rsvps.answers_until(workshop)
    if until >= workshop.starts_at:
        return ""
    closing = until.astimezone(workshop.chapter.time_zone)
    words = {"hour": time_format(closing), "day": date_format(closing, "WEEKDAY_FORMAT")}
    return _("%(hour)s on %(day)s") % words


def _web_link(address: str) -> str:
    """The address where it is one of the web; a script is none."""
    return address if address.startswith(("https://", "http://")) else ""


def _html(template: str, context: dict[str, Any]) -> str:
    html = render_to_string(f"invitations/emails/{template}.html", context)
    return _tidy(_inliner.inline(html))


def _text(template: str, context: dict[str, Any]) -> str:
    return _tidy(render_to_string(f"invitations/emails/{template}.txt", context))


def _tidy(text: str) -> str:
    """With plain line breaks, no two empty lines together, and one line break at the end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _draft(
    head: list[bytes],
    context: dict[str, Any],
    *,
    template: str,
    sender: str,
    calendar: str = "",
    chapter_id: int = 0,
    workshop_id: int = 0,
    sequence: int = 0,
    role: Role = Role.STUDENT,
) -> moulds.Draft:
    html, text = _html(template, context), _text(template, context)
    return moulds.Draft(
        subject=context["subject"],
        sender=sender,
        html=html,
        text=text,
        calendar=calendar,
        nobody=_("there"),
        mould=moulds.cut(head, html=html, text=text, calendar=calendar),
        gaps=frozenset(moulds.GAPS.findall(html + text + calendar)),
        chapter_id=chapter_id,
        workshop_id=workshop_id,
        sequence=sequence,
        role=role,
    )


def _preview(workshop: Workshop, action: Action, context: dict[str, Any]) -> Preview:
    context |= {
        "html_name": "Amina",
        "answer_link": "#",
        "workshop_link": "#",
        "unsubscribe_link": "#",
    }
    return Preview(
        subject=context["subject"],
        sender=_sender(workshop.chapter),
        html=_html(action, context),
    )


def _sender(chapter: Chapter) -> str:
    return f"{chapter} <{moulds.sender_address()}>"
