import django.db.models.deletion
import invitations.models
from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

from members.operations import AddUniqueBeside

# Django would drop and make the foreign key again, which reads the whole table; PostgreSQL need not.
NO_INDEX_FOR_LIKE = migrations.RunSQL(
    [
        "ALTER TABLE invitations_invitation DROP CONSTRAINT IF EXISTS invitations_invitation_token_key",
        "DROP INDEX CONCURRENTLY IF EXISTS invitations_invitation_token_25a92a38_like",
    ],
    [
        "CREATE UNIQUE INDEX CONCURRENTLY invitations_invitation_token_key ON invitations_invitation (token)",
        "ALTER TABLE invitations_invitation ADD CONSTRAINT invitations_invitation_token_key UNIQUE"
        " USING INDEX invitations_invitation_token_key",
        "CREATE INDEX CONCURRENTLY invitations_invitation_token_25a92a38_like"
        " ON invitations_invitation (token varchar_pattern_ops)",
    ],
)
NO_INDEX_FOR_THE_WORKSHOP = migrations.RunSQL(
    "DROP INDEX CONCURRENTLY IF EXISTS invitations_invitation_workshop_id_3e9a1858",
    "CREATE INDEX CONCURRENTLY invitations_invitation_workshop_id_3e9a1858"
    " ON invitations_invitation (workshop_id)",
)


class Migration(migrations.Migration):
    """Two indexes less to write for each invitation: one for LIKE, and one that another begins with."""

    atomic = False  # indexes come and go beside those who write

    dependencies = [
        ("chapters", "0003_departures"),
        ("invitations", "0003_feedback"),
    ]

    operations = [
        ValidateConstraint(model_name="invitation", name="invitation_override_names_who"),
        AddUniqueBeside(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                fields=("token",), name="one_invitation_per_token", nulls_distinct=False
            ),
        ),
        migrations.SeparateDatabaseAndState(
            [NO_INDEX_FOR_LIKE],
            [
                migrations.AlterField(
                    model_name="invitation",
                    name="token",
                    field=models.CharField(
                        db_default=invitations.models.RandomToken(), max_length=64
                    ),
                )
            ],
        ),
        migrations.SeparateDatabaseAndState(
            [NO_INDEX_FOR_THE_WORKSHOP],
            [
                migrations.AlterField(
                    model_name="invitation",
                    name="workshop",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="chapters.workshop",
                    ),
                )
            ],
        ),
    ]
