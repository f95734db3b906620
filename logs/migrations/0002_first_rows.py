"""
The rows that exist once: the global switch (on), the hold (none) and the pace.

They are made here and nowhere else, so that a switch that is missing later means *off*. Taking this
back leaves them, and doing it again finds them, so that what somebody stopped stays stopped.
The slot table is updated before each letter: half-empty pages keep those updates on one page.
"""

from django.db import migrations


def make_rows(apps, schema_editor):
    switches = apps.get_model("logs", "Switch").objects
    switches.get_or_create(chapter=None, defaults={"is_on": True})
    apps.get_model("logs", "Hold").objects.get_or_create(id=1)
    apps.get_model("logs", "Pace").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("logs", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE logs_slot SET (fillfactor = 50)",
            "ALTER TABLE logs_slot RESET (fillfactor)",
        ),
        migrations.RunPython(make_rows, migrations.RunPython.noop),
    ]
