"""Members, for organisers."""

from django.urls import path

from invitations.views import members

urlpatterns = [
    path("members", members.members, name="members"),
    path("members/<int:member_id>", members.member, name="member"),
    path("members/<int:member_id>/history", members.member_history, name="member_history"),
    path("members/<int:member_id>/notes", members.note_add, name="note_add"),
    path(
        "members/<int:member_id>/notes/<int:note_id>/delete",
        members.note_delete,
        name="note_delete",
    ),
    path("members/<int:member_id>/notices", members.notice_send, name="notice_send"),
    path("members/<int:member_id>/ban", members.member_ban, name="member_ban"),
    path("members/<int:member_id>/bans/<int:ban_id>/lift", members.ban_lift, name="ban_lift"),
]
