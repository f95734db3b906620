"""
Celery, set up so that losing it costs nothing.

A task is a nudge: what is due stands in PostgreSQL, and every task may be lost, doubled or late.
"""

import gc
import logging
import os

from celery import Celery, Task
from celery.signals import (
    beat_init,
    before_task_publish,
    task_postrun,
    task_prerun,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings
from django.db import Error, close_old_connections, connection
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codebar.settings")

app = Celery("codebar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@beat_init.connect
def say_where_nobody_hears(**_: object) -> None:
    from invitations.services import telling

    telling.warn_where_unheard()


@worker_ready.connect
def spare_what_is_loaded(**_: object) -> None:
    """What was imported stays until the end; whoever looks for garbage need not look there."""
    gc.freeze()


@worker_ready.connect
def bring_the_slots(**_: object) -> None:
    """The first batch of a new database shall not wait for the first sweep to provide them."""
    from logs.services import slots

    try:
        slots.provide(settings.MAIL_CONNECTIONS)
    except Error:
        logger.warning("the slots could not be provided; the next sweep does it")
    finally:
        connection.close()  # a process that the pool forks later must not inherit it


@task_prerun.connect
def ask_whether_the_database_is_there(**_: object) -> None:
    """A connection outlives its task, as it does a request, and is looked at before the next."""
    close_old_connections()


@before_task_publish.connect
def say_which_request_rings(headers: dict[str, object], **_: object) -> None:
    """So that the lines of a task can be found by the request that rang for it, or for the last."""
    if request_id := get_contextvars().get("request_id"):
        headers["request_id"] = request_id


@task_prerun.connect
def name_the_lines_of_a_task(
    task_id: str, task: Task[..., object], kwargs: dict[str, object], **_: object
) -> None:
    """By its name and its own id, and by what it is about: `log_id`, `run_id`."""
    ids = {name: value for name, value in kwargs.items() if name.endswith("_id")}
    clear_contextvars()
    bind_contextvars(**ids | {"task": task.name, "task_id": task_id})
    if request_id := task.request.get("request_id"):
        bind_contextvars(request_id=request_id)


@task_postrun.connect
def name_no_more_lines(**_: object) -> None:
    clear_contextvars()


@worker_shutting_down.connect
def finish_the_letters_in_hand(**_: object) -> None:
    """Ask the threads of a pool to leave the rest to others; processes hear SIGTERM themselves."""
    from invitations.services import delivering

    delivering.stopping.set()
