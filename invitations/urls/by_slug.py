"""
A chapter's own pages, which begin with its name: they come last, after every fixed address.
"""

from django.urls import path, register_converter

from invitations.addresses import ChapterSlug
from invitations.views import public

register_converter(ChapterSlug, "chapter")

urlpatterns = [
    path("<chapter:slug>", public.chapter_page, name="chapter_page"),
    path("<chapter:slug>/calendar.ics", public.chapter_feed, name="chapter_feed"),
]
