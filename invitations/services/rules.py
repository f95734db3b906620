"""
Who may have a place, until when, and what is said to whoever may not.

Written once for members and for organisers who answer for them; `rsvps` asks with the workshop and
the member locked, and pages ask so that nobody presses a button in vain.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chapters.models import Role, Workshop
from invitations.queries import overviews
from invitations.queries.audiences import roles_of
from invitations.queries.overviews import Places
from members.models import Member

# Two moments of one day, by whatever clocks, are never farther apart.
LONGEST_DAY = timedelta(hours=25)


class Refused(Exception):
    """The answer was not taken; `message` tells the member why, `for_organiser` an organiser."""

    def __init__(self, message: str, *, for_organiser: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.for_organiser = for_organiser or message


class Overridable(Refused):
    """A rule that an organiser may set aside, with a reason that everybody who organises sees."""


class WorkshopCancelled(Refused): ...


class WorkshopBegun(Overridable): ...


class WorkshopOver(Refused): ...


class RsvpNotOpen(Overridable): ...


class RsvpClosed(Overridable): ...


class Banned(Refused): ...


class TermsNotAccepted(Refused): ...


class NotSubscribed(Refused): ...


class AnotherWorkshopThatDay(Refused): ...


class WorkshopFull(Overridable): ...


class PlacesLeft(Refused): ...


class HasAPlace(Refused): ...


class WasHere(Refused): ...


def answers_until(workshop: Workshop) -> datetime:
    """The moment until which an answer can be given and changed."""
    return min(workshop.rsvp_closes_at or workshop.starts_at, workshop.starts_at)


def check_open(workshop: Workshop, *, at: datetime) -> None:
    """
    Whether places at this workshop are given now.

    :raises WorkshopCancelled, WorkshopBegun, RsvpNotOpen, RsvpClosed: when they are not
    """
    check_not_closed(workshop, at=at)
    if workshop.rsvp_opens_at and at < workshop.rsvp_opens_at:
        opens_at = workshop.rsvp_opens_at.astimezone(workshop.chapter.time_zone)
        raise RsvpNotOpen(
            _("Places are given from %(day)s, %(hour)s.")
            % {"day": date_format(opens_at, "WEEKDAY_FORMAT"), "hour": time_format(opens_at)}
        )


def check_not_closed(workshop: Workshop, *, at: datetime) -> None:
    """
    Whether it can still be said that somebody is not coming.

    :raises WorkshopCancelled, WorkshopBegun, RsvpClosed: when it cannot
    """
    check_not_cancelled(workshop)
    if workshop.has_begun(at):
        raise WorkshopBegun(_("This workshop has already begun."))
    if at >= answers_until(workshop):
        raise RsvpClosed(
            _("Answers are closed. If your plans change, write to %(address)s.")
            % {"address": workshop.chapter.email},
            for_organiser=_("Answers are closed."),
        )


def check_not_cancelled(workshop: Workshop) -> None:
    if workshop.is_cancelled:
        raise WorkshopCancelled(_("This workshop is cancelled."))


def check_not_over(workshop: Workshop, *, at: datetime) -> None:
    if at >= workshop.ends_at:
        raise WorkshopOver(_("This workshop is over. Its list stays as it was."))


def check_member(member: Member, *, at: datetime) -> None:
    """
    Whether this member may come at all.

    :raises Banned: when a ban holds
    :raises TermsNotAccepted: before the terms are accepted
    """
    if any(ban.is_active_at(at) for ban in member.bans.all()):
        raise Banned(_("A suspended account cannot take a place."))
    if member.accepted_terms_at is None or member.closed_at is not None:
        raise TermsNotAccepted(_("Only members who have accepted the terms can take a place."))


def check_role(member: Member, workshop: Workshop, *, role: Role) -> None:
    """:raises NotSubscribed: for somebody who is in no such group of the chapter"""
    if role in roles_of(member, workshop.chapter):
        return
    if role == Role.COACH:
        told = _("Only who is subscribed to a coach group of %(chapter)s can come as a coach.")
    else:
        told = _("Only who is subscribed to a student group of %(chapter)s can come as a student.")
    raise NotSubscribed(told % {"chapter": workshop.chapter})


def check_day(member: Member, workshop: Workshop) -> None:
    """
    One workshop a day (planner's rule), by the calendar of either chapter, and none meanwhile.

    By either, since of two workshops in different zones it must not matter which is accepted first.

    :raises AnotherWorkshopThatDay: for somebody with a place at one
    """
    places = member.invitations.attending().filter(
        workshop__ends_at__gt=workshop.starts_at - LONGEST_DAY,
        workshop__starts_at__lt=workshop.ends_at + LONGEST_DAY,
        workshop__cancelled_at=None,
    )
    for place in places.exclude(workshop=workshop).select_related("workshop__chapter"):
        if _meet(workshop, place.workshop):
            raise AnotherWorkshopThatDay(
                _(
                    "There is a place at %(chapter)s on the same day already."
                    " Everybody can come to one workshop a day."
                )
                % {"chapter": place.workshop.chapter}
            )


def check_place(workshop: Workshop, *, role: Role) -> None:
    """:raises WorkshopFull: when every place for this role is taken"""
    places = overviews.places(workshop)[role]
    if places.is_full:
        taken = _all_taken(places)
        way_out = _("You can join the waiting list.")
        raise WorkshopFull(f"{taken} {way_out}", for_organiser=taken)


def _all_taken(places: Places) -> str:
    if places.capacity < 2:
        if places.role == Role.COACH:
            return _("There is no free place for coaches.")
        return _("There is no free place for students.")
    if places.role == Role.COACH:
        told = ngettext(
            "The %(places)d place for coaches is taken.",
            "All %(places)d places for coaches are taken.",
            places.capacity,
        )
    else:
        told = ngettext(
            "The %(places)d place for students is taken.",
            "All %(places)d places for students are taken.",
            places.capacity,
        )
    return told % {"places": places.capacity}


def _meet(one: Workshop, other: Workshop) -> bool:
    """Whether nobody can come to both."""
    is_meanwhile = one.starts_at < other.ends_at and other.starts_at < one.ends_at
    return is_meanwhile or any(
        _is_one_day(one, other, zone=workshop.chapter.time_zone) for workshop in (one, other)
    )


def _is_one_day(one: Workshop, other: Workshop, *, zone: ZoneInfo) -> bool:
    return one.starts_at.astimezone(zone).date() == other.starts_at.astimezone(zone).date()
