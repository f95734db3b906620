"""The pages that letters lead to: no sign-in, the token is the key."""

from django.urls import path

from invitations.views import answering, fresh_links, unsubscribing

# Planner's newer name for the same pages, which stands in old letters.
OLD_LINKS = ("", "/accept", "/reject", "/waiting_list")

urlpatterns = [
    path("invitation/<str:token>", answering.invitation, name="invitation"),
    path("invitation/<str:token>/accept", answering.accept, name="accept"),
    path("invitation/<str:token>/reject", answering.decline, name="decline"),
    path("invitation/<str:token>/waiting_list", answering.wait, name="waiting_list"),
    path("invitation/<str:token>/waiting_list/leave", answering.leave_line, name="leave_line"),
    path("invitation/<str:token>/calendar.ics", answering.calendar, name="calendar"),
    *[
        path(f"workshop_invitation/<str:token>{rest}", answering.old_link, name="old_invitation")
        for rest in OLD_LINKS
    ],
    path("unsubscribe", fresh_links.fresh_link, name="fresh_link"),
    # A path, since base64 in planner's links may hold a slash.
    path("unsubscribe/<path:token>", unsubscribing.unsubscribe, name="unsubscribe"),
]
