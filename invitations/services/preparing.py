"""
From a click to the ledger: one entry for everybody in the audience, in one transaction.

Whole or nothing, a handful of statements whatever the size of the chapter, and harmless when run
twice.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from chapters.models import Workshop
from invitations.models import RANDOM_OCTETS, derived_token
from invitations.queries import audiences
from invitations.services import guarding, inviting, repairing
from logs.locks import lock_workshop
from logs.models import Action, Audience, InvitationLog, LogStatus
from logs.services.logger import Also, InvitationLogger

if TYPE_CHECKING:
    from invitations.queries.audiences import Invitee

MOST_TRIES = 5
MOST_LEAVING = 5  # so often it is tried again because somebody left in that very moment
JUST_ELIGIBLE = "became eligible while the letters were prepared; invite them with one more click"
WRITTEN_TO = "has this letter already"


def prepare(log_id: int) -> bool:
    """
    Fill the log and let its letters leave.

    :returns: whether there are letters to send now
    """
    counted = InvitationLog.objects.filter(
        pk=log_id, status=LogStatus.PREPARING, prepare_tries__lt=MOST_TRIES
    ).update(prepare_tries=F("prepare_tries") + 1)
    if not counted:
        _give_up(log_id, f"It could not be prepared in {MOST_TRIES} tries.")
        return False
    try:
        return _fill_again_if_somebody_left(log_id)
    except guarding.TooMany as stopped:
        _give_up(log_id, str(stopped), tries=0)
        guarding.tell(log_id, stopped)
        return False
    except inviting.Refused as refusal:
        _give_up(log_id, refusal.message, tries=0)
        return False


def _fill_again_if_somebody_left(log_id: int) -> bool:
    """
    Whoever unsubscribes between the letters and the count looks like a stranger to it; several may,
    one after the other.

    :raises guarding.TooMany: as `guarding.check` does
    """
    for _ in range(MOST_LEAVING):
        with contextlib.suppress(guarding.Strangers):
            return _fill(log_id)
    return _fill(log_id)


@transaction.atomic
def _fill(log_id: int) -> bool:
    workshop = Workshop.objects.select_related("chapter").get(invitation_logs=log_id)
    lock_workshop(workshop.pk)
    _check_references_at_once()
    log = InvitationLog.objects.select_for_update(no_key=True).get(pk=log_id)
    if log.status != LogStatus.PREPARING:
        return False
    is_invitation = log.action == Action.INVITE
    if is_invitation:
        _check_again(log, workshop)
    audience = _audience(log, workshop)
    added = InvitationLogger().add_everybody(
        log, audience, also=_invite(workshop) if is_invitation else None
    )
    if added.left_over:
        InvitationLogger().add_left_over(
            log, audience, otherwise=JUST_ELIGIBLE if is_invitation else WRITTEN_TO
        )
    guarding.check(log, letters=added.letters)
    changes: dict[str, object] = {"status": LogStatus.RUNNING, "started_at": Now()}
    if not added.letters:
        changes |= {"status": LogStatus.COMPLETED, "finished_at": Now()}
    _let_go(log, letters=added.letters, **changes)
    return bool(added.letters)


def _check_references_at_once() -> None:
    """Half a million references, noted down and looked up at the commit, cost more than at once."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _let_go(log: InvitationLog, *, letters: int, **changes: object) -> None:
    """:raises guarding.Strangers: when PostgreSQL finds people who are not of this chapter"""
    try:
        InvitationLog.objects.filter(pk=log.pk).update(**changes)
    except IntegrityError as refused:
        raise guarding.Strangers(letters=letters) from refused


def _audience(log: InvitationLog, workshop: Workshop) -> QuerySet[Invitee]:
    """The people of another log, where this one is about that; else those of the workshop."""
    if log.about_id:
        return repairing.people_of(log)
    return audiences.audience_of(workshop, Audience(log.audience))


def _invite(workshop: Workshop) -> Also:
    """
    An invitation for whom nothing speaks against. One never delivered takes the role of this run.
    """
    token = derived_token(octets="secret.octets", member_id="person.id")
    return Also(
        f"""
        WITH secret AS MATERIALIZED (SELECT {RANDOM_OCTETS} AS octets)
        INSERT INTO invitations_invitation (workshop_id, member_id, role, token)
        SELECT %s, person.id, person.invited_as, {token}
        FROM person, secret WHERE person.reason = ''
        ORDER BY person.id
        ON CONFLICT (workshop_id, member_id) DO UPDATE SET role = excluded.role
        WHERE invitations_invitation.answer = ''
            AND invitations_invitation.role <> excluded.role
        """,  # noqa: S608 -- made of constants
        values=(workshop.pk,),
        columns=("invited_as",),
    )


def _check_again(log: InvitationLog, workshop: Workshop) -> None:
    """
    What was true when the letters were planned may be so no longer.

    :raises inviting.Refused: when nobody can be invited any more
    """
    if log.send_at:
        inviting.check(workshop, at=timezone.now())


def _give_up(log_id: int, reason: str, *, tries: int = MOST_TRIES) -> None:
    InvitationLog.objects.filter(
        pk=log_id, status=LogStatus.PREPARING, prepare_tries__gte=tries
    ).update(status=LogStatus.FAILED, reason=reason, finished_at=Now())
