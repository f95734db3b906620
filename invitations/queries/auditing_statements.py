"""
What the audit asks PostgreSQL: a statement for each kind, written by hand.

Each has the columns of `auditing.Breach`. `docs/audit.md` says what each of them can prove.
"""

from __future__ import annotations

# Clocks of two machines differ, and a transaction takes its time: what is closer together than
# this may have happened in either order.
_GRACE = "interval '5 minutes'"
_SHORT = "interval '15 minutes'"
_LONG = "interval '1 hour'"

# What belongs to one workshop, along the indexes: entries by their logs, single letters by it.
_OF_WORKSHOP = {
    "entries": """
        (e.log_id = ANY (ARRAY(SELECT id FROM logs_invitationlog WHERE workshop_id = %(workshop)s))
            OR e.log_id IS NULL AND e.workshop_id = %(workshop)s)
    """,
    "logs": "l.workshop_id = %(workshop)s",
    "workshops": "w.id = %(workshop)s",
    "invitations": "i.workshop_id = %(workshop)s",
}
_OF_ALL = dict.fromkeys(_OF_WORKSHOP, "true")

IN_DOUBT = "the letter is in doubt"

# Of invitation `i`: that whom its workshop's letters went to is not known any more.
_IS_FORGOTTEN = """
    SELECT FROM logs_invitationlog gone
    WHERE gone.workshop_id = i.workshop_id AND gone.action = 'invite'
        AND gone.forgotten_at IS NOT NULL
"""

# Everybody who can be invited now, of groups whose button was pressed and has done its work, and
# who was not: not even a letter that waits. Workshops to come only: who could have been invited to
# one of the past, nobody knows any more. What was imported was another system's to answer for.
MISSING = """
    WITH invited AS MATERIALIZED (
        SELECT w.id AS workshop_id, w.chapter_id, r.role,
            max(coalesce(l.started_at, l.created_at)) FILTER (WHERE l.status = 'completed') AS at,
            max(l.id) FILTER (WHERE l.status = 'completed') AS log_id
        FROM chapters_workshop w
        JOIN logs_invitationlog l ON l.workshop_id = w.id AND l.action = 'invite'
            AND l.source <> 'import'
        JOIN (VALUES ('student', 'students'), ('student', 'everyone'),
            ('coach', 'coaches'), ('coach', 'everyone')) AS r (role, audience)
            ON r.audience = l.audience
        WHERE w.starts_at > now() AND w.cancelled_at IS NULL AND {workshops}
        GROUP BY w.id, r.role
        HAVING bool_or(l.status = 'completed')
            AND NOT bool_or(l.status IN ('scheduled', 'preparing'))
    ), eligible AS MATERIALIZED (
        SELECT invited.workshop_id, s.member_id, max(invited.log_id) AS log_id,
            bool_or(s.created_at < invited.at - {grace}) AS was_there
        FROM invited
        JOIN chapters_group g ON g.chapter_id = invited.chapter_id AND g.role = invited.role
        JOIN chapters_subscription s ON s.group_id = g.id
        JOIN members_member m ON m.id = s.member_id
        WHERE m.closed_at IS NULL AND m.accepted_terms_at IS NOT NULL
            AND m.address_unusable_at IS NULL AND m.complained_at IS NULL
            AND NOT EXISTS (
                SELECT FROM members_ban b
                WHERE b.member_id = m.id AND (b.is_permanent OR b.expires_at > now())
            )
        GROUP BY invited.workshop_id, s.member_id
    ), missing AS MATERIALIZED (
        SELECT p.* FROM eligible p
        WHERE NOT EXISTS (
            SELECT FROM logs_invitationlogentry e
            WHERE e.workshop_id = p.workshop_id AND e.member_id = p.member_id
                AND e.action = 'invite' AND e.status IN ('pending', 'sending', 'success')
        ) AND NOT EXISTS (
            SELECT FROM invitations_invitation i
            WHERE i.workshop_id = p.workshop_id AND i.member_id = p.member_id AND i.answer <> ''
        )
    ), outcome AS MATERIALIZED (
        SELECT DISTINCT ON (e.workshop_id, e.member_id)
            e.workshop_id, e.member_id, e.log_id, e.id, e.status, e.reason
        FROM logs_invitationlogentry e JOIN logs_invitationlog l ON l.id = e.log_id
        WHERE l.workshop_id IN (SELECT workshop_id FROM invited) AND l.action = 'invite'
            AND e.status NOT IN ('pending', 'sending', 'success')
        ORDER BY e.workshop_id, e.member_id, e.status = 'unknown' DESC, e.id DESC
    ), explained AS (
        SELECT p.workshop_id, p.member_id, p.was_there, coalesce(e.log_id, p.log_id) AS log_id,
            e.id AS entry_id, e.status, e.reason,
            EXISTS (
                SELECT FROM invitations_invitation i
                WHERE i.workshop_id = p.workshop_id AND i.member_id = p.member_id
            ) AS has_invitation
        FROM missing p
        LEFT JOIN outcome e ON e.workshop_id = p.workshop_id AND e.member_id = p.member_id
    )
    SELECT 'not_invited' AS kind,
        entry_id IS NOT NULL OR NOT was_there AND NOT has_invitation AS is_open,
        CASE
            WHEN status = 'unknown' THEN '{in_doubt}'
            WHEN status = 'failed' THEN 'the letter failed'
            WHEN status = 'cancelled' THEN 'the letter was cancelled'
            WHEN status = 'skipped' THEN 'was left out at the time: ' || reason
            WHEN has_invitation THEN 'has an invitation, and no letter was ever written'
            WHEN was_there THEN 'was forgotten: subscribed at the time, and not in the log'
            ELSE 'became eligible since'
        END AS reason, workshop_id, log_id, entry_id, member_id
    FROM explained
"""

_LEFT = "('sending', 'success', 'unknown')"

# Letters that left, and invitations nobody answered, to people who could not have been invited at
# any moment between the entry and its outcome. What may have changed meanwhile is no proof. Who
# left a group is remembered until it is deleted, which its chapter's history says.
_NOT_ELIGIBLE = """
    WITH asked AS (
        SELECT e.workshop_id, e.member_id, e.log_id, e.id AS entry_id,
            e.created_at AS since, e.changed_at AS until
        FROM logs_invitationlogentry e
        WHERE e.action = 'invite' AND e.workshop_id IS NOT NULL AND e.status IN {left}
            AND {entries}
        UNION ALL
        SELECT i.workshop_id, i.member_id, NULL, NULL, i.created_at, i.created_at
        FROM invitations_invitation i
        WHERE i.answer = '' AND i.answer_number = 0 AND {invitations}
            AND EXISTS (
                SELECT FROM logs_invitationlog l
                WHERE l.workshop_id = i.workshop_id AND l.action = 'invite'
                    AND l.source <> 'import' AND l.created_at <= i.created_at
            )
            AND NOT EXISTS (
                SELECT FROM logs_invitationlogentry e
                WHERE e.workshop_id = i.workshop_id AND e.member_id = i.member_id
                    AND e.action = 'invite' AND e.status IN {left}
            )
            AND NOT EXISTS ({forgotten})
    ), doubtful AS MATERIALIZED (
        SELECT asked.*, w.chapter_id, belongs.member_id IS NOT NULL AS is_subscribed
        FROM asked
        JOIN members_member m ON m.id = asked.member_id
        JOIN chapters_workshop w ON w.id = asked.workshop_id
        LEFT JOIN logs_invitationlog l ON l.id = asked.log_id
        LEFT JOIN (
            SELECT DISTINCT s.member_id, g.chapter_id
            FROM chapters_subscription s JOIN chapters_group g ON g.id = s.group_id
        ) belongs ON belongs.member_id = m.id AND belongs.chapter_id = w.chapter_id
        LEFT JOIN (SELECT DISTINCT b.member_id FROM members_ban b) ban ON ban.member_id = m.id
        WHERE l.source IS DISTINCT FROM 'import' AND (
            belongs.member_id IS NULL OR ban.member_id IS NOT NULL OR m.closed_at IS NOT NULL
            OR m.accepted_terms_at IS NULL OR m.address_unusable_at IS NOT NULL
            OR m.complained_at IS NOT NULL
        )
    ), judged AS (
        SELECT d.*, CASE
            WHEN m.closed_at < d.since - {grace} THEN 'the account was closed'
            WHEN EXISTS (
                SELECT FROM members_ban b
                WHERE b.member_id = m.id AND b.created_at < d.since - {grace}
                    AND (b.is_permanent OR b.expires_at > d.until + {grace})
            ) THEN 'was banned'
            WHEN m.accepted_terms_at IS NULL AND m.closed_at IS NULL
                THEN 'has not accepted the terms'
            WHEN m.address_unusable_at < d.since - {grace} THEN 'the address was unusable'
            WHEN m.complained_at < d.since - {grace} THEN 'marked a letter as unwanted'
            WHEN NOT d.is_subscribed AND m.closed_at IS NULL AND NOT EXISTS (
                SELECT FROM chapters_departure left_it JOIN chapters_group g
                    ON g.id = left_it.group_id
                WHERE left_it.member_id = m.id AND g.chapter_id = d.chapter_id
                    AND left_it.left_at > d.since - {grace}
            ) AND NOT EXISTS (
                SELECT FROM logs_activity a
                WHERE a.chapter_id = d.chapter_id AND a.did LIKE 'deleted the group %%'
                    AND a.at > d.since - {grace}
            ) THEN 'was not subscribed to this chapter'
        END AS reason
        FROM doubtful d JOIN members_member m ON m.id = d.member_id
    )
    SELECT 'not_eligible', false, reason, workshop_id, log_id, entry_id, member_id
    FROM judged WHERE reason IS NOT NULL
"""

# The link in such a letter leads nowhere.
_NO_INVITATION = """
    SELECT 'no_invitation', false, 'a letter left to somebody without an invitation',
        e.workshop_id, e.log_id, e.id, e.member_id
    FROM logs_invitationlogentry e
    WHERE e.workshop_id IS NOT NULL AND e.status IN {left} AND {entries}
        AND e.action IN ('invite', 'confirmation', 'place', 'declined', 'waiting', 'reminder',
            'nudge', 'feedback', 'change', 'cancellation', 'message')
        AND NOT EXISTS (
            SELECT FROM invitations_invitation i
            WHERE i.workshop_id = e.workshop_id AND i.member_id = e.member_id
        )
        AND NOT EXISTS (
            SELECT FROM logs_invitationlog l WHERE l.id = e.log_id AND l.source = 'import'
        )
"""

_NO_ANSWER = """
    SELECT 'no_answer', false,
        CASE WHEN e.answer_code IS NULL THEN 'counts as sent without an answer of the mail server'
            ELSE 'counts as sent, and the mail server said ' || e.answer_code END,
        e.workshop_id, e.log_id, e.id, e.member_id
    FROM logs_invitationlogentry e
    WHERE e.status = 'success' AND NOT e.is_settled
        AND coalesce(e.answer_code, 0) NOT BETWEEN 200 AND 299 AND {entries}
"""

_NO_REASON = """
    SELECT 'no_reason', false,
        CASE WHEN e.status IN ('failed', 'skipped') THEN 'got no letter, and nothing says why'
            ELSE 'may have arrived twice or not at all, and nothing says so' END,
        e.workshop_id, e.log_id, e.id, e.member_id
    FROM logs_invitationlogentry e
    WHERE (e.status IN ('failed', 'skipped', 'unknown') OR e.doubts > 0)
        AND btrim(e.reason) = '' AND {entries}
"""

_LIVE = "('pending', 'sending', 'success', 'unknown')"

_DUPLICATES = """
    SELECT 'duplicate', false,
        count(*) || ' letters of one occasion, the first is entry ' || min(e.id),
        e.workshop_id, max(e.log_id), max(e.id), e.member_id
    FROM logs_invitationlogentry e
    WHERE e.status IN {live} AND {entries}
    GROUP BY e.workshop_id, e.member_id, e.action, e.occasion HAVING count(*) > 1
    UNION ALL
    SELECT 'duplicate', false, count(*) || ' times in one log', max(e.workshop_id), e.log_id,
        max(e.id), e.member_id
    FROM logs_invitationlogentry e
    WHERE e.log_id IS NOT NULL AND {entries}
    GROUP BY e.log_id, e.member_id
    HAVING count(*) > 1 AND count(*) FILTER (WHERE e.status IN {live}) < 2
    UNION ALL
    SELECT 'duplicate', false, count(*) || ' rows of one single letter', e.workshop_id, NULL,
        max(e.id), e.member_id
    FROM logs_invitationlogentry e
    WHERE e.log_id IS NULL AND {entries}
    GROUP BY e.workshop_id, e.member_id, e.action, e.occasion
    HAVING count(*) > 1 AND count(*) FILTER (WHERE e.status IN {live}) < 2
    UNION ALL
    SELECT 'duplicate', false, count(*) || ' invitations of one person', i.workshop_id, NULL, NULL,
        i.member_id
    FROM invitations_invitation i WHERE {invitations}
    GROUP BY i.workshop_id, i.member_id HAVING count(*) > 1
    UNION ALL
    SELECT 'duplicate', false, count(*) || ' live logs write to the same people', l.workshop_id,
        max(l.id), NULL, NULL
    FROM logs_invitationlog l
    WHERE l.status IN ('scheduled', 'preparing', 'running', 'paused') AND {logs}
    GROUP BY l.workshop_id, l.chapter_id, l.audience, l.action, l.occasion HAVING count(*) > 1
"""

_DUPLICATE_PEOPLE = """
    SELECT 'duplicate', false, count(*) || ' subscriptions to group ' || s.group_id, NULL::bigint,
        NULL::bigint, NULL::bigint, s.member_id
    FROM chapters_subscription s
    GROUP BY s.member_id, s.group_id HAVING count(*) > 1
    UNION ALL
    SELECT 'duplicate', false, 'the same address as member ' || min(m.id), NULL, NULL, NULL,
        max(m.id)
    FROM members_member m
    GROUP BY lower(btrim(m.email)) HAVING count(*) > 1
"""

_STUCK = """
    SELECT 'stuck', false, 'being sent, and nobody has it in hand', e.workshop_id, e.log_id, e.id,
        e.member_id
    FROM logs_invitationlogentry e
    WHERE e.status = 'sending' AND {entries}
        AND NOT EXISTS (SELECT FROM logs_slot s WHERE s.token = e.lease)
    UNION ALL
    SELECT 'stuck', false, 'the log is over, and this letter has still to go', e.workshop_id,
        e.log_id, e.id, e.member_id
    FROM logs_invitationlogentry e JOIN logs_invitationlog l ON l.id = e.log_id
    WHERE e.status IN ('pending', 'sending') AND {entries}
        AND (l.status IN ('completed', 'failed') OR l.status = 'cancelled'
            AND l.finished_at IS NOT NULL)
    UNION ALL
    SELECT 'stuck', false, 'is being prepared for more than 15 minutes', l.workshop_id, l.id, NULL,
        NULL
    FROM logs_invitationlog l
    WHERE l.status = 'preparing' AND {logs}
        AND greatest(l.created_at, l.send_at) < now() - {short}
    UNION ALL
    SELECT 'stuck', false, 'should have left more than 15 minutes ago', l.workshop_id, l.id, NULL,
        NULL
    FROM logs_invitationlog l
    WHERE l.status = 'scheduled' AND l.send_at < now() - {short} AND {logs}
    UNION ALL
    SELECT 'stuck', false, 'runs with nobody left to write to', l.workshop_id, l.id, NULL, NULL
    FROM logs_invitationlog l
    WHERE l.status = 'running' AND l.started_at < now() - {short} AND {logs}
        AND NOT EXISTS (
            SELECT FROM logs_invitationlogentry e
            WHERE e.log_id = l.id AND (e.status IN ('pending', 'sending')
                OR e.changed_at > now() - {short})
        )
    UNION ALL
    SELECT 'stuck', false, waiting.letters || ' letters could leave for an hour, and none does',
        waiting.workshop_id, waiting.log_id, waiting.entry_id, NULL
    FROM (
        SELECT e.workshop_id, e.log_id, min(e.id) AS entry_id, count(*) AS letters
        FROM logs_invitationlogentry e
        LEFT JOIN logs_invitationlog l ON l.id = e.log_id
        LEFT JOIN chapters_workshop w ON w.id = e.workshop_id
        WHERE e.status = 'pending' AND e.due_at < now() - {long} AND {entries}
            AND (e.log_id IS NULL OR l.status = 'running')
            AND EXISTS (SELECT FROM logs_switch s WHERE s.chapter_id IS NULL AND s.is_on)
            AND NOT EXISTS (
                SELECT FROM logs_switch s
                WHERE NOT s.is_on AND s.chapter_id = coalesce(l.chapter_id, w.chapter_id)
            )
            AND NOT EXISTS (SELECT FROM logs_hold h WHERE h.since IS NOT NULL)
        GROUP BY e.workshop_id, e.log_id
    ) waiting
    WHERE NOT EXISTS (
        SELECT FROM logs_invitationlogentry e
        WHERE waiting.letters > 0 AND e.changed_at > now() - {long}
            AND e.status IN ('success', 'failed', 'unknown')
    )
"""

_STUCK_CONNECTIONS = """
    SELECT 'stuck', false, 'connection ' || s.nr || ' is held by a sender that is long gone',
        NULL::bigint, NULL::bigint, s.cursor, NULL::bigint
    FROM logs_slot s
    WHERE s.token IS NOT NULL AND coalesce(s.until, '-infinity') < now() - {short}
"""

_COUNTS = """
    SELECT 'counts', false,
        count(*) || ' entries are in a state that means nothing, so the sum is short',
        max(e.workshop_id), e.log_id, min(e.id), NULL::bigint
    FROM logs_invitationlogentry e
    WHERE {entries} AND e.status NOT IN ('pending', 'sending', 'success', 'failed', 'skipped',
        'unknown', 'cancelled')
    GROUP BY e.log_id
    UNION ALL
    SELECT 'counts', false,
        sums.letters || ' letters, and the organiser was shown ' || l.seen_count,
        l.workshop_id, l.id, NULL, NULL
    FROM logs_invitationlog l
    CROSS JOIN LATERAL (
        SELECT count(*) AS letters FROM logs_invitationlogentry e
        WHERE e.log_id = l.id AND e.status <> 'skipped'
    ) sums
    WHERE l.seen_count IS NOT NULL AND l.send_at IS NULL AND l.status <> 'failed' AND {logs}
        AND sums.letters > ceil(l.seen_count * 1.02)
    UNION ALL
    SELECT 'counts', false, 'invited by a log, and in none of them', i.workshop_id, NULL, NULL,
        i.member_id
    FROM invitations_invitation i JOIN chapters_workshop w ON w.id = i.workshop_id
    WHERE i.answer = '' AND i.answer_number = 0 AND {invitations}
        AND (w.starts_at <= now() OR w.cancelled_at IS NOT NULL)
        AND EXISTS (
            SELECT FROM logs_invitationlog l
            WHERE l.workshop_id = i.workshop_id AND l.action = 'invite' AND l.source <> 'import'
                AND l.created_at <= i.created_at
        )
        AND NOT EXISTS (
            SELECT FROM logs_invitationlogentry e
            WHERE e.workshop_id = i.workshop_id AND e.member_id = i.member_id
                AND e.action = 'invite'
        )
        AND NOT EXISTS ({forgotten})
"""

_MISPLACED = """
    SELECT 'misplaced', false, 'the log is of another chapter than its workshop', l.workshop_id,
        l.id, NULL::bigint, NULL::bigint
    FROM logs_invitationlog l JOIN chapters_workshop w ON w.id = l.workshop_id
    WHERE l.chapter_id <> w.chapter_id AND {logs}
    UNION ALL
    SELECT 'misplaced', false, 'the letter is about something else than its log', e.workshop_id,
        e.log_id, e.id, e.member_id
    FROM logs_invitationlogentry e JOIN logs_invitationlog l ON l.id = e.log_id
    WHERE {entries} AND (e.workshop_id IS DISTINCT FROM l.workshop_id
        OR e.action <> l.action OR e.occasion <> l.occasion)
    UNION ALL
    SELECT 'misplaced', false, 'a letter to somebody who is not in the log that it is about',
        e.workshop_id, e.log_id, e.id, e.member_id
    FROM logs_invitationlogentry e
    JOIN logs_invitationlog l ON l.id = e.log_id
    JOIN logs_invitationlog about ON about.id = l.about_id
    WHERE {entries} AND e.status NOT IN ('skipped', 'cancelled') AND about.forgotten_at IS NULL
        AND NOT EXISTS (
            SELECT FROM logs_invitationlogentry a
            WHERE a.log_id = about.id AND a.member_id = e.member_id
        )
"""

# A log whose letters are forgotten must be over, as must its workshop: whoever is not in it any
# more could be written to again. And its numbers must be kept.
_FORGOTTEN = """
    SELECT 'forgotten', false, CASE
            WHEN l.status IN ('scheduled', 'preparing', 'running', 'paused')
                THEN 'is live, and whom it writes to is forgotten'
            WHEN w.starts_at > now() THEN 'is forgotten, and its workshop is still to come'
            WHEN l.counts IS NULL THEN 'is forgotten, and its numbers are, too'
            ELSE 'is forgotten, and two days later there are still letters in it'
        END, l.workshop_id, l.id, NULL::bigint, NULL::bigint
    FROM logs_invitationlog l LEFT JOIN chapters_workshop w ON w.id = l.workshop_id
    WHERE l.forgotten_at IS NOT NULL AND {logs}
        AND (
            l.status IN ('scheduled', 'preparing', 'running', 'paused') OR w.starts_at > now()
            OR l.counts IS NULL OR l.forgotten_at < now() - interval '2 days' AND EXISTS (
                SELECT FROM logs_invitationlogentry e WHERE e.log_id = l.id
            )
        )
"""

_NOBODY_ASKED = """
    SELECT 'nobody_asked', false, 'nothing says who asked for this log', l.workshop_id, l.id,
        NULL::bigint, NULL::bigint
    FROM logs_invitationlog l
    WHERE l.initiator_id IS NULL AND l.source NOT IN ('schedule', 'import') AND {logs}
"""

WRONG = (
    _NOT_ELIGIBLE,
    _NO_INVITATION,
    _NO_ANSWER,
    _NO_REASON,
    _DUPLICATES,
    _STUCK,
    _COUNTS,
    _MISPLACED,
    _NOBODY_ASKED,
    _FORGOTTEN,
)
OF_EVERYTHING = (_DUPLICATE_PEOPLE, _STUCK_CONNECTIONS)


def scoped(statement: str, workshop_id: int | None) -> str:
    """The statement about everything, or about the one workshop that is its only value."""
    return statement.format(
        **(_OF_WORKSHOP if workshop_id else _OF_ALL),
        in_doubt=IN_DOUBT,
        forgotten=_IS_FORGOTTEN,
        left=_LEFT,
        live=_LIVE,
        grace=_GRACE,
        short=_SHORT,
        long=_LONG,
    )
