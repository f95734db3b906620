"""
The rows that exist once: the global switch (on), the hold (none) and the pace.

They are made here and nowhere else, so that a switch that is missing later means *off*.
The slot table is updated before each letter: half-empty pages keep those updates on one page.
"""

from django.db import migrations


def make_rows(apps, schema_editor):
    apps.get_model("logs", "Switch").objects.create(chapter=None, is_on=True)
    apps.get_model("logs", "Hold").objects.create(id=1)
    apps.get_model("logs", "Pace").objects.create(id=1)


class Migration(migrations.Migration):
    dependencies = [("logs", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE logs_slot SET (fillfactor = 50)",
            "ALTER TABLE logs_slot RESET (fillfactor)",
        ),
        migrations.RunPython(make_rows, migrations.RunPython.noop),
    ]
