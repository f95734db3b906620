"""
The letters: what they say.

Each is written once for everybody who gets the same words, as a draft with gaps; filling in one
person needs no database and no template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.dateformat import format as format_date

from chapters.models import Chapter, Role, Workshop
from chapters.queries import capacity, host_of
from invitations import calendars, moulds
from invitations.services import rsvps
from logs.models import Action, Audience
from members.models import Ban

DAY = "l j F"
HOUR = "H:i"

TITLES = {
    (Action.INVITE, Role.STUDENT): "Come and code with us",
    (Action.INVITE, Role.COACH): "Come and coach with us",
    Action.CONFIRMATION: "See you",
    Action.PLACE: "You have a place",
    Action.CHANGE: "Changed: our workshop",
    Action.CANCELLATION: "Cancelled: our workshop",
}
SUBJECTS = {
    Action.BAN: "Your codebar account is suspended",
    Action.WARNING: "We missed you at our workshops",
    Action.ELIGIBILITY: "A short question before you come to a workshop",
}
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
) -> moulds.Draft:
    """
    The letter about this workshop to everybody who is written to for this reason, in this role.

    A test says what an invitation says, or with a subject what a message says; its links lead to
    the organiser's pages.

    :param other_role: the one in which they can come as well, where they are in both groups
    :param audience: whom the log writes to, which is why they get it
    :param subject: an organiser's own, of a message
    :param note: an organiser's own words
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
        subject=subject,
        note=note,
    )
    context |= _links_of_a_test(workshop) if is_test else _links()
    context |= {"html_name": moulds.HTML_NAME, "text_name": moulds.TEXT_NAME}
    if is_test:
        context["subject"] = f"[Test] {context['subject']}"
    head = moulds.head(
        str(workshop.chapter),
        context["subject"],
        reply_to=workshop.chapter.email,
        list_name=workshop.chapter.slug,
        can_be_stopped=context["can_be_stopped"] and not is_test,
    )
    return _draft(
        head,
        context,
        template=told,
        sender=_sender(workshop.chapter),
        calendar=_calendar(workshop, context) if _holds_a_place(told, audience) else "",
        chapter_id=workshop.chapter_id,
        workshop_id=workshop.pk,
        role=role,
    )


def draft_to_a_member(*, action: Action, occasion: str) -> moulds.Draft:
    """
    The letter about no workshop: a suspension, a warning, a question.

    :param occasion: the id of the ban or notice
    :raises ValueError, Ban.DoesNotExist: when there is no such letter
    """
    subject = SUBJECTS[action]
    context = {
        "subject": subject,
        "title": subject,
        "chapter": "codebar",
        "address": moulds.sender_address(),
        "html_name": moulds.HTML_NAME,
        "text_name": moulds.TEXT_NAME,
    }
    if action == Action.BAN:
        context |= _suspension(Ban.objects.get(pk=int(occasion)))
    return _draft(
        moulds.head("codebar", subject, reply_to=moulds.sender_address()),
        context,
        template=action,
        sender=f"codebar <{moulds.sender_address()}>",
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


def _context(
    workshop: Workshop,
    *,
    action: Action,
    role: Role,
    other_role: Role | None = None,
    audience: Audience | None = None,
    subject: str = "",
    note: str = "",
) -> dict[str, Any]:
    host = None if workshop.is_virtual else host_of(workshop)
    day = format_date(workshop.local_start, DAY)
    title = subject or _title(action, role) + (" online" if workshop.is_virtual else "")
    return {
        "subject": subject or f"{title} on {day}",
        "title": title,
        "note": note,
        "chapter": workshop.chapter,
        "workshop": workshop,
        "day": day,
        "hours": _hours(workshop),
        "zone": _zone(workshop),
        "deadline": _deadline(workshop),
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
        "can_be_stopped": action == Action.INVITE or audience == Audience.UNANSWERED,
        "slack_channel": workshop.slack_channel.lstrip("#"),
        "slack_link": _web_link(workshop.slack_channel_link),
    }


def _title(action: Action, role: Role) -> str:
    return TITLES[(action, role) if action == Action.INVITE else action]


def _told_by_a_test(subject: str) -> Action:
    return Action.MESSAGE if subject else Action.INVITE


def _holds_a_place(action: Action, audience: Audience | None) -> bool:
    """Whether whoever gets this letter has, or had, a place."""
    return action in ABOUT_A_PLACE and audience in (None, Audience.ATTENDING)


def _links() -> dict[str, str]:
    return {
        "answer_link": settings.SITE_URL + reverse("invitation", args=[moulds.TOKEN]),
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
        "until": format_date(ends_at + timedelta(hours=12), "j F Y") if ends_at else "",
        "reason": ban.reason.rstrip("."),
        "explanation": ban.explanation,
    }


def _calendar(workshop: Workshop, context: dict[str, Any]) -> str:
    return calendars.entry(
        workshop,
        host=context["host"],
        role=context["role"],
        organiser=moulds.ascii_address(workshop.chapter.email),
        guest=moulds.GUEST,
        uid=moulds.ENTRY,
        link=context["answer_link"],
        gaps=moulds.GAPS,
    )


def _hours(workshop: Workshop) -> str:
    """18:30 to 20:30, with the day where it ends on another."""
    start, end = workshop.local_start, workshop.local_end
    hours = f"{format_date(start, HOUR)} to {format_date(end, HOUR)}"
    return hours if start.date() == end.date() else f"{hours} on {format_date(end, DAY)}"


def _zone(workshop: Workshop) -> str:
    """Brighton time, and how far that is from Greenwich, for whoever is elsewhere."""
    city = workshop.chapter.city or workshop.chapter.name
    offset = format_date(workshop.local_start, "O")
    away = "" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return f"{city} time (GMT{away})"


def _deadline(workshop: Workshop) -> str:
    """Until when an answer can be changed, where that ends before the workshop starts."""
    until = rsvps.answers_until(workshop)
    if until >= workshop.starts_at:
        return ""
    closing = until.astimezone(workshop.chapter.time_zone)
    return f"{format_date(closing, HOUR)} on {format_date(closing, DAY)}"


def _web_link(address: str) -> str:
    """The address where it is one of the web; a script is none."""
    return address if address.startswith(("https://", "http://")) else ""


def _html(action: Action, context: dict[str, Any]) -> str:
    html = render_to_string(f"invitations/emails/{action}.html", context)
    return _tidy(_inliner.inline(html))


def _text(action: Action, context: dict[str, Any]) -> str:
    return _tidy(render_to_string(f"invitations/emails/{action}.txt", context))


def _tidy(text: str) -> str:
    """With plain line breaks, no two empty lines together, and one line break at the end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _draft(
    head: list[bytes],
    context: dict[str, Any],
    *,
    template: Action,
    sender: str,
    calendar: str = "",
    chapter_id: int = 0,
    workshop_id: int = 0,
    role: Role = Role.STUDENT,
) -> moulds.Draft:
    html, text = _html(template, context), _text(template, context)
    return moulds.Draft(
        subject=context["subject"],
        sender=sender,
        html=html,
        text=text,
        calendar=calendar,
        mould=moulds.cut(head, html=html, text=text, calendar=calendar),
        gaps=frozenset(moulds.GAPS.findall(html + text + calendar)),
        chapter_id=chapter_id,
        workshop_id=workshop_id,
        role=role,
    )


def _preview(workshop: Workshop, action: Action, context: dict[str, Any]) -> Preview:
    context |= {"html_name": "Amina", "answer_link": "#", "unsubscribe_link": "#"}
    return Preview(
        subject=context["subject"],
        sender=_sender(workshop.chapter),
        html=_html(action, context),
    )


def _sender(chapter: Chapter) -> str:
    return f"{chapter} <{moulds.sender_address()}>"
