"""Stopping what is being sent, and letting it go on."""

from django.urls import path

from invitations.views import purging, stopping

urlpatterns = [
    path("delivery", stopping.delivery, name="delivery"),
    path("delivery/stop", stopping.delivery_stop, name="delivery_stop"),
    path("delivery/purge", purging.purge, name="purge"),
    path("delivery/resume", stopping.delivery_resume, name="delivery_resume"),
    path("chapters/<int:chapter_id>/stop", stopping.chapter_stop, name="chapter_stop"),
    path("chapters/<int:chapter_id>/resume", stopping.chapter_resume, name="chapter_resume"),
]
