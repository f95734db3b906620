"""
Asking for an invitation: a member saw the workshop on the site and wants to come.

Nobody is given a place here, and no letter is written: the member gets the invitation that a
letter would have brought, and answers on its page, where `rsvps` decides under its locks.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from chapters.models import Role, Workshop
from chapters.queries import host_of
from invitations.models import Invitation
from invitations.services import rsvps, rules
from logs.services import activities
from members.models import Member


class NotYetGiven(rules.Refused):
    """Places at this workshop are not given so early, to nobody."""


def check_open(workshop: Workshop, *, at: datetime) -> None:
    """
    Whether members can ask to come.

    The moment from which places are given opens a workshop even where nobody is invited by letter
    (planner's rule).

    :raises NotYetGiven: before it is open, or while nobody knows where it is
    :raises rules.Refused: as `rules.check_open`
    """
    rules.check_open(workshop, at=at)
    if not workshop.is_invitable and workshop.rsvp_opens_at is None:
        raise NotYetGiven(_("Places are not given yet. Look again in a few days."))
    if not workshop.is_virtual and host_of(workshop) is None:
        raise NotYetGiven(_("The venue is not known yet. Places are given as soon as it is."))


@transaction.atomic
def ask(member: Member, workshop: Workshop, *, role: Role, at: datetime) -> Invitation:
    """
    The member's invitation to this workshop, made where there is none; its page has the answer.

    Asking twice leads to the same one, and whoever was invited in another role keeps it: its page
    offers both. A full workshop has a waiting list, so it is not refused here. Whoever asked and
    has not answered gets the letter of a later batch like everybody else.

    :raises rules.Refused: when places are not given now, or not to this member in this role
    """
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    existing = Invitation.objects.filter(workshop=workshop, member=member).first()
    if existing:
        return existing
    check_open(workshop, at=at)
    rules.check_member(member, at=at)
    rules.check_role(member, workshop, role=role)
    activities.note(
        f"asked for an invitation as a {role.label.lower()}", by=member, workshop=workshop
    )
    return rsvps.invitation_for(member, workshop, role=role)
