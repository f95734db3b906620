"""
Celery, set up so that losing it costs nothing.

A task is a nudge: what is due stands in PostgreSQL, and every task may be lost, doubled or late.
"""

import gc
import os

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codebar.settings")

app = Celery("codebar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def spare_what_is_loaded(**_: object) -> None:
    """What was imported stays until the end; whoever looks for garbage need not look there."""
    gc.freeze()


@worker_shutting_down.connect
def finish_the_letters_in_hand(**_: object) -> None:
    """Ask the threads of a pool to leave the rest to others; processes hear SIGTERM themselves."""
    from invitations.services import delivering

    delivering.stopping.set()
