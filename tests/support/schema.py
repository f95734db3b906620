"""A database as earlier releases left it, and what stands in its catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

OURS = ("members", "chapters", "invitations", "logs")
FIRST = [(app, "0001_initial") for app in OURS]


def migrate(*target: str) -> None:
    call_command("migrate", *target, verbosity=0)


def go_to_the_first_release() -> None:
    """From nothing, and nothing that came later."""
    MigrationExecutor(connection).migrate(FIRST)


def take_everything_back() -> None:
    MigrationExecutor(connection).migrate([(app, None) for app in OURS])


def tables_of_the_first_release() -> Apps:
    """The models as its code knew them."""
    return MigrationExecutor(connection).loader.project_state(FIRST).apps


@contextmanager
def another_database(name: str, *, template: str = "template1") -> Iterator[None]:
    """Django's connection leads to a copy of that template for a while."""
    usual = connection.settings_dict["NAME"]
    _execute(f'DROP DATABASE IF EXISTS "{name}"')
    _execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    _lead_to(name)
    try:
        yield
    finally:
        _lead_to(usual)


def drop_database(name: str) -> None:
    _execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def catalogue() -> dict[str, str]:
    """Every column, index, rule and trigger, by its name, as PostgreSQL writes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT format('%s.%s', table_name, column_name),
                concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)
            FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL
            SELECT format('index %s', i.indexrelid::regclass),
                concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relnamespace = 'public'::regnamespace
            UNION ALL
            SELECT format('rule %s of %s', conname, conrelid::regclass),
                concat_ws(' ', pg_get_constraintdef(oid), convalidated)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL
            SELECT format('trigger %s', tgname), pg_get_triggerdef(oid)
            FROM pg_trigger WHERE NOT tgisinternal
            """
        )
        return dict(cursor.fetchall())


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _lead_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
