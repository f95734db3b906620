"""Writing to people about one workshop."""

from django.urls import path

from invitations.views import sending

urlpatterns = [
    path("send_invites", sending.send_invites, name="send_invites"),
    path("invite", sending.invite, name="invite"),
    path("left_out", sending.left_out, name="left_out"),
    path("letter/<str:role>", sending.letter, name="letter"),
]
