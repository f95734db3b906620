"""
Work for later. A task is a nudge and carries an id or nothing; it may be lost, doubled or late.

The doorbell is rung with short time-outs and no retries, and after a failure a process rings
nobody for a while: a broker that refuses or stays silent must not slow a click, and the sweep
finds what nobody was told.
"""

from __future__ import annotations

import logging
import time

from celery import current_app, shared_task

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 30
AUDIT_SECONDS = 300  # less than a tenth of the broker's visibility time-out

_silent_until = 0.0


def ring() -> None:
    """Nudge a worker to send what is due. Never raises."""
    _ring("invitations.tasks.deliver")


def ring_prepare(log_id: int) -> None:
    """Nudge a worker to prepare a log. Never raises."""
    _ring("invitations.tasks.prepare", log_id=log_id)


def ring_audit(run_id: int) -> None:
    """Nudge a worker to audit everything. Never raises."""
    _ring("invitations.tasks.audit", run_id=run_id)


def ring_forget() -> None:
    """Nudge a worker to forget what is old. Never raises."""
    _ring("invitations.tasks.forget")


def ring_tell() -> None:
    """Nudge a worker to tell people what is wrong. Never raises."""
    _ring("invitations.tasks.tell")


@shared_task
def prepare(log_id: int, **_: object) -> None:
    from invitations.services import preparing

    if preparing.prepare(log_id):
        ring_for_all()


@shared_task
def deliver(**_: object) -> None:
    from invitations.services import delivering

    if delivering.deliver_what_is_due():
        ring()


@shared_task
def sweep(**_: object) -> None:
    from invitations.services import sweeping
    from logs.services import heartbeats

    heartbeats.beat(heartbeats.BEAT)
    sweeping.sweep()


@shared_task
def say_hello(**_: object) -> None:
    from django.utils import timezone

    from invitations.services import hello

    hello.say_hello(timezone.now())


@shared_task(soft_time_limit=AUDIT_SECONDS, time_limit=AUDIT_SECONDS + 10)
def audit(run_id: int, **_: object) -> None:
    from invitations.services import auditing

    auditing.run(run_id)


@shared_task
def audit_nightly(**_: object) -> None:
    from invitations.services import auditing

    auditing.ask(by=None)


@shared_task
def forget(**_: object) -> None:
    from django.utils import timezone

    from invitations.services import forgetting

    if forgetting.forget(at=timezone.now()):
        ring_forget()


@shared_task
def tell(**_: object) -> None:
    from invitations.services import telling

    telling.tell()


def ring_for_all() -> None:
    """Nudge one worker for each free connection. Never raises."""
    from logs.services import slots

    for _ in range(slots.free_count()):
        ring()


def forget_failure() -> None:
    """Ring again at once, although the doorbell was broken a moment ago."""
    global _silent_until
    _silent_until = 0.0


def _ring(task: str, **ids: int) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        with current_app.connection_for_write(
            transport_options={
                **current_app.conf.broker_transport_options,
                "socket_timeout": 0.3,
                "socket_connect_timeout": 0.3,
                "max_retries": 0,
            },
            connect_timeout=0.3,
        ) as connection:
            current_app.send_task(task, kwargs=ids, connection=connection, retry=False)
    except Exception as error:  # noqa: BLE001 -- whatever is wrong with the broker, the click succeeded
        _silent_until = time.monotonic() + SILENCE_SECONDS
        logger.warning("the doorbell is broken (%s); the sweep will find it", type(error).__name__)
