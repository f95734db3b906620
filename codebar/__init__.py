"""Wiring: settings, addresses, Celery and the local services. No app imports it."""

from codebar.celery import app as celery_app

__all__ = ["celery_app"]
