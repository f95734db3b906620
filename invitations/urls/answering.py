"""The pages that letters lead to: no sign-in, the token is the key."""

from django.urls import path

from invitations.views import answering, unsubscribing

urlpatterns = [
    path("invitation/<str:token>", answering.invitation, name="invitation"),
    path("invitation/<str:token>/accept", answering.accept, name="accept"),
    path("invitation/<str:token>/reject", answering.decline, name="decline"),
    path("unsubscribe/<str:token>", unsubscribing.unsubscribe, name="unsubscribe"),
]
