"""When something was measured, and what all of it ran on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from django.db import connection

OURS = ("django", "psycopg2-binary", "celery", "redis")


def now(*peers: str) -> dict[str, Any]:
    """
    This moment and this machine.

    :param peers: packages that are measured beside ours
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgresql = cursor.fetchone()[0]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "postgresql": postgresql,
        "processors": os.cpu_count(),
        **{name: version(name) for name in (*OURS, *peers)},
    }
