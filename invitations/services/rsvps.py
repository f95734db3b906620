"""
Answering an invitation, and the waiting list: the same rules for members and for organisers who
answer for them.

People compete for places, so every answer locks the workshop, then the member and everybody in
line, and only then reads what it decides about. The locks let a batch that is being prepared pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.db import transaction

from chapters.models import Role, Workshop
from invitations import tasks
from invitations.models import Answer, Invitation
from invitations.queries import overviews
from invitations.queries.audiences import roles_of
from logs.models import Action
from logs.services import activities
from logs.services.logger import InvitationLogger
from members.models import Member


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


class _AnsweredMeanwhile(Exception):
    """The member got a place at one more workshop while the others were being locked."""


def check_open(workshop: Workshop, *, at: datetime) -> None:
    """
    Whether places at this workshop are given now.

    :raises WorkshopCancelled, WorkshopBegun, RsvpNotOpen, RsvpClosed: when they are not
    """
    check_not_closed(workshop, at=at)
    if workshop.rsvp_opens_at and at < workshop.rsvp_opens_at:
        opens_at = workshop.rsvp_opens_at.astimezone(workshop.chapter.time_zone)
        raise RsvpNotOpen(f"Places are given from {opens_at:%-d %B at %H:%M}.")


def check_not_closed(workshop: Workshop, *, at: datetime) -> None:
    """
    Whether it can still be said that somebody is not coming.

    :raises WorkshopCancelled, WorkshopBegun, RsvpClosed: when it cannot
    """
    _check_not_cancelled(workshop)
    if workshop.has_begun(at):
        raise WorkshopBegun("This workshop has already begun.")
    if at >= answers_until(workshop):
        raise RsvpClosed(
            f"Answers are closed. If your plans change, write to {workshop.chapter.email}.",
            for_organiser="Answers are closed.",
        )


def check_member(member: Member, *, at: datetime) -> None:
    """
    Whether this member may come at all.

    :raises Banned: when a ban holds
    :raises TermsNotAccepted: before the terms are accepted
    """
    if any(ban.is_active_at(at) for ban in member.bans.all()):
        raise Banned("A suspended account cannot take a place.")
    if member.accepted_terms_at is None or member.closed_at is not None:
        raise TermsNotAccepted("Only members who have accepted the terms can take a place.")


def answers_until(workshop: Workshop) -> datetime:
    """The moment until which an answer can be given and changed."""
    return min(workshop.rsvp_closes_at or workshop.starts_at, workshop.starts_at)


@transaction.atomic
def accept(
    invitation: Invitation,
    *,
    role: Role,
    note: str | None,
    at: datetime,
    by: Member | None = None,
    override_reason: str = "",
) -> None:
    """
    Give the member a place in this role, and write them a confirmation.

    Whoever has the place keeps it: accepting twice changes nothing, except a note that differs.

    :param note: for the organisers; None leaves what was noted
    :param by: the organiser who answers for the member
    :param override_reason: with it an organiser gives a place that is not free, or gives it after
        answers closed; everybody who organises sees it
    :raises Refused: one of the above
    """
    workshop, member, invitation = _locked(invitation)
    is_overridden = by is not None and bool(override_reason)
    if is_overridden:
        _check_not_cancelled(workshop)
    else:
        check_open(workshop, at=at)
    check_member(member, at=at)
    _check_role(member, workshop, role=role)
    if invitation.is_attending and invitation.role == role:
        _note(invitation, note=note)
        return
    _check_day(member, workshop)
    if not is_overridden:
        _check_place(workshop, role=role)
    freed = _role_of_place(invitation)
    _answer(
        invitation,
        Answer.ATTENDING,
        role=role,
        note=note,
        at=at,
        by=by,
        override_reason=override_reason if is_overridden else "",
    )
    _write(invitation, Action.CONFIRMATION)
    _pass_on(workshop, freed, at=at)


@transaction.atomic
def wait(
    invitation: Invitation, *, role: Role, note: str | None, at: datetime, by: Member | None = None
) -> None:
    """
    Put the member at the end of the line for a place.

    Waiting twice changes nothing, and whoever has such a place keeps it: they may have moved up
    since their page was shown.

    :param note: for the organisers; None leaves what was noted
    :raises PlacesLeft: when there is a place to take instead
    :raises HasAPlace: for somebody with a place in the other role, which would be lost
    :raises Refused: one of the above
    """
    workshop, member, invitation = _locked(invitation)
    check_open(workshop, at=at)
    check_member(member, at=at)
    _check_role(member, workshop, role=role)
    if (invitation.is_waiting or invitation.is_attending) and invitation.role == role:
        _note(invitation, note=note)
        return
    if not overviews.places(workshop)[role].is_full:
        raise PlacesLeft("There is a free place. Nobody has to wait.")
    if invitation.is_attending:
        had, wanted = Role(invitation.role).label.lower(), role.label.lower()
        raise HasAPlace(
            f"There is a place as a {had} already. Give it back first, and then wait as a {wanted}."
        )
    _answer(invitation, Answer.WAITING, role=role, note=note, at=at, by=by)


@transaction.atomic
def decline(invitation: Invitation, *, at: datetime, by: Member | None = None) -> None:
    """
    Note that the member is not coming; a place they had goes to the first in line.

    Declining twice changes nothing. An organiser may do so until the workshop is over; after it
    the list says who had a place and did not come.

    :raises WorkshopCancelled, WorkshopBegun, RsvpClosed: when answers are no longer taken
    :raises WorkshopOver: when an organiser comes too late
    :raises WasHere: for somebody who is marked as here
    """
    workshop, _, invitation = _locked(invitation)
    if by is None:
        check_not_closed(workshop, at=at)
    else:
        _check_not_cancelled(workshop)
        _check_not_over(workshop, at=at)
    if invitation.attended_at is not None:
        raise WasHere("Who is marked as here cannot be taken off the list. Undo that first.")
    if not invitation.has_declined:
        _leave(workshop, invitation, at=at, by=by)


@transaction.atomic
def fill_free_places(workshop: Workshop, *, at: datetime) -> int:
    """
    Give every free place to the first in line who may have it, for instance in a larger venue.

    :returns: how many places were given
    """
    return _pass_on(_lock([workshop.pk])[0], Role, at=at)


@transaction.atomic
def release_places(member: Member, *, at: datetime, by: Member | None) -> list[Workshop]:
    """
    Take the member's places, and their places in line, at every workshop to come.

    Each goes to the next in line, and the member stays locked. Whoever calls has not locked any
    workshop or member yet.

    Workshops are locked before members; so a workshop at which the member answers meanwhile is not
    among those that were locked, and must not be locked any more. With the member locked every
    earlier answer is seen and no other one follows: then the savepoint gives all locks back, and
    we begin again.

    :returns: the workshops at which a place or a place in line was given up
    """
    while True:
        try:
            with transaction.atomic():
                return _release(member, at=at, by=by)
        except _AnsweredMeanwhile:
            continue


def invitation_for(member: Member, workshop: Workshop, *, role: Role) -> Invitation:
    """The member's invitation, made where an organiser adds somebody who got none."""
    invitation, _ = Invitation.objects.get_or_create(
        workshop=workshop, member=member, defaults={"role": role}
    )
    return invitation


def _release(member: Member, *, at: datetime, by: Member | None) -> list[Workshop]:
    held = member.invitations.held(at)
    workshops = _lock(held.values_list("workshop", flat=True), member)
    for workshop in workshops:
        for invitation in held.filter(workshop=workshop):
            _leave(workshop, invitation, at=at, by=by)
    if held.exists():
        raise _AnsweredMeanwhile
    return workshops


def _locked(invitation: Invitation) -> tuple[Workshop, Member, Invitation]:
    """The workshop, the member and everybody in line, held until the end; and this row, fresh."""
    (workshop,) = _lock([invitation.workshop_id], invitation.member)
    fresh = Invitation.objects.select_related("member").get(pk=invitation.pk)
    return workshop, fresh.member, fresh


def _lock(workshop_ids: Iterable[int], *members: Member) -> list[Workshop]:
    """
    The workshops, then these members and everybody in line, each in the order of their ids.

    All members in one statement: a place may pass on to any of those who wait, and two answers
    that took them one after the other could wait for each other.
    """
    workshops = list(Workshop.objects.locked().filter(pk__in=list(workshop_ids)).order_by("pk"))
    waiting = Invitation.objects.filter(workshop__in=workshops, answer=Answer.WAITING)
    ids = {*waiting.values_list("member", flat=True), *(member.pk for member in members)}
    list(Member.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    return workshops


def _check_not_cancelled(workshop: Workshop) -> None:
    if workshop.is_cancelled:
        raise WorkshopCancelled("This workshop is cancelled.")


def _check_not_over(workshop: Workshop, *, at: datetime) -> None:
    if at >= workshop.ends_at:
        raise WorkshopOver("This workshop is over. Its list stays as it was.")


def _check_role(member: Member, workshop: Workshop, *, role: Role) -> None:
    if role not in roles_of(member, workshop.chapter):
        raise NotSubscribed(
            f"Only who is subscribed to a {role.label.lower()} group of {workshop.chapter} can"
            f" come as a {role.label.lower()}."
        )


def _check_day(member: Member, workshop: Workshop) -> None:
    """One workshop a day, by the calendar of this workshop's chapter (planner's rule)."""
    day = workshop.local_start.date()
    zone = workshop.chapter.time_zone
    begins_at = datetime.combine(day, time.min, tzinfo=zone)
    ends_at = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
    other = (
        member.invitations.attending()
        .exclude(workshop=workshop)
        .filter(
            workshop__starts_at__gte=begins_at,
            workshop__starts_at__lt=ends_at,
            workshop__cancelled_at__isnull=True,
        )
        .select_related("workshop__chapter")
        .first()
    )
    if other:
        raise AnotherWorkshopThatDay(
            f"There is a place at {other.workshop.chapter} on the same day already."
            " Everybody can come to one workshop a day."
        )


def _check_place(workshop: Workshop, *, role: Role) -> None:
    places = overviews.places(workshop)[role]
    if places.is_full:
        taken = (
            f"All {places.capacity} places for {places.name} are taken."
            if places.capacity > 1
            else f"There is no free place for {places.name}."
        )
        raise WorkshopFull(
            f"{taken} When somebody cancels, you can take the place here.", for_organiser=taken
        )


def _leave(workshop: Workshop, invitation: Invitation, *, at: datetime, by: Member | None) -> None:
    freed = _role_of_place(invitation)
    _answer(
        invitation,
        Answer.DECLINED,
        role=Role(invitation.role),
        note=None,
        at=at,
        by=by,
    )
    _pass_on(workshop, freed, at=at)


def _role_of_place(invitation: Invitation) -> list[Role]:
    """The role in which the member has a place, if any."""
    return [Role(invitation.role)] if invitation.is_attending else []


def _pass_on(workshop: Workshop, roles: Iterable[Role], *, at: datetime) -> int:
    """Free places in these roles go to those in line, first come, first served."""
    given = 0
    for role in roles:
        left = overviews.places(workshop)[role].left
        for invitation in workshop.invitations.for_role(role).waiting().select_related("member"):
            if not left:
                break
            if not _may_have_a_place(invitation, workshop, at=at):
                continue
            _answer(invitation, Answer.ATTENDING, role=role, note=None, at=at)
            _write(invitation, Action.PLACE)
            left -= 1
            given += 1
    return given


def _may_have_a_place(invitation: Invitation, workshop: Workshop, *, at: datetime) -> bool:
    member = invitation.member
    try:
        _check_not_cancelled(workshop)
        check_member(member, at=at)
        _check_role(member, workshop, role=Role(invitation.role))
        _check_day(member, workshop)
    except Refused:
        return False
    return at < answers_until(workshop)  # later nobody could say that they cannot come after all


def _answer(
    invitation: Invitation,
    answer: Answer,
    *,
    role: Role,
    note: str | None,
    at: datetime,
    by: Member | None = None,
    override_reason: str = "",
) -> None:
    """Write the answer down, and who gave it; what an organiser did for an older one is over."""
    before = Answer(invitation.answer)
    invitation.answer = answer
    invitation.role = role
    if note is not None:
        invitation.note = note
    invitation.answer_number += 1
    invitation.answered_at = at
    invitation.answered_by = by
    invitation.override_reason = override_reason
    invitation.save(
        update_fields=[
            "answer",
            "role",
            "note",
            "answer_number",
            "answered_at",
            "answered_by",
            "override_reason",
        ]
    )
    activities.note(
        _in_words(answer, role=role, before=before, is_for_another=by is not None),
        by=by or invitation.member,
        workshop=invitation.workshop,
        member=invitation.member,
        remark=override_reason,
    )


def _in_words(answer: Answer, *, role: Role, before: Answer, is_for_another: bool) -> str:
    """What completes "Lena …", or "Asha …" where she did it for Lena."""
    as_what = f"as a {role.label.lower()}"
    if answer == Answer.ATTENDING:
        if is_for_another:
            return f"gave a place {as_what}"
        if before == Answer.WAITING:
            return f"got a place {as_what} from the waiting list"
        return f"is coming {as_what}"
    if answer == Answer.WAITING:
        return f"put on the waiting list {as_what}" if is_for_another else f"waits {as_what}"
    if not is_for_another:
        return "is not coming"
    return {
        Answer.ATTENDING: f"took back the place {as_what}",
        Answer.WAITING: f"took off the waiting list {as_what}",
    }.get(before, "noted a no")


def _note(invitation: Invitation, *, note: str | None) -> None:
    if note is not None and invitation.note != note:
        invitation.note = note
        invitation.save(update_fields=["note"])


def _write(invitation: Invitation, action: Action) -> None:
    """The letter about this answer; it leaves before all bulk."""
    InvitationLogger().single(
        member=invitation.member,
        workshop=invitation.workshop,
        action=action,
        occasion=str(invitation.answer_number),
    )
    transaction.on_commit(tasks.ring, robust=True)
