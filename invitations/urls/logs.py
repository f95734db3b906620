"""What was sent for one workshop."""

from django.urls import path

from invitations.views import logs

urlpatterns = [
    path("invitation_logs", logs.invitation_logs, name="invitation_logs"),
    path("invitation_logs/<int:log_id>", logs.invitation_log, name="invitation_log"),
    path("invitation_logs/<int:log_id>/progress", logs.log_progress, name="log_progress"),
]
