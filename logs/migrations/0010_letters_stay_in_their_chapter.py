"""
The third layer of the guard (R21): PostgreSQL itself lets no invitation leave for somebody who is
not subscribed to the chapter of its log.

It looks once, when a log goes from `preparing` to `running` and its letters may be claimed from
then on. A rule for each entry would cost every letter; this costs one look at two indexes.
"""

from django.db import migrations

MAKE = """
CREATE FUNCTION letters_stay_in_their_chapter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT e.member_id FROM logs_invitationlogentry e
        WHERE e.log_id = NEW.id AND e.status = 'pending'
        EXCEPT
        SELECT s.member_id FROM chapters_subscription s
        JOIN chapters_group g ON g.id = s.group_id
        WHERE g.chapter_id = NEW.chapter_id
    ) THEN
        RAISE check_violation USING
            MESSAGE = format('log %s writes to people whom its chapter does not have', NEW.id),
            TABLE = 'logs_invitationlog',
            CONSTRAINT = 'letters_stay_in_their_chapter';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER letters_stay_in_their_chapter
BEFORE UPDATE OF status ON logs_invitationlog FOR EACH ROW
WHEN (OLD.status = 'preparing' AND NEW.status = 'running' AND NEW.action = 'invite')
EXECUTE FUNCTION letters_stay_in_their_chapter();
"""

TAKE_AWAY = """
DROP TRIGGER letters_stay_in_their_chapter ON logs_invitationlog;
DROP FUNCTION letters_stay_in_their_chapter();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("logs", "0009_alert_posted_at"),
        ("chapters", "0003_departures"),
    ]

    operations = [migrations.RunSQL(MAKE, TAKE_AWAY)]
