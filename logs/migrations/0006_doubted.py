from django.db import migrations, models

from members.operations import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False  # an index is built beside those who write

    dependencies = [
        ("chapters", "0003_departures"),
        ("logs", "0005_ordered_message_ids"),
    ]

    operations = [
        AddIndexBeside(
            model_name="invitationlogentry",
            index=models.Index(
                condition=models.Q(("doubts__gt", 0)), fields=["log"], name="entries_doubted"
            ),
        ),
    ]
