"""
What organisers do about who comes: answer for somebody, and mark who is here.

Answers follow the rules of `rsvps`, whoever gives them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from chapters.models import Role, Workshop
from invitations.models import Invitation
from invitations.services import rsvps
from logs.services import activities
from members.models import Member

# Planner offers signing in from then on.
DOOR_OPENS_BEFORE_THE_START = timedelta(minutes=30)
# A tap that undoes an arrival so soon is the second of a double tap: the button turned under it.
A_DOUBLE_TAP = timedelta(seconds=2)


class Refused(Exception):
    """Nothing was marked; `message` tells the organiser why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotComing(Refused): ...


class DoorIsClosed(Refused): ...


def door_opens_at(workshop: Workshop) -> datetime:
    """From when on people can be marked as here; afterwards a list can be put right at any time."""
    return workshop.starts_at - DOOR_OPENS_BEFORE_THE_START


@transaction.atomic
def give_a_place(
    workshop: Workshop,
    *,
    member: Member,
    role: Role,
    by: Member,
    at: datetime,
    override_reason: str = "",
) -> Invitation:
    """
    Give the member a place, with an invitation where they got none; a letter confirms it.

    :param override_reason: sets the capacity and the end of answers aside, and nothing else
    :raises rsvps.Refused: where the rules for members say no; nothing was made then
    """
    Workshop.objects.locked().get(pk=workshop.pk)  # before a row that others wait for is made
    invitation = rsvps.invitation_for(member, workshop, role=role)
    rsvps.accept(invitation, role=role, note=None, at=at, by=by, override_reason=override_reason)
    return invitation


@transaction.atomic
def put_in_line(
    workshop: Workshop, *, member: Member, role: Role, by: Member, at: datetime
) -> Invitation:
    """
    Put the member at the end of the waiting list; nobody is written to.

    :raises rsvps.Refused: where the rules for members say no; nothing was made then
    """
    Workshop.objects.locked().get(pk=workshop.pk)
    invitation = rsvps.invitation_for(member, workshop, role=role)
    rsvps.wait(invitation, role=role, note=None, at=at, by=by)
    return invitation


def take_back(invitation: Invitation, *, by: Member, at: datetime) -> None:
    """
    Take back a place, or a place in line, and write the member that they are off the list; a
    place goes to the first in line.

    :raises rsvps.Refused: when it is too late
    """
    rsvps.decline(invitation, by=by, at=at)


@transaction.atomic
def mark(invitation: Invitation, *, is_here: bool, by: Member, at: datetime) -> Invitation:
    """
    Write down that somebody with a place is here, or is not.

    It says how things are and not that they change: asked twice, or by two phones at the same
    moment, the first arrival stays. Within two seconds nobody is undone.

    :returns: the invitation as it is now
    :raises DoorIsClosed: before the door opens, or when the workshop is cancelled
    :raises NotComing: for somebody who has no place (any more)
    """
    workshop = Workshop.objects.locked().get(pk=invitation.workshop_id)
    invitation = Invitation.objects.select_related("member").get(pk=invitation.pk)
    _check_door(workshop, at=at)
    if not invitation.is_attending:
        raise NotComing(
            f"{invitation.member.full_name} has no place now. Add them as somebody who is not on"
            " the list."
        )
    if is_here == (invitation.attended_at is not None) or _is_double_tap(invitation, at=at):
        return invitation
    invitation.attended_at = at if is_here else None
    invitation.save(update_fields=["attended_at"])
    activities.note(
        "marked as here" if is_here else "marked as not here",
        by=by,
        workshop=workshop,
        member=invitation.member,
    )
    return invitation


def note_export_of_addresses(workshop: Workshop, *, by: Member) -> None:
    """Addresses leave the house; the history says who took them."""
    activities.note("took the e-mail addresses of who comes", by=by, workshop=workshop)


def _is_double_tap(invitation: Invitation, *, at: datetime) -> bool:
    return invitation.attended_at is not None and at - invitation.attended_at < A_DOUBLE_TAP


def _check_door(workshop: Workshop, *, at: datetime) -> None:
    if workshop.is_cancelled:
        raise DoorIsClosed("This workshop is cancelled.")
    opens_at = door_opens_at(workshop)
    if at < opens_at:
        local = opens_at.astimezone(workshop.chapter.time_zone)
        raise DoorIsClosed(f"People can be marked as here from {local:%H:%M} on {local:%-d %B}.")
