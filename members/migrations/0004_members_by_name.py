from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models
from django.db.models.functions import Lower

from members.operations import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False  # an index is built beside those who write

    dependencies = [("members", "0003_languages")]

    operations = [
        ValidateConstraint(model_name="member", name="member_language_is_known"),
        AddIndexBeside(
            model_name="member",
            index=models.Index(
                Lower("name"), Lower("surname"), models.F("id"), name="members_by_name"
            ),
        ),
    ]
