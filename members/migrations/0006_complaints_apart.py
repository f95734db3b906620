"""
A complaint was a sentence at the end of why an address cannot be used; now it has a column.

A migration of its own, so that the few rows it changes are not looked for under the lock that a
new column takes.
"""

from django.db import migrations

COMPLAINED = "A letter of ours was marked as unwanted."

APART = f"""
    UPDATE members_member
    SET complained_at = address_unusable_at,
        address_unusable_at =
            CASE WHEN address_unusable_reason <> '{COMPLAINED}' THEN address_unusable_at END,
        address_unusable_reason =
            rtrim(left(address_unusable_reason, -length('{COMPLAINED}')))
    WHERE address_unusable_at IS NOT NULL AND address_unusable_reason LIKE '%{COMPLAINED}'
"""  # noqa: S608 -- made of constants
TOGETHER = f"""
    UPDATE members_member
    SET address_unusable_at = coalesce(address_unusable_at, complained_at),
        address_unusable_reason =
            CASE WHEN address_unusable_at IS NULL OR address_unusable_reason LIKE 'Letters of ours%'
                THEN '{COMPLAINED}'
                ELSE address_unusable_reason || ' {COMPLAINED}' END
    WHERE complained_at IS NOT NULL
"""  # noqa: S608 -- made of constants


class Migration(migrations.Migration):
    dependencies = [("members", "0005_complained_at")]

    operations = [migrations.RunSQL(APART, TOGETHER)]
