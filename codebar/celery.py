"""
Celery, set up so that losing it costs nothing.

A task is a nudge: what is due stands in PostgreSQL, and every task may be lost, doubled or late.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codebar.settings")

app = Celery("codebar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
