"""Whether this process is alive, and whether it can work."""

import redis
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from logs import broker
from logs.services import heartbeats


def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    """
    503 without the database or with unapplied migrations, and the body says which.

    It also says whether the broker answers and how long ago the sweep came to its end. Letters
    wait without them, and pages do not, so they take no process out of service.
    """
    try:
        unapplied = _unapplied_migrations()
    except Error:
        return JsonResponse({"database": "does not answer"}, status=503)
    if unapplied:
        return JsonResponse({"database": "ok", "unapplied_migrations": unapplied}, status=503)
    return JsonResponse({"database": "ok", "broker": _broker(), "sweep": _sweep()})


@require_safe
def deadman(request: HttpRequest) -> JsonResponse:
    """
    For whoever watches from outside: 503 once the sweep has been silent for DEADMAN_SECONDS.

    The sweep is what raises alerts, so nothing inside can tell that it has stopped (R31).
    """
    try:
        silent = heartbeats.ages().get(heartbeats.SWEEP)
    except Error:
        silent = None
    age = None if silent is None else round(silent.total_seconds(), 1)
    is_alive = age is not None and age < settings.DEADMAN_SECONDS
    return JsonResponse({"sweep_age_seconds": age}, status=200 if is_alive else 503)


def _broker() -> str:
    try:
        with broker.client() as client:
            client.ping()
    except redis.RedisError:
        return "does not answer"
    return "ok"


def _sweep() -> str:
    age = heartbeats.ages().get(heartbeats.SWEEP)
    return "never" if age is None else f"{age.total_seconds():.0f} s ago"


def _unapplied_migrations() -> list[str]:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
