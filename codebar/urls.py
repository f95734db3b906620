"""Every address, by app. Paths follow planner's, so that links in old letters still work."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
