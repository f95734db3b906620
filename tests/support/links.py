"""Every link in a letter, wherever a mail program or a scanner may find one."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html.parser import HTMLParser

from icalendar import Calendar

LINK = re.compile(r"https?://[^\s\"'<>)\]]+")
ATTRIBUTES = ("href", "src", "action", "formaction", "background", "cite", "data", "poster")


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[tuple[str, str]] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses += [(tag, value or "") for name, value in attributes if name in ATTRIBUTES]


def in_html(html: str) -> list[tuple[str, str]]:
    """Each element that leads somewhere or loads something, and where."""
    elements = _Elements()
    elements.feed(html)
    return elements.addresses


def in_text(text: str) -> set[str]:
    """As mail programs make links of text: a full stop at the end is the sentence's."""
    return {link.rstrip(".,;:!?") for link in LINK.findall(text)}


def in_header(message: EmailMessage) -> set[str]:
    return {link for _, value in message.items() for link in in_text(str(value))}


def in_calendars(message: EmailMessage) -> set[str]:
    links: set[str] = set()
    for part in message.walk():
        if part.get_content_type() in ("text/calendar", "application/ics"):
            calendar = Calendar.from_ical(part.get_payload(decode=True))
            for component in calendar.walk():
                for _, value in component.property_items():
                    links |= in_text(str(value))
    return links


def body(message: EmailMessage, kind: str) -> str:
    """The plain or the html part, as people read it."""
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage), f"no {kind} part"
    return str(part.get_content())


def of_letter(message: EmailMessage) -> set[str]:
    """In the head, in both parts and in the calendar entry."""
    html = {address for _, address in in_html(body(message, "html"))}
    return (
        in_header(message)
        | in_text(body(message, "plain"))
        | {address for address in html if LINK.match(address)}
        | in_text(body(message, "html"))
        | in_calendars(message)
    )
