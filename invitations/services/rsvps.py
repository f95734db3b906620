"""
Answering an invitation: the same rules for members and, later, for organisers who answer for them.

People compete for places, so every answer locks the workshop, then the member, and only then reads
what it decides about. The locks let a batch that is being prepared pass.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from chapters.models import Role, Workshop
from invitations import overviews, tasks
from invitations.models import Answer, Invitation
from invitations.queries import roles_of
from logs.models import Action
from logs.services.logger import InvitationLogger
from members.models import Member


class Refused(Exception):
    """The answer was not taken; `message` tells the member why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class WorkshopCancelled(Refused): ...


class WorkshopBegun(Refused): ...


class RsvpClosed(Refused): ...


class Banned(Refused): ...


class NotSubscribed(Refused): ...


class WorkshopFull(Refused): ...


def check_open(workshop: Workshop, *, at: datetime) -> None:
    """
    Whether answers to this workshop are still taken.

    :raises WorkshopCancelled, WorkshopBegun, RsvpClosed: when they are not
    """
    if workshop.is_cancelled:
        raise WorkshopCancelled("This workshop is cancelled.")
    if workshop.has_begun(at):
        raise WorkshopBegun("This workshop has already begun.")
    if at >= answers_until(workshop):
        raise RsvpClosed(
            f"Answers are closed. If your plans change, write to {workshop.chapter.email}."
        )


def check_member(member: Member, *, at: datetime) -> None:
    """
    Whether this member may come at all.

    :raises Banned: when a ban holds
    """
    if any(ban.is_active_at(at) for ban in member.bans.all()):
        raise Banned("Your account is suspended, so you cannot take a place.")


def answers_until(workshop: Workshop) -> datetime:
    """The moment until which an answer can be given and changed."""
    return min(workshop.rsvp_closes_at or workshop.starts_at, workshop.starts_at)


@transaction.atomic
def accept(invitation: Invitation, *, role: Role, note: str, at: datetime) -> None:
    """
    Give the member a place in this role, and write them a confirmation.

    Whoever has the place keeps it: accepting twice changes nothing, except a note that differs.

    :raises Refused: one of the above
    """
    workshop, member, invitation = _locked(invitation)
    check_open(workshop, at=at)
    check_member(member, at=at)
    _check_role(member, workshop, role=role)
    if invitation.is_attending and invitation.role == role:
        _note(invitation, note=note)
        return
    _check_place(workshop, role=role)
    _answer(invitation, Answer.ATTENDING, role=role, note=note, at=at)
    InvitationLogger().single(
        member=member,
        workshop=workshop,
        action=Action.CONFIRMATION,
        occasion=str(invitation.answer_number),
    )
    transaction.on_commit(tasks.ring, robust=True)


@transaction.atomic
def decline(invitation: Invitation, *, at: datetime) -> None:
    """
    Note that the member is not coming; a place they had is free. Declining twice changes nothing.

    :raises WorkshopCancelled, WorkshopBegun, RsvpClosed: when answers are no longer taken
    """
    workshop, _, invitation = _locked(invitation)
    check_open(workshop, at=at)
    if not invitation.has_declined:
        _answer(
            invitation,
            Answer.DECLINED,
            role=Role(invitation.role),
            note=invitation.note,
            at=at,
        )


def _locked(invitation: Invitation) -> tuple[Workshop, Member, Invitation]:
    """The workshop, then the member, held until the end of the transaction; this row, fresh."""
    workshop = (
        Workshop.objects.select_for_update(no_key=True, of=("self",))
        .select_related("chapter")
        .get(pk=invitation.workshop_id)
    )
    member = Member.objects.select_for_update(no_key=True).get(pk=invitation.member_id)
    return workshop, member, Invitation.objects.get(pk=invitation.pk)


def _check_role(member: Member, workshop: Workshop, *, role: Role) -> None:
    if role not in roles_of(member, workshop.chapter):
        raise NotSubscribed(
            f"You are not subscribed to a {role.label.lower()} group of {workshop.chapter}."
        )


def _check_place(workshop: Workshop, *, role: Role) -> None:
    places = overviews.places(workshop)[role]
    if places.is_full:
        raise WorkshopFull(
            f"All {places.capacity} places for {places.name} are taken."
            " When somebody cancels, you can take the place here."
        )


def _answer(invitation: Invitation, answer: Answer, *, role: Role, note: str, at: datetime) -> None:
    invitation.answer = answer
    invitation.role = role
    invitation.note = note
    invitation.answer_number += 1
    invitation.answered_at = at
    invitation.save(update_fields=["answer", "role", "note", "answer_number", "answered_at"])


def _note(invitation: Invitation, *, note: str) -> None:
    if invitation.note != note:
        invitation.note = note
        invitation.save(update_fields=["note"])
