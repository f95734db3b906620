"""
What must go on by itself says here that it did, and which release did it. Whoever looks from
outside finds out by the age of the newest word that it has fallen silent.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection

SWEEP = "sweep"  # it came to its end
BEAT = "beat"  # somebody was told to sweep
WATCH = "watch"  # somebody looked whether all is well


def beat(name: str) -> None:
    """It is at work now, as this release; a release that was never seen before is written down."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH seen AS (
                INSERT INTO logs_release (name, seen_at) VALUES (%(release)s, now())
                ON CONFLICT DO NOTHING
            )
            INSERT INTO logs_heartbeat (name, at, release) VALUES (%(name)s, now(), %(release)s)
            ON CONFLICT (name) DO UPDATE SET at = excluded.at, release = excluded.release
            """,
            {"name": name, "release": settings.RELEASE},
        )


def is_turn(name: str, *, every: float) -> bool:
    """
    Whether it was not at work within so many seconds, and is from now on. Of several who ask at
    the same moment one is told so.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO logs_heartbeat AS last (name, at, release) VALUES (%s, now(), %s)
            ON CONFLICT (name) DO UPDATE SET at = excluded.at, release = excluded.release
            WHERE last.at <= now() - make_interval(secs => %s)
            RETURNING name
            """,
            [name, settings.RELEASE, every],
        )
        return cursor.fetchone() is not None


def ages() -> dict[str, timedelta]:
    """How long each has been silent, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, now() - at FROM logs_heartbeat")
        return dict(cursor.fetchall())
