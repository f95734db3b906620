"""
Which letters a sender takes in hand.

What an organiser or a member changed between the click and this moment counts: whoever must not
get the letter any more is skipped here, with the reason, and an address is read here and no sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from invitations.queries import audiences, reminders
from logs.models import Action
from logs.services import slots
from logs.services.slots import HeldSlot
from members.models import FAILING

WORKSHOP_CANCELLED = "The workshop was cancelled."
WORKSHOP_BEGUN = "The workshop has begun."
OUTDATED = "A later answer has replaced this one."
ANSWERED_ANEW = "has given another answer since"
CHANGED_AGAIN = "A later change has replaced this one."
NOT_CANCELLED = "The workshop takes place after all."
MOVED = "The workshop has moved since."
ANSWERS_CLOSED = "Answers are closed."
JUST_ANSWERED = "has answered a few hours ago"
WAS_NOT_HERE = "is not marked as here any more"

# `i` is the invitation of entry `e`; the rest is named as in slots.IS_OPEN, `m` is the member.
# Who asks people to come, `asks`, writes to nobody who may not, or does not want such letters. An
# apology or correction, which `first` was the letter of, goes by what that one did; and who turned
# away since it, instead of who never was subscribed and got it by our mistake, is left alone.
_REASON = f"""
    CASE
        WHEN m.closed_at IS NOT NULL THEN %(closed)s
        WHEN asks.people AND EXISTS (
            SELECT FROM members_ban b
            WHERE b.member_id = m.id AND (b.is_permanent OR b.expires_at > now())
        ) THEN %(banned)s
        WHEN asks.people AND m.accepted_terms_at IS NULL THEN %(no_terms)s
        WHEN m.address_unusable_at IS NOT NULL AND m.address_unusable_reason <> %(failing)s
            THEN %(no_address)s
        WHEN (m.address_unusable_at IS NOT NULL OR m.complained_at IS NOT NULL)
            AND NOT (e.log_id IS NULL AND e.action = ANY(%(answers)s)) THEN %(no_address)s
        WHEN e.action IN ('feedback', 'hello', 'welcome') AND NOT EXISTS (
            SELECT FROM chapters_subscription s JOIN chapters_group g ON g.id = s.group_id
            WHERE s.member_id = m.id AND g.role =
                CASE e.action WHEN 'hello' THEN 'student' WHEN 'welcome' THEN e.occasion
                    ELSE g.role END
        ) THEN %(unsubscribed)s
        WHEN e.about_id IS NOT NULL THEN CASE
            WHEN asks.people AND EXISTS (
                SELECT FROM chapters_departure d JOIN chapters_group g ON g.id = d.group_id
                WHERE d.member_id = m.id AND g.chapter_id = about.chapter_id
                    AND d.left_at >= first.created_at
            ) AND NOT EXISTS (
                SELECT FROM chapters_subscription s JOIN chapters_group g ON g.id = s.group_id
                WHERE s.member_id = m.id AND g.chapter_id = about.chapter_id
            ) THEN %(unsubscribed)s
            ELSE '' END
        WHEN e.workshop_id IS NULL OR e.action = 'test' THEN ''
        WHEN e.action = 'cancellation' AND w.cancelled_at IS NULL THEN %(not_cancelled)s
        WHEN e.action <> 'cancellation' AND w.cancelled_at IS NOT NULL THEN %(workshop_cancelled)s
        WHEN e.action NOT IN ('cancellation', 'message', 'feedback') AND w.starts_at <= now()
            THEN %(workshop_begun)s
        WHEN e.action IN ('reminder', 'nudge')
            AND e.occasion <> {reminders.occasion_in_sql("w.starts_at")} THEN %(moved)s
        WHEN (e.action IN ('invite', 'nudge') OR e.action = 'reminder' AND e.audience = 'waiting')
            AND w.rsvp_closes_at <= now() THEN %(answers_closed)s
        WHEN e.action = 'feedback' AND i.attended_at IS NULL THEN %(was_not_here)s
        WHEN e.action = 'invite' AND i.answer <> '' THEN %(answered)s
        WHEN asks.people AND e.action <> 'feedback' AND NOT EXISTS (
            SELECT FROM chapters_subscription s JOIN chapters_group g ON g.id = s.group_id
            WHERE s.member_id = m.id AND g.chapter_id = w.chapter_id AND g.role = i.role
        ) THEN %(unsubscribed)s
        WHEN e.action IN ('confirmation', 'place')
            AND (e.occasion <> i.answer_number::text OR i.answer <> 'attending') THEN %(outdated)s
        WHEN e.action IN ('declined', 'waiting')
            AND (e.occasion <> i.answer_number::text OR i.answer <> e.action) THEN %(outdated)s
        WHEN e.action = 'change' AND e.occasion <> w.sequence::text AND EXISTS (
            SELECT FROM logs_invitationlog newer
            WHERE newer.workshop_id = w.id AND newer.action = 'change'
                AND newer.occasion = w.sequence::text
        ) THEN %(changed_again)s
        WHEN e.audience IN ('attending', 'waiting') AND i.answer <> e.audience
            OR e.audience = 'unanswered' AND i.answer <> '' THEN %(answered_anew)s
        WHEN e.action = 'reminder' AND i.answered_at > e.created_at - %(still_fresh)s
            THEN %(just_answered)s
        ELSE ''
    END
"""  # noqa: S608 -- made of constants; every value is a parameter

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
            e.tries, e.created_at, l.audience, l.about_id
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
            m.id AS member_id, m.email, m.name, m.language,
            coalesce(
                CASE e.action WHEN 'feedback' THEN (
                    SELECT f.token FROM invitations_feedbackrequest f WHERE f.invitation_id = i.id
                ) ELSE i.token END, ''
            ) AS token, {_REASON} AS reason,
            CASE
                WHEN e.action = 'test' THEN split_part(e.occasion, ' ', 1)
                WHEN e.about_id IS NOT NULL THEN coalesce(i.role, 'student')
                ELSE i.role END AS role,
            (
                SELECT g.role
                FROM chapters_subscription s JOIN chapters_group g ON g.id = s.group_id
                WHERE s.member_id = m.id AND g.chapter_id = w.chapter_id AND g.role <> i.role
                LIMIT 1
            ) AS other_role,
            coalesce(i.answer_number, 0) AS answer_number,
            e.action = 'declined' AND EXISTS (
                SELECT FROM logs_invitationlogentry given
                WHERE given.workshop_id = e.workshop_id AND given.member_id = e.member_id
                    AND given.action IN ('confirmation', 'place')
                    AND given.status IN ('sending', 'success', 'unknown')
            ) AS had_place,
            e.action = 'declined' AND coalesce(i.answered_by_id <> m.id, false) AS is_taken_off,
            first.message_id AS first_message_id
        FROM due e
        JOIN members_member m ON m.id = e.member_id
        LEFT JOIN chapters_workshop w ON w.id = e.workshop_id
        LEFT JOIN invitations_invitation i
            ON i.workshop_id = e.workshop_id AND i.member_id = e.member_id
        LEFT JOIN logs_invitationlog about ON about.id = e.about_id
        LEFT JOIN logs_invitationlogentry first
            ON first.log_id = e.about_id AND first.member_id = e.member_id
        CROSS JOIN LATERAL (
            SELECT e.action IN ('invite', 'feedback', 'hello', 'welcome')
                OR coalesce(e.audience, '') = 'unanswered'
                OR e.about_id IS NOT NULL AND about.audience NOT IN ('attending', 'waiting')
                AS people
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
        message_id, tries, member_id, email, name, token, language, answer_number,
        had_place, is_taken_off, first_message_id
    FROM judged ORDER BY id
"""  # noqa: S608 -- made of constants; every value is a parameter

# What tells somebody about a step of their own. It also goes where a letter was marked as unwanted,
# or where letters came back for a while; nothing goes to an address that does not exist.
ANSWERS = (Action.CONFIRMATION, Action.PLACE, Action.DECLINED, Action.WAITING, Action.WELCOME)

_REASONS = {
    "answers": [action.value for action in ANSWERS],
    "failing": FAILING,
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
    "moved": MOVED,
    "answers_closed": ANSWERS_CLOSED,
    "just_answered": JUST_ANSWERED,
    "still_fresh": reminders.STILL_FRESH,
    "was_not_here": WAS_NOT_HERE,
}


@dataclass(frozen=True)
class Letter:
    """
    A letter in hand: whom it is for, as what they may come, and what it is about. They `had_place`
    where a letter has told them so that this one takes back; they are `is_taken_off` where an
    organiser did that. Of an apology or correction there is the Message-ID of the first letter.

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
    language: str
    answer_number: int
    had_place: bool
    is_taken_off: bool
    first_message_id: UUID | None

    @property
    def about(self) -> tuple[object, ...]:
        """What it tells, to whomever: its log, or else its workshop or occasion."""
        return (self.log_id, self.workshop_id, "" if self.workshop_id else self.occasion)


@transaction.atomic
def claim(
    slot: HeldSlot, accepted: Mapping[int, int], *, limit: int, smtp_ms: int = 0
) -> tuple[list[Letter], bool]:
    """
    Record what was accepted, and take the next letters in hand, in ascending entry id.

    :param smtp_ms: the milliseconds that the mail server took for what it accepted
    :returns: the letters, and whether anything at all was due (some may have been skipped)
    :raises Lost: when the lease ran out; then nothing is written
    """
    slots.plan_cursor_anew()
    slots.renew(slot)
    slots.record_accepted(slot, accepted, smtp_ms=smtp_ms)
    slots.give_back(slot.token)
    values: dict[str, Any] = {
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
