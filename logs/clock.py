"""The database's clock, which leases, alerts and readings go by."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """The moment at which this statement reached the database, within a transaction too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        at: datetime = cursor.fetchall()[0][0]
    return at
