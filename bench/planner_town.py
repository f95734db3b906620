"""
A planner database of any size, with what years of a network leave behind: mostly history.

Of a hundred invitations 25 were accepted, 1 waits, 2 belong to a member who was invited twice; the
last fortieth of the workshops has batches that are not forgotten yet, with an entry a person.
"""

from __future__ import annotations

from invitations.services.planner.schema import OF_RAILS
from tests.support.planner import Planner

CHAPTERS = 54
INVITATIONS_A_WORKSHOP = 400
INVITATIONS_A_MEMBER = 20

FILL = """
    INSERT INTO members (id, name, surname, email, about_you, accepted_toc_at, created_at,
        updated_at)
    SELECT n, 'Name' || n, 'Surname' || n, 'member' || n || '@people.example', 'I like to learn.',
        moment, moment, moment
    FROM generate_series(1, {members}) AS n,
        LATERAL (SELECT timestamp '2018-01-01' + n * interval '1 minute' AS moment) AS m;

    INSERT INTO auth_services (id, member_id, provider, uid, created_at, updated_at)
    SELECT id, id, CASE WHEN id % 3 = 0 THEN 'codebar' ELSE 'github' END, id::text, created_at,
        created_at FROM members;

    INSERT INTO chapters (id, name, email, city, slug, time_zone, created_at, updated_at)
    SELECT n, 'Town ' || n, 'town-' || n || '@chapters.example', 'Town ' || n, 'town-' || n,
        'London', timestamp '2018-01-01', timestamp '2018-01-01'
    FROM generate_series(1, {chapters}) AS n;

    INSERT INTO groups (id, chapter_id, name, created_at, updated_at)
    SELECT 2 * id + side, id, CASE side WHEN 0 THEN 'Students' ELSE 'Coaches' END, created_at,
        created_at FROM chapters, generate_series(0, 1) AS side;

    INSERT INTO subscriptions (member_id, group_id, created_at, updated_at)
    SELECT id, 2 * (1 + id % {chapters}) + id % 2, created_at, created_at FROM members;

    INSERT INTO workshops (id, chapter_id, date_and_time, ends_at, virtual, coach_spaces,
        student_spaces, description, created_at, updated_at)
    SELECT n, 1 + n % {chapters}, moment, moment + interval '2 hours', true, 400, 400,
        '<p>An evening of learning.</p>', moment - interval '21 days', moment - interval '21 days'
    FROM generate_series(1, {workshops}) AS n,
        LATERAL (
            SELECT date_trunc('hour', now() AT TIME ZONE 'UTC') + interval '14 days'
                - ({workshops} - n) * (interval '2600 days' / {workshops}) AS moment
        ) AS m;

    INSERT INTO workshop_invitations (id, workshop_id, member_id, role, attending, attended, token,
        note, rsvp_time, created_at, updated_at)
    SELECT n, w.id, 1 + (w.id * 7919 + seat) % {members},
        CASE WHEN n % 50 = 1 THEN 'Coach' ELSE 'Student' END,
        CASE WHEN n % 4 = 0 THEN true WHEN n % 4 = 1 THEN false END,
        CASE WHEN n % 8 = 0 THEN true END, md5('token' || n),
        CASE WHEN n % 10 = 0 THEN 'I come a little later.' END,
        CASE WHEN n % 4 = 0 THEN w.created_at END, w.created_at, w.created_at
    FROM generate_series(1, {invitations}) AS n
    JOIN workshops w ON w.id = 1 + (n - 1) / {a_workshop},
        LATERAL (
            SELECT (n - 1) % {a_workshop} - (CASE WHEN n % 50 = 1 THEN 1 ELSE 0 END) AS seat
        ) AS s;

    INSERT INTO waiting_lists (invitation_id, created_at, updated_at)
    SELECT id, created_at, created_at FROM workshop_invitations WHERE id % 100 = 2;

    INSERT INTO invitation_logs (id, loggable_type, loggable_id, chapter_id, audience, status,
        started_at, completed_at, created_at, updated_at)
    SELECT id, 'Workshop', id, chapter_id, 'everyone', 'completed', created_at, created_at,
        created_at, created_at
    FROM workshops WHERE id > {workshops} - {workshops} / 40;

    INSERT INTO invitation_log_entries (invitation_log_id, member_id, invitation_type,
        invitation_id, status, processed_at, created_at, updated_at)
    SELECT l.id, i.member_id, 'WorkshopInvitation', i.id, 'success', i.created_at, i.created_at,
        i.created_at
    FROM invitation_logs l JOIN workshop_invitations i ON i.workshop_id = l.loggable_id;

    INSERT INTO feedback_requests (member_id, workshop_id, token, submited, created_at, updated_at)
    SELECT member_id, workshop_id, md5('feedback' || min(id)), false, min(created_at),
        min(created_at)
    FROM workshop_invitations WHERE attended GROUP BY member_id, workshop_id;
"""


def fill(planner: Planner, *, invitations: int) -> int:
    """
    All tables new, and full.

    :returns: how many rows there are in all, but for those of Rails itself
    """
    planner.empty()
    planner.execute(
        FILL.format(
            chapters=CHAPTERS,
            invitations=invitations,
            a_workshop=INVITATIONS_A_WORKSHOP,
            workshops=max(invitations // INVITATIONS_A_WORKSHOP, 1),
            members=max(invitations // INVITATIONS_A_MEMBER, INVITATIONS_A_WORKSHOP),
        )
    )
    planner.execute("ANALYZE")
    return sum(rows for table, rows in planner.counts().items() if table not in OF_RAILS)
