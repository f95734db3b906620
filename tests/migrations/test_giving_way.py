"""`migrate` waits for a table so briefly that nobody notices, tries again, and says who is there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from io import StringIO

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

from members.operations import AddIndexBeside, AddUniqueBeside
from tests.support.processes import database_url
from tests.support.schema import FIRST
from tests.support.waiting import wait_until

DONE = "Applying members.0002_organisers_side... OK"


class Terminal(StringIO):
    """Where `migrate` writes; somebody who reads that it gave way ends what they were at."""

    def __init__(self, somebody: psycopg2.extensions.connection | None = None) -> None:
        super().__init__()
        self._somebody = somebody

    def write(self, text: str) -> int:
        if self._somebody and "gave way" in text:
            self._somebody.rollback()
        return super().write(text)


@contextmanager
def somebody_at_work(table: str = "members_ban") -> Iterator[psycopg2.extensions.connection]:
    """Their transaction has written to that table, which 0002 changes, and goes on."""
    with closing(psycopg2.connect(database_url())) as somebody, somebody.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
        yield somebody
        somebody.rollback()  # whoever only hangs up keeps the table a moment longer


@contextmanager
def looking_for_deadlocks_after(time: str) -> Iterator[None]:
    """In Django's own session; whoever looks first is the one who gives way."""
    with connection.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = %s", [time])
        yield
        cursor.execute("RESET deadlock_timeout")


def one_step(*, tries: int, lock_seconds: float = 0.2, terminal: Terminal | None = None) -> str:
    """`migrate members 0002` on a database of the first release; what it wrote."""
    terminal = terminal or Terminal()
    call_command(
        *("migrate", "members", "0002"),
        stdout=terminal,
        tries=tries,
        lock_seconds=lock_seconds,
        pause_seconds=0.1,
    )
    return terminal.getvalue()


def test_gives_up_with_a_sentence_and_goes_on_where_it_stopped(old_database):
    with somebody_at_work() as somebody:
        pid = somebody.info.backend_pid
        with pytest.raises(CommandError) as said:
            one_step(tries=2)

    assert f"in use each of 2 times (PostgreSQL process {pid} began " in str(said.value)
    assert "Run migrate again" in str(said.value)
    assert DONE in one_step(tries=1)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_tries_again_until_they_are_done(old_database):
    with somebody_at_work() as somebody:
        said = one_step(tries=2, terminal=Terminal(somebody))

    assert "Try 1 gave way." in said
    assert DONE in said


def test_tries_again_where_two_wait_for_each_other(old_database):
    """0002 changes bans, then members; somebody writes to members, then to bans."""

    def write_to_bans_too(somebody: psycopg2.extensions.connection) -> None:
        with somebody.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '1min'")  # it is the migration that gives way
            wait_until(lambda: _is_wanted_alone(cursor, "members_member"), every=0.02)
            cursor.execute("LOCK TABLE members_ban IN ROW EXCLUSIVE MODE")
        somebody.rollback()

    with (
        somebody_at_work("members_member") as somebody,
        looking_for_deadlocks_after("5s"),  # late enough for the other one to want something
        ThreadPoolExecutor() as pool,
    ):
        writing = pool.submit(write_to_bans_too, somebody)
        said = one_step(tries=2, lock_seconds=20)
        writing.result()

    assert "Try 1 gave way." in said
    assert DONE in said


@pytest.mark.parametrize("wrong", [{"lock_seconds": 0}, {"pause_seconds": -1}, {"tries": 0}])
def test_a_time_that_would_keep_everybody_waiting_is_refused(db, wrong):
    with pytest.raises(CommandError, match="more than 0"):
        call_command("migrate", **wrong)


def test_whatever_else_goes_wrong_is_not_tried_again(old_database):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE members_member ADD COLUMN about text")
    with pytest.raises(ProgrammingError, match=r'column "about" .* already exists'):
        one_step(tries=2)


def _is_wanted_alone(cursor: psycopg2.extensions.cursor, table: str) -> bool:
    cursor.execute(
        "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted", [table]
    )
    return bool(cursor.fetchone()[0])


def leave_unfinished(name: str, definition: str) -> None:
    """An index whose making was cut off: it has its name, and PostgreSQL does not use it."""
    with connection.cursor() as cursor:
        cursor.execute(definition)
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [name]
        )


def apply(operation: Operation) -> None:
    """As a migration after those of the first release would."""
    before = MigrationExecutor(connection).loader.project_state(FIRST)
    after = before.clone()
    operation.state_forwards("invitations", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("invitations", editor, before, after)


NOTES = AddIndexBeside("invitation", models.Index(fields=["note"], name="by_note"))
TUTORIALS = AddUniqueBeside(
    "invitation",
    models.UniqueConstraint(fields=["tutorial"], name="one_tutorial", nulls_distinct=False),
)
ON = "ON public.invitations_invitation USING btree"


@pytest.mark.parametrize(
    ("operation", "name", "definition"),
    [
        (NOTES, "by_note", f"CREATE INDEX by_note {ON} (note)"),
        (
            TUTORIALS,
            "one_tutorial",
            f"CREATE UNIQUE INDEX one_tutorial {ON} (tutorial) NULLS NOT DISTINCT",
        ),
    ],
    ids=["an index", "a unique rule"],
)
def test_what_was_cut_off_is_made_anew_and_twice_is_once(old_database, operation, name, definition):
    leave_unfinished(name, definition)

    apply(operation)
    apply(operation)

    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_get_indexdef(indexrelid), indisvalid,
                (SELECT contype FROM pg_constraint WHERE conindid = indexrelid)
            FROM pg_index WHERE indexrelid = to_regclass(%s)
            """,
            [name],
        )
        assert cursor.fetchall() == [(definition, True, "u" if operation is TUTORIALS else None)]
