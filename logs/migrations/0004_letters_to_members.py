from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models
from django.db.models.functions import Now

WITHOUT_A_MOMENT = "It was scheduled without a moment to leave at."


def cancel_what_would_never_leave(apps, schema_editor):
    """
    A log that waits for no moment waits for ever: it is cancelled, with its letters and the reason,
    and a line of history. Guessing a moment would write to people whom nobody meant to write to then.
    """
    logs = apps.get_model("logs", "InvitationLog").objects.filter(
        status="scheduled", send_at__isnull=True
    )
    for log in logs.order_by("pk").iterator():
        count = log.entries.filter(status="pending").update(
            status="cancelled", reason=WITHOUT_A_MOMENT, changed_at=Now()
        )
        apps.get_model("logs", "Activity").objects.create(
            did=f"cancelled {'1 letter' if count == 1 else f'{count:,} letters'} of log {log.pk}",
            chapter_id=log.chapter_id,
            workshop_id=log.workshop_id,
            remark=WITHOUT_A_MOMENT,
        )
    logs.update(status="cancelled", reason=WITHOUT_A_MOMENT, finished_at=Now())


class Migration(migrations.Migration):
    dependencies = [
        ("logs", "0003_messages_and_activities"),
    ]

    operations = [
        migrations.RunPython(cancel_what_would_never_leave, migrations.RunPython.noop),
        ValidateConstraint(model_name="invitationlog", name="log_is_scheduled_for_a_moment"),
        migrations.AlterField(
            model_name="invitationlog",
            name="action",
            field=models.CharField(
                choices=[
                    ("invite", "invitation"),
                    ("confirmation", "confirmation"),
                    ("place", "place from the waiting list"),
                    ("declined", "answer: not coming"),
                    ("waiting", "place in line"),
                    ("reminder", "reminder"),
                    ("nudge", "question to answer"),
                    ("feedback", "question how it was"),
                    ("welcome", "welcome"),
                    ("hello", "hello after three months"),
                    ("change", "change of the workshop"),
                    ("cancellation", "cancellation"),
                    ("message", "message"),
                    ("test", "test letter"),
                    ("ban", "suspension"),
                    ("warning", "attendance warning"),
                    ("eligibility", "eligibility question"),
                ],
                default="invite",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="invitationlog",
            name="audience",
            field=models.CharField(
                choices=[
                    ("students", "Students"),
                    ("coaches", "Coaches"),
                    ("everyone", "Everybody"),
                    ("attending", "People who are coming"),
                    ("waiting", "The waiting list"),
                    ("unanswered", "People who have not answered"),
                    ("attended", "People who came"),
                    ("people", "Named people"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="invitationlogentry",
            name="action",
            field=models.CharField(
                choices=[
                    ("invite", "invitation"),
                    ("confirmation", "confirmation"),
                    ("place", "place from the waiting list"),
                    ("declined", "answer: not coming"),
                    ("waiting", "place in line"),
                    ("reminder", "reminder"),
                    ("nudge", "question to answer"),
                    ("feedback", "question how it was"),
                    ("welcome", "welcome"),
                    ("hello", "hello after three months"),
                    ("change", "change of the workshop"),
                    ("cancellation", "cancellation"),
                    ("message", "message"),
                    ("test", "test letter"),
                    ("ban", "suspension"),
                    ("warning", "attendance warning"),
                    ("eligibility", "eligibility question"),
                ],
                default="invite",
                max_length=20,
            ),
        ),
    ]
