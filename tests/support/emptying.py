"""
All tables emptied after a test with real transactions, by what it left in them.

Django's own way truncates each table, whose files PostgreSQL then makes anew, and counts all
permissions again: half a second for each of hundreds of tests.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# Made by migrations for the program itself.
KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})
MANY = 1000  # rows; so many dead ones would slow the next tests down


def empty_tables() -> None:
    """Nobody's rows are left, not even those of a session that is dying in this moment."""
    tables = _tables()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in tables)
        )
        filled = [name for (name,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")  # no rule looks on
        bloated = [name for name in filled if _delete(cursor, name) > MANY]
    if bloated:
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {', '.join(bloated)}")


def _tables() -> list[str]:
    names = connection.introspection.table_names()
    return [connection.ops.quote_name(name) for name in names if name not in KEPT]


def _delete(cursor: CursorWrapper, name: str) -> int:
    cursor.execute(f"DELETE FROM {name}")
    return int(cursor.rowcount)
