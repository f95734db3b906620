"""Django's `migrate`, fit for a site where people are at work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg2.errors import DeadlockDetected, LockNotAvailable

IN_USE = (LockNotAvailable, DeadlockDetected)


class Command(migrate.Command):
    """
    Whoever changes a table needs it alone for a moment. While that waits for somebody's long
    transaction, everybody else waits behind it; so it gives up after seconds and tries again.
    """

    help = f"{migrate.Command.help} Gives way to those who use a table, and tries again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-seconds",
            type=float,
            default=2,
            help="how long a change waits for a table, and others behind it (2)",
        )
        parser.add_argument(
            "--pause-seconds", type=float, default=3, help="until it tries again (3)"
        )
        parser.add_argument("--tries", type=int, default=60, help="until it gives up (60)")

    def handle(self, *args: Any, **options: Any) -> None:
        # A time-out of 0 is none, to PostgreSQL; below a millisecond it is 0.
        if options["lock_seconds"] < 0.001 or options["pause_seconds"] < 0 or options["tries"] < 1:
            raise CommandError(
                "--lock-seconds and --tries are more than 0, --pause-seconds not less."
            )
        for nr in range(1, options["tries"] + 1):
            try:
                with _giving_way(options["database"], seconds=options["lock_seconds"]):
                    super().handle(*args, **options)
            except OperationalError as error:
                if not isinstance(error.__cause__, IN_USE):
                    raise
                in_the_way = _longest_transaction(options["database"])
            else:
                return
            if options["verbosity"] >= 1:
                self.stdout.write(f"\n  A table is in use{in_the_way}. Try {nr} gave way.")
            if nr < options["tries"]:
                time.sleep(options["pause_seconds"])
        raise CommandError(
            f"A table was in use each of {options['tries']} times{in_the_way}. What was applied"
            " stays. Run migrate again when that has ended; it goes on where it stopped."
        )


@contextmanager
def _giving_way(database: str, *, seconds: float) -> Iterator[None]:
    connection = connections[database]
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds * 1000:.0f}"])
    try:
        yield
    finally:
        connection.close_if_unusable_or_obsolete()  # what ended it is told, not that it has ended
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def _longest_transaction(database: str) -> str:
    """Who is probably in the way, for the one who reads the terminal."""
    with connections[database].cursor() as cursor:
        cursor.execute(
            """
            SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::int
            FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND xact_start IS NOT NULL
            ORDER BY xact_start LIMIT 1
            """
        )
        found = cursor.fetchone()
    return f" (PostgreSQL process {found[0]} began a transaction {found[1]} s ago)" if found else ""
