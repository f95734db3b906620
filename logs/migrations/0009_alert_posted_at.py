from django.db import migrations, models

from members.operations import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False  # an index is built beside those who write

    dependencies = [("logs", "0008_stop_see_prove_repair")]

    operations = [
        AddIndexBeside(
            model_name="invitationlogentry",
            index=models.Index(
                condition=models.Q(("status__in", ["failed", "unknown"])),
                fields=["status", "changed_at"],
                name="entries_not_delivered",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="posted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
