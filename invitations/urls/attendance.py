"""Who comes to one workshop."""

from django.urls import path

from invitations.views import attending, door, exporting

urlpatterns = [
    path("attendance", attending.attendance, name="attendance"),
    path("rsvp", attending.rsvp, name="rsvp"),
    path("rsvp/<int:member_id>", attending.rsvp_member, name="rsvp_member"),
    path("changes", attending.changes, name="changes"),
    path("door", door.door, name="door"),
    path("door/<int:invitation_id>", door.mark, name="mark"),
    path("attendees_checklist", exporting.attendees_checklist, name="attendees_checklist"),
    path("attendees_emails", exporting.attendees_emails, name="attendees_emails"),
    path("pairing.csv", exporting.pairing_csv, name="pairing_csv"),
    path("labels.csv", exporting.labels_csv, name="labels_csv"),
]
