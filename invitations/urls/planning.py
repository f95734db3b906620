"""Planning workshops, their venues and sponsors."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
