"""One lock a workshop, so that batches insert one after the other and cannot deadlock."""

from django.conf import settings
from django.db import connection

_WORKSHOP = 1  # the first half of PostgreSQL's two-part advisory key
_SWEEP = 2
_SILENCES = ("idle_session_timeout", "idle_in_transaction_session_timeout")


def lock_workshop(workshop_id: int) -> None:
    """Wait for every other batch of this workshop; released with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_WORKSHOP, workshop_id])


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
        for name in _SILENCES:
            cursor.execute("SELECT set_config(%s, %s, false)", [name, _lease()])
    return True


def end_sweep() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [_SWEEP])
        for name in _SILENCES:
            cursor.execute(f"RESET {name}")


def _lease() -> str:
    return f"{settings.LEASE_SECONDS * 1000:.0f}ms"
