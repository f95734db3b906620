"""Organisers' pages, and the pages that letters lead to. The paths are planner's."""

from django.urls import path
from django.views.generic import RedirectView

from invitations.views import answering, logs, organising, sending, unsubscribing

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="portal"), name="start"),
    path("invitation/<str:token>", answering.invitation, name="invitation"),
    path("invitation/<str:token>/accept", answering.accept, name="accept"),
    path("invitation/<str:token>/reject", answering.decline, name="decline"),
    path("unsubscribe/<str:token>", unsubscribing.unsubscribe, name="unsubscribe"),
    path("admin/", organising.portal, name="portal"),
    path("admin/workshops/<int:workshop_id>", organising.workshop, name="organiser_workshop"),
    path(
        "admin/workshops/<int:workshop_id>/send_invites", sending.send_invites, name="send_invites"
    ),
    path("admin/workshops/<int:workshop_id>/invite", sending.invite, name="invite"),
    path("admin/workshops/<int:workshop_id>/left_out", sending.left_out, name="left_out"),
    path("admin/workshops/<int:workshop_id>/letter/<str:role>", sending.letter, name="letter"),
    path(
        "admin/workshops/<int:workshop_id>/invitation_logs",
        logs.invitation_logs,
        name="invitation_logs",
    ),
    path(
        "admin/workshops/<int:workshop_id>/invitation_logs/<int:log_id>",
        logs.invitation_log,
        name="invitation_log",
    ),
    path(
        "admin/workshops/<int:workshop_id>/invitation_logs/<int:log_id>/progress",
        logs.log_progress,
        name="log_progress",
    ),
]
