"""
The calendar entry of a place: it appears, moves and goes away with the letters about it.

A letter that gives or moves a place is a REQUEST, one that takes it away a CANCEL (RFC 5546,
3.2.2 and 3.2.5), since that is what mail programs act on by themselves. Whoever gets it has said
yes already, so the entry asks for no reply (PARTSTAT=ACCEPTED, RSVP=FALSE; RFC 5545, 3.2.12 and
3.2.17). What people fetch by hand from a page is a PUBLISH, which names no guest (RFC 5546, 3.2.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText

from chapters.models import Role, Sponsor, Workshop
from invitations.models import Invitation

FOLD = "\n "
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
DAY = timedelta(days=1)
NO_GAPS = re.compile(r"(?!)")
MOST_OCTETS = 70  # of 75, with room for the blank of a fold and for what an escape ends with


class Method(StrEnum):
    """What mail programs shall do; the head of a letter says it again (RFC 6047, 2.4)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


def entry(
    workshop: Workshop,
    *,
    method: Method,
    host: Sponsor | None,
    role: Role,
    organiser: str,
    guest: str,
    uid: str,
    sequence: str,
    link: str,
    gaps: re.Pattern[str],
) -> str:
    """
    The place of one person at this workshop, or its withdrawal.

    :returns: with plain line breaks; a letter makes CRLF of them, as of all its text
    :param guest: the person's address
    :param uid: as `uid_of`
    :param sequence: as `sequence_of`
    :param gaps: what stands in `guest`, `uid`, `sequence` and `link` for something longer: each
        gets a line of its own, so that no line becomes too long when it is filled in
    """
    calendar = Calendar()
    calendar.add("prodid", "-//codebar//workshops//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method.value)
    event = _event(workshop, host, role, link, is_cancelled=method == Method.CANCEL)
    event.add("uid", uid)
    event.add("sequence", vText(sequence))
    event.add("organizer", _person(organiser, CN=line(str(workshop.chapter))))
    if method != Method.PUBLISH:
        said_yes = {"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
        event.add("attendee", _person(guest, **said_yes))
    calendar.add_component(event)
    calendar.add_missing_timezones(
        first_date=workshop.local_start.date() - DAY, last_date=workshop.local_end.date() + DAY
    )
    lines = (str(one) for one in calendar.content_lines() if one)
    return "".join(_folded(one, gaps) + "\n" for one in lines)


def file_of(invitation: Invitation, *, host: Sponsor | None, link: str) -> bytes:
    """The place of this member, as a file to open by hand (RFC 5545, in UTF-8)."""
    workshop = invitation.workshop
    text = entry(
        workshop,
        method=Method.PUBLISH,
        host=host,
        role=Role(invitation.role),
        organiser=workshop.chapter.email,
        guest="",
        uid=uid_of(workshop.pk, invitation.member_id),
        sequence=str(sequence_of(workshop.sequence, answers=invitation.answer_number)),
        link=link,
        gaps=NO_GAPS,
    )
    return text.replace("\n", "\r\n").encode()


def uid_of(workshop_id: int, member_id: int) -> str:
    """The same for all there is about this person's place; it tells nothing (RFC 7986, 5.3)."""
    return str(uuid5(NAMESPACE_URL, f"{settings.SITE_URL}/{workshop_id}/{member_id}"))


def sequence_of(sequence: int, *, answers: int) -> int:
    """
    The number by which a calendar knows what is newer (RFC 5545, 3.8.7.4).

    Neither the workshop's own nor the number of the member's answers ever falls, so their sum
    rises with each: a place that was given back and taken anew is not taken for an old letter.
    """
    return sequence + answers


def location(workshop: Workshop, host: Sponsor | None) -> str:
    """Where the workshop is, in one line."""
    if workshop.is_virtual:
        return _("Online")
    return line(f"{host.name}, {host.address}".strip(", ")) if host else _("Not settled yet")


def line(text: str) -> str:
    """The text without what cannot stand in a line of a calendar, or in quotation marks."""
    return CONTROLS.sub(" ", text).replace('"', "'").strip()


def filled(text: str) -> str:
    """What goes into a gap, though it be longer than a line."""
    return FOLD.join(_lines_of(text))


def _event(
    workshop: Workshop,
    host: Sponsor | None,
    role: Role,
    link: str,
    *,
    is_cancelled: bool,
) -> Event:
    event = Event()
    event.add("dtstamp", datetime.now(UTC))
    event.add("dtstart", _moment(workshop.local_start))
    event.add("dtend", _moment(workshop.local_end))
    event.add("summary", _("%(chapter)s workshop") % {"chapter": line(str(workshop.chapter))})
    event.add("location", location(workshop, host))
    event.add("description", link if is_cancelled else f"{_description(role)}\n{link}")
    event.add("url", link)
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event


def _moment(local: datetime) -> datetime:
    """
    The moment on the clocks of the chapter, which a calendar then shows wherever it is.

    In the hour that clocks show twice, local time means its first run (RFC 5545, 3.3.5), so a
    moment in the second one is told in UTC.
    """
    return local.astimezone(UTC) if local.fold else local


def _description(role: Role) -> str:
    as_what = _("You come as a coach.") if role == Role.COACH else _("You come as a student.")
    asks = _(
        "Your calendar tells us nothing: if your plans change, say so here, and somebody else can"
        " have your place."
    )
    return f"{as_what} {asks}"


def _person(address: str, **parameters: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    for name, value in parameters.items():
        person.params[name] = value
    return person


def _folded(line: str, gaps: re.Pattern[str]) -> str:
    """With a fold before and after each gap (RFC 5545, 3.1)."""
    pieces = (piece if gaps.fullmatch(piece) else filled(piece) for piece in gaps.split(line))
    return FOLD.join(piece for piece in pieces if piece)


def _lines_of(text: str) -> Iterator[str]:
    """The text in pieces that fit into a line."""
    line, octets = "", 0
    for character in text:
        size = len(character.encode())
        if octets + size > MOST_OCTETS + line.endswith("\\"):  # keep an escape together
            yield line
            line, octets = "", 0
        line += character
        octets += size
    yield line
