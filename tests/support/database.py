"""What can happen to PostgreSQL, and to the rows in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from django.db import connection, transaction

from tests.support.processes import database_url
from tests.support.waiting import wait_until


class Terminator:
    """
    Ends every session but that of the test which made it.

    It has a connection of its own, so that a mail server's thread can use it too.
    """

    def __init__(self) -> None:
        connection.ensure_connection()
        self._spared = connection.connection.get_backend_pid()
        self._connection = psycopg2.connect(database_url())
        self._connection.autocommit = True

    def terminate(self, *, waiting_for_a_lock: bool = False) -> int:
        """
        As a fail-over would; returns how many sessions ended.

        :param waiting_for_a_lock: only those that wait for one now
        """
        with self._connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend'
                    AND pid NOT IN (pg_backend_pid(), %s)
                    AND (wait_event_type = 'Lock' OR NOT %s)
                """,
                [self._spared, waiting_for_a_lock],
            )
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    def terminate_at(self, lock: str, *, hold_seconds: float = 0.5) -> None:
        """
        Hold what this statement locks until a session waits for it, and end that session.

        :param hold_seconds: then let go for a moment, for those who pass a lock by
        """

        def strike() -> bool:
            with locked(lock):
                ends_at = time.monotonic() + hold_seconds
                while not (is_done := self.terminate(waiting_for_a_lock=True) > 0):
                    if time.monotonic() > ends_at:
                        break  # everybody was elsewhere
                    time.sleep(0.02)
            return is_done

        wait_until(strike, every=0.05, what="a session at the lock")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def terminator() -> Iterator[Terminator]:
    one = Terminator()
    try:
        yield one
    finally:
        one.close()


@contextmanager
def locked(statement: str) -> Iterator[None]:
    """Hold whatever the statement locks."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        yield


@contextmanager
def without_constraint(table: str, name: str) -> Iterator[None]:
    """
    The table without that rule, as after a careless migration by hand.

    Afterwards the rule is back and holds: a row that breaks it by then is the test's to mend, and
    a test that failed leaves no row, so that the tests after it find the database as it should be.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
        )
        definition = cursor.fetchone()[0]
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    except BaseException:
        execute(f"TRUNCATE {table} CASCADE")
        raise
    finally:
        execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


@contextmanager
def away() -> Iterator[None]:
    """Nobody answers where this process looks for its database."""
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["PORT"] = 1
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        )
        return bool(cursor.fetchone()[0])


def sums_of_all_tables() -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a checksum of what stands in them."""
    with connection.cursor() as cursor:
        sums = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(
                f"""
                SELECT count(*), md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), ''))
                FROM "{table}" t
                """
            )
            sums[table] = cursor.fetchone()
    return sums
