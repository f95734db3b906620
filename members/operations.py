"""What migrations do to tables that people use meanwhile (docs/upgrade.md says what is allowed)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    NotInTransactionMixin,
)
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint
from django.db.migrations.state import ProjectState
from django.db.models import UniqueConstraint


class AddIndexBeside(AddIndexConcurrently):
    """
    An index that is built while others write, in a migration with `atomic = False`.

    Twice makes one index: what an attempt left unfinished, which PostgreSQL does not use, is made
    anew. It waits for open transactions as long as they take, since nobody waits for it.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if not _is_built(schema_editor, self.index.name):
            with _as_long_as_it_takes(schema_editor):
                _drop_unfinished(schema_editor, self.index.name)
                super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddUniqueBeside(NotInTransactionMixin, AddConstraint):
    """
    A rule of uniqueness over plain fields, without a condition, whose index is built while others
    write; in a migration with `atomic = False`. Twice makes one.

    :raises IntegrityError: where two rows break the rule; repair them in a step before
    """

    constraint: UniqueConstraint

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        table, name = schema_editor.quote_name(model._meta.db_table), self.constraint.name
        columns = ", ".join(
            schema_editor.quote_name(model._meta.get_field(field).column)
            for field in self.constraint.fields
        )
        nulls = " NULLS NOT DISTINCT" if self.constraint.nulls_distinct is False else ""
        if not _is_built(schema_editor, name):
            with _as_long_as_it_takes(schema_editor):
                _drop_unfinished(schema_editor, name)
                schema_editor.execute(
                    f'CREATE UNIQUE INDEX CONCURRENTLY "{name}" ON {table} ({columns}){nulls}'
                )
        if not _is_constraint(schema_editor, name):
            schema_editor.execute(
                f'ALTER TABLE {table} ADD CONSTRAINT "{name}" UNIQUE USING INDEX "{name}"'
            )


def _is_built(schema_editor: BaseDatabaseSchemaEditor, name: str) -> bool:
    return _exists(
        schema_editor, "pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid", name
    )


def _is_constraint(schema_editor: BaseDatabaseSchemaEditor, name: str) -> bool:
    return _exists(schema_editor, "pg_constraint WHERE conindid = to_regclass(%s)", name)


def _exists(schema_editor: BaseDatabaseSchemaEditor, what: str, name: str) -> bool:
    """No while statements are only collected (`sqlmigrate`): they are those of a first time."""
    if schema_editor.collect_sql:
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {what})", [f'"{name}"'])  # noqa: S608 -- constants
        return bool(cursor.fetchone()[0])


def _drop_unfinished(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')


@contextmanager
def _as_long_as_it_takes(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """`migrate` gives way after seconds where others wait for it; here nobody does."""
    before = _set_lock_timeout(schema_editor, "0")
    try:
        yield
    finally:
        _set_lock_timeout(schema_editor, before)


def _set_lock_timeout(schema_editor: BaseDatabaseSchemaEditor, value: Any) -> str:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        before: str = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [value])
    return before
