"""An organiser's letter to one member: missed workshops, or whether the member may come."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from invitations import tasks
from logs.models import Action
from logs.services import activities
from logs.services.logger import InvitationLogger
from members.models import Member, Notice

ACTIONS = {
    Notice.Kind.ATTENDANCE: Action.WARNING,
    Notice.Kind.ELIGIBILITY: Action.ELIGIBILITY,
}
DID = {
    Notice.Kind.ATTENDANCE: "sent an attendance warning",
    Notice.Kind.ELIGIBILITY: "sent an eligibility question",
}


class Refused(Exception):
    """No letter was written; `message` tells the organiser why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CannotBeReached(Refused): ...


@transaction.atomic
def send(
    member: Member, *, kind: Notice.Kind, by: Member, at: datetime, request_key: uuid.UUID
) -> Notice:
    """
    Warn the member about missed workshops, or ask whether they may come (planner's two letters).

    The same `request_key` again finds the same notice and sends nothing.

    :raises CannotBeReached: when no letter can get there
    """
    if member.closed_at is not None:
        raise CannotBeReached("This account is closed, so no letter can be sent.")
    if not member.is_reachable:
        raise CannotBeReached("No letter can be sent, since the address cannot be used.")
    notice, is_new = Notice.objects.get_or_create(
        request_key=request_key,
        defaults={"member": member, "kind": kind, "sent_by": by, "created_at": at},
    )
    if is_new:
        activities.note(DID[kind], by=by, member=member)
        InvitationLogger().single(
            member=member, workshop=None, action=ACTIONS[kind], occasion=str(notice.pk)
        )
        transaction.on_commit(tasks.ring, robust=True)
    return notice
