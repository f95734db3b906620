"""What was sent for one workshop."""

from django.urls import path

from invitations.views import logs, repairing, steering

urlpatterns = [
    path("invitation_logs", logs.invitation_logs, name="invitation_logs"),
    path("invitation_logs/<int:log_id>", logs.invitation_log, name="invitation_log"),
    path("invitation_logs/<int:log_id>/progress", logs.log_progress, name="log_progress"),
    path("invitation_logs/<int:log_id>/top_up", logs.log_top_up, name="log_top_up"),
    path("invitation_logs/<int:log_id>/outcomes.csv", logs.log_csv, name="log_csv"),
    path("invitation_logs/<int:log_id>/pause", steering.pause, name="log_pause"),
    path("invitation_logs/<int:log_id>/resume", steering.resume, name="log_resume"),
    path("invitation_logs/<int:log_id>/cancel", steering.cancel, name="log_cancel"),
    path("invitation_logs/<int:log_id>/retry", steering.retry, name="log_retry"),
    path("invitation_logs/<int:log_id>/send_again", steering.send_again, name="log_send_again"),
    path("invitation_logs/<int:log_id>/arrived", steering.arrived, name="log_arrived"),
    path("invitation_logs/<int:log_id>/repair", repairing.repair, name="repair"),
    path(
        "invitation_logs/<int:log_id>/repair/letter", repairing.repair_letter, name="repair_letter"
    ),
    path("letters/<int:entry_id>/retry", steering.retry_letter, name="letter_retry"),
]
