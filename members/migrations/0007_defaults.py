from django.db import migrations

DEFAULTS = """
    ALTER TABLE members_member
        ALTER COLUMN about SET DEFAULT '',
        ALTER COLUMN skills SET DEFAULT '',
        ALTER COLUMN dietary_needs SET DEFAULT '{}',
        ALTER COLUMN other_dietary_needs SET DEFAULT ''
"""


class Migration(migrations.Migration):
    """0002 once made these columns without a default; a database made then gets them here."""

    dependencies = [("members", "0006_complaints_apart")]

    operations = [migrations.RunSQL(DEFAULTS, migrations.RunSQL.noop)]
