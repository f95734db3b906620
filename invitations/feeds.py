"""
A chapter's workshops as a calendar to subscribe to (RFC 5545, 7986).

It is the same for everybody, so it holds nothing about anybody, and it is the same from one
request to the next as long as nothing changes, so that it can be asked for conditionally.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from chapters.models import Chapter, Sponsor, Workshop
from invitations import calendars
from invitations.queries.public import Listing

ASK_AGAIN = timedelta(hours=12)


def calendar_of(chapter: Chapter, listings: Iterable[Listing]) -> bytes:
    """What calendars read, in UTF-8; one entry a workshop."""
    calendar = Calendar()
    calendar.add("prodid", "-//codebar//workshops//EN")
    calendar.add("version", "2.0")
    calendar.add("name", str(chapter))
    calendar.add("x-wr-calname", str(chapter))
    calendar.add("url", settings.SITE_URL + reverse("chapter_page", args=[chapter.slug]))
    calendar.add("refresh-interval", ASK_AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", ASK_AGAIN)
    for listing in listings:
        calendar.add_component(_event(listing.workshop, listing.host))
    return bytes(calendar.to_ical())


def _event(workshop: Workshop, host: Sponsor | None) -> Event:
    page = settings.SITE_URL + reverse("workshop", args=[workshop.pk])
    event = Event()
    event.add("uid", f"workshop-{workshop.pk}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("sequence", workshop.sequence)
    # When it was last revised is not known, and must not be "now", or nothing would ever be the
    # same; what changed since is told by the sequence.
    event.add("dtstamp", workshop.cancelled_at or workshop.created_at)
    event.add("dtstart", workshop.starts_at)
    event.add("dtend", workshop.ends_at)
    event.add(
        "summary", _("%(chapter)s workshop") % {"chapter": calendars.line(str(workshop.chapter))}
    )
    event.add("location", calendars.location(workshop, host))
    event.add("description", _("Say here that you come, and as what: %(page)s") % {"page": page})
    event.add("url", page)
    event.add("status", "CANCELLED" if workshop.is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # whoever subscribes does not come to all of them
    return event
