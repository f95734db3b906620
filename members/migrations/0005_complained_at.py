from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0004_members_by_name")]

    operations = [
        migrations.AddField(
            model_name="member",
            name="complained_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
