"""One lock a workshop, so that batches insert one after the other and cannot deadlock."""

from django.db import connection

_WORKSHOP = 1  # the first half of PostgreSQL's two-part advisory key
_SWEEP = 2


def lock_workshop(workshop_id: int) -> None:
    """Wait for every other batch of this workshop; released with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_WORKSHOP, workshop_id])


def try_sweep() -> bool:
    """Whether this process may sweep now; give it back with `end_sweep`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [_SWEEP])
        row = cursor.fetchone()
    return bool(row and row[0])


def end_sweep() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [_SWEEP])
