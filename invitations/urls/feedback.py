"""How workshops were: the page behind the link in a letter, and what organisers read."""

from django.urls import path

from invitations.views import feedback

urlpatterns = [
    path("feedback/<str:token>", feedback.feedback, name="feedback"),
    path(
        "admin/workshops/<int:workshop_id>/feedback",
        feedback.workshop_feedback,
        name="workshop_feedback",
    ),
    path(
        "admin/chapters/<int:chapter_id>/feedback",
        feedback.chapter_feedback,
        name="chapter_feedback",
    ),
]
