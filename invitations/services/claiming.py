"""
Which letters a sender takes in hand.

What an organiser or a member changed between the click and this moment counts: whoever must not
get the letter any more is skipped here, with the reason, and an address is read here and no sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from invitations.queries import audiences
from logs.models import Action
from logs.services import slots
from logs.services.slots import HeldSlot

WORKSHOP_CANCELLED = "The workshop was cancelled."
WORKSHOP_BEGUN = "The workshop has begun."
OUTDATED = "A later answer has replaced this one."
ANSWERED_ANEW = "has given another answer since"
CHANGED_AGAIN = "A later change has replaced this one."
NOT_CANCELLED = "The workshop takes place after all."

# `i` is the invitation of entry `e`; the rest is named as in slots.IS_OPEN, `m` is the member.
# Who asks people to come, `asks`, writes to nobody who may not, or does not want such letters.
_REASON = """
    CASE
        WHEN m.closed_at IS NOT NULL THEN %(closed)s
        WHEN asks.people AND EXISTS (
            SELECT FROM members_ban b
            WHERE b.member_id = m.id AND (b.is_permanent OR b.expires_at > now())
        ) THEN %(banned)s
        WHEN asks.people AND m.accepted_terms_at IS NULL THEN %(no_terms)s
        WHEN m.address_unusable_at IS NOT NULL THEN %(no_address)s
        WHEN e.workshop_id IS NULL OR e.action = 'test' THEN ''
        WHEN e.action = 'cancellation' AND w.cancelled_at IS NULL THEN %(not_cancelled)s
        WHEN e.action <> 'cancellation' AND w.cancelled_at IS NOT NULL THEN %(workshop_cancelled)s
        WHEN e.action NOT IN ('cancellation', 'message') AND w.starts_at <= now()
            THEN %(workshop_begun)s
        WHEN e.action = 'invite' AND i.answer <> '' THEN %(answered)s
        WHEN asks.people AND NOT EXISTS (
            SELECT FROM chapters_subscription s JOIN chapters_group g ON g.id = s.group_id
            WHERE s.member_id = m.id AND g.chapter_id = w.chapter_id AND g.role = i.role
        ) THEN %(unsubscribed)s
        WHEN e.action IN ('confirmation', 'place')
            AND (e.occasion <> i.answer_number::text OR i.answer <> 'attending') THEN %(outdated)s
        WHEN e.action = 'change' AND e.occasion <> w.sequence::text AND EXISTS (
            SELECT FROM logs_invitationlog newer
            WHERE newer.workshop_id = w.id AND newer.action = 'change'
                AND newer.occasion = w.sequence::text
        ) THEN %(changed_again)s
        WHEN e.audience IN ('attending', 'waiting') AND i.answer <> e.audience
            OR e.audience = 'unanswered' AND i.answer <> '' THEN %(answered_anew)s
        ELSE ''
    END
"""

# Whatever PostgreSQL believes about a table that has just been filled, it must walk along
# `entries_to_claim` and stop at the limit, not sort all that waits for each claim.
_ALONG_THE_INDEX = """
    SELECT set_config(name, 'off', true) FROM unnest(ARRAY[
        'enable_sort', 'enable_bitmapscan', 'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'
    ]) AS name
"""

_CLAIM = f"""
    WITH due AS MATERIALIZED (
        SELECT e.id, e.log_id, e.workshop_id, e.member_id, e.action, e.occasion, e.message_id,
            e.tries, l.audience
        FROM logs_invitationlogentry e
        LEFT JOIN logs_invitationlog l ON l.id = e.log_id
        LEFT JOIN chapters_workshop w ON w.id = e.workshop_id
        WHERE e.status = 'pending' AND e.due_at <= now() AND e.priority <= %(priority)s
            AND {slots.IS_OPEN}
        ORDER BY e.priority, e.log_id, e.id
        LIMIT %(limit)s
        FOR UPDATE OF e SKIP LOCKED
    ), judged AS MATERIALIZED (
        SELECT e.id, e.log_id, e.workshop_id, e.action, e.occasion, e.message_id, e.tries,
            m.id AS member_id, m.email, m.name,
            coalesce(i.token, '') AS token, {_REASON} AS reason,
            CASE e.action WHEN 'test' THEN split_part(e.occasion, ' ', 1) ELSE i.role END AS role,
            (
                SELECT g.role
                FROM chapters_subscription s JOIN chapters_group g ON g.id = s.group_id
                WHERE s.member_id = m.id AND g.chapter_id = w.chapter_id AND g.role <> i.role
                LIMIT 1
            ) AS other_role
        FROM due e
        JOIN members_member m ON m.id = e.member_id
        LEFT JOIN chapters_workshop w ON w.id = e.workshop_id
        LEFT JOIN invitations_invitation i
            ON i.workshop_id = e.workshop_id AND i.member_id = e.member_id
        CROSS JOIN LATERAL (
            SELECT e.action = 'invite' OR coalesce(e.audience, '') = 'unanswered' AS people
        ) AS asks
    ), skipped AS (
        UPDATE logs_invitationlogentry e
        SET status = 'skipped', reason = judged.reason, changed_at = now()
        FROM judged WHERE e.id = judged.id AND judged.reason <> ''
    ), taken AS (
        UPDATE logs_invitationlogentry e
        SET status = 'sending', lease = %(token)s, changed_at = now()
        FROM judged WHERE e.id = judged.id AND judged.reason = ''
    )
    SELECT reason = '' AS is_taken, role, other_role, id, log_id, workshop_id, action, occasion,
        message_id, tries, member_id, email, name, token
    FROM judged ORDER BY id
"""  # noqa: S608 -- made of constants; every value is a parameter

_REASONS = {
    "closed": audiences.CLOSED,
    "banned": audiences.BANNED,
    "no_terms": audiences.NO_TERMS,
    "no_address": audiences.NO_ADDRESS,
    "answered": audiences.ANSWERED,
    "workshop_cancelled": WORKSHOP_CANCELLED,
    "workshop_begun": WORKSHOP_BEGUN,
    "unsubscribed": audiences.UNSUBSCRIBED,
    "outdated": OUTDATED,
    "answered_anew": ANSWERED_ANEW,
    "changed_again": CHANGED_AGAIN,
    "not_cancelled": NOT_CANCELLED,
}


@dataclass(frozen=True)
class Letter:
    """
    A letter in hand: whom it is for, as what they may come, and what it is about.

    As the rows say it; whoever writes the letter finds out whether that makes sense, so that one
    bad row cannot stop the claim of all the others.
    """

    role: str | None
    other_role: str | None
    entry_id: int
    log_id: int | None
    workshop_id: int | None
    action: Action
    occasion: str
    message_id: UUID
    tries: int
    member_id: int
    address: str
    name: str
    token: str

    @property
    def about(self) -> tuple[object, ...]:
        """What its words depend on, besides the role: its log, or else its workshop or occasion."""
        return (self.log_id, self.workshop_id, "" if self.workshop_id else self.occasion)


@transaction.atomic
def claim(slot: HeldSlot, accepted: Mapping[int, int], *, limit: int) -> tuple[list[Letter], bool]:
    """
    Record what was accepted, and take the next letters in hand, in ascending entry id.

    :returns: the letters, and whether anything at all was due (some may have been skipped)
    :raises Lost: when the lease ran out; then nothing is written
    """
    slots.plan_cursor_anew()
    slots.renew(slot)
    slots.record_accepted(slot, accepted)
    slots.give_back(slot.token)
    values = {
        "priority": 0 if slot.nr == 1 else 1,
        "limit": limit,
        "token": slot.token,
        **_REASONS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ALONG_THE_INDEX)
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
    return [Letter(*letter) for is_taken, *letter in rows if is_taken], bool(rows)
