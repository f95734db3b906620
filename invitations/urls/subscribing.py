"""The groups a member is in."""

from django.urls import path

from invitations.views import subscribing

urlpatterns = [
    path("subscriptions", subscribing.subscriptions, name="subscriptions"),
    path("subscriptions/leave", subscribing.leave_all, name="leave_all"),
    path("subscriptions/<int:group_id>/join", subscribing.subscribe, name="subscribe"),
    path("subscriptions/<int:group_id>/leave", subscribing.leave, name="leave"),
]
