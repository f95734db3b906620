"""Whether this process is alive, and whether it can work."""

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    """503 without the database or with unapplied migrations, and the body says which."""
    try:
        unapplied = _unapplied_migrations()
    except Error:
        return JsonResponse({"database": "does not answer"}, status=503)
    if unapplied:
        return JsonResponse({"database": "ok", "unapplied_migrations": unapplied}, status=503)
    return JsonResponse({"database": "ok"})


def _unapplied_migrations() -> list[str]:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
