"""Who comes to one workshop."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
