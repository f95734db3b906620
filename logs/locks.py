"""
Locks that no row can carry: one a workshop, so that batches insert one after the other and cannot
deadlock; one of the sweep; one of those who decide who stays an admin; and one of the import.
"""

from django.conf import settings
from django.db import connection

_WORKSHOP = 1  # the first half of PostgreSQL's two-part advisory key
_SWEEP = 2
_ADMINS = 3
_IMPORT = 4


def lock_workshop(workshop_id: int) -> None:
    """Wait for every other batch of this workshop; released with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_WORKSHOP, workshop_id])


def lock_admins() -> None:
    """Wait for whoever else is giving up being an admin; taken before any row, until the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_ADMINS])


def try_sweep() -> bool:
    """
    Whether this process may sweep now; give it back with `end_sweep`.

    A process that is frozen meanwhile must not keep all others from sweeping: PostgreSQL ends its
    session, and the lock with it, once it has said nothing for a lease.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [_SWEEP])
        row = cursor.fetchone()
        if not row or not row[0]:
            return False
        cursor.execute("SELECT set_config('idle_session_timeout', %s, false)", [_lease()])
    return True


def end_sweep() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [_SWEEP])
        cursor.execute("RESET idle_session_timeout")


def try_import() -> bool:
    """Whether this process may import from planner now; give it back with `end_import`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [_IMPORT])
        row = cursor.fetchone()
    return bool(row and row[0])


def end_import() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [_IMPORT])


def _lease() -> str:
    return f"{settings.LEASE_SECONDS * 1000:.0f}ms"
