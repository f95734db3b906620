"""Writing to people about one workshop."""

from django.urls import path

from invitations.views import messaging, nudging, sending

urlpatterns = [
    path("send_invites", sending.send_invites, name="send_invites"),
    path("invite", sending.invite, name="invite"),
    path("left_out", sending.left_out, name="left_out"),
    path("letter/<str:role>", sending.letter, name="letter"),
    path("test", sending.send_test, name="send_test"),
    path("nudge", nudging.nudge, name="nudge"),
    path("nudge/letter/<str:role>", nudging.nudge_letter, name="nudge_letter"),
    path("write", messaging.write, name="write"),
    path("write/letter", messaging.write_letter, name="write_letter"),
    path("write/test", messaging.write_test, name="write_test"),
]
