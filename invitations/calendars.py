"""
The calendar entry of a place: it appears, moves and goes away with the letters about it.

A letter that gives or moves a place is a REQUEST, one that takes it away a CANCEL (RFC 5546,
3.2.2 and 3.2.5), since that is what mail programs act on by themselves: a PUBLISH is an entry
that people add by hand, and again after each change. Whoever gets it has said yes already, so
the entry asks for no reply (PARTSTAT=ACCEPTED, RSVP=FALSE; RFC 5545, 3.2.12 and 3.2.17).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, vCalAddress

from chapters.models import Sponsor, Workshop

FOLD = "\n "
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
DAY = timedelta(days=1)
MOST_OCTETS = 70  # of 75, with room for the blank of a fold and for what an escape ends with


def entry(
    workshop: Workshop,
    *,
    host: Sponsor | None,
    role: str,
    organiser: str,
    guest: str,
    uid: str,
    link: str,
    gaps: re.Pattern[str],
) -> str:
    """
    The place of one person at this workshop, or its withdrawal where the workshop is cancelled.

    Its SEQUENCE is the workshop's, so that a later letter replaces an earlier one.

    :returns: with plain line breaks; a letter makes CRLF of them, as of all its text
    :param guest: the person's address
    :param uid: the same in every letter about this place, and in no other
    :param gaps: what stands in `guest`, `uid` and `link` for something longer: each gets a line
        of its own, so that no line becomes too long when it is filled in
    """
    calendar = Calendar()
    calendar.add("prodid", "-//codebar//workshops//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method_of(workshop))
    calendar.add_component(_event(workshop, host, role, organiser, guest, uid, link))
    calendar.add_missing_timezones(
        first_date=workshop.local_start.date() - DAY, last_date=workshop.local_end.date() + DAY
    )
    lines = (str(line) for line in calendar.content_lines() if line)
    return "".join(_folded(line, gaps) + "\n" for line in lines)


def method_of(workshop: Workshop) -> str:
    """What mail programs shall do; the head of the letter says it again (RFC 6047, 2.4)."""
    return "CANCEL" if workshop.is_cancelled else "REQUEST"


def filled(text: str) -> str:
    """What goes into a gap, though it be longer than a line."""
    return FOLD.join(_lines_of(text))


def _event(
    workshop: Workshop,
    host: Sponsor | None,
    role: str,
    organiser: str,
    guest: str,
    uid: str,
    link: str,
) -> Event:
    chapter = _line(str(workshop.chapter))
    event = Event()
    event.add("uid", uid)
    event.add("sequence", workshop.sequence)
    event.add("dtstamp", datetime.now(UTC))
    event.add("dtstart", workshop.local_start)
    event.add("dtend", workshop.local_end)
    event.add("summary", f"{chapter} workshop")
    event.add("location", _location(workshop, host))
    event.add(
        "description",
        f"You come as a {role}. Your calendar tells us nothing: if your plans change, say so here,"
        f" and somebody else can have your place.\n{link}",
    )
    event.add("url", link)
    event.add("organizer", _person(organiser, CN=chapter))
    event.add("attendee", _person(guest, ROLE="REQ-PARTICIPANT", PARTSTAT="ACCEPTED", RSVP="FALSE"))
    event.add("status", "CANCELLED" if workshop.is_cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event


def _location(workshop: Workshop, host: Sponsor | None) -> str:
    if workshop.is_virtual:
        return "Online"
    return _line(f"{host.name}, {host.address}".strip(", ")) if host else "Not settled yet"


def _person(address: str, **parameters: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    for name, value in parameters.items():
        person.params[name] = value
    return person


def _line(text: str) -> str:
    return CONTROLS.sub(" ", text).replace('"', "'").strip()


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
