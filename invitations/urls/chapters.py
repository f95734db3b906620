"""Chapters: their groups, subscribers, organisers and figures."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
