"""
No migration stops those who are at work (docs/upgrade.md): squawk reads the SQL of each.

`migrate` itself bounds how long it waits for a table, and tries again; so what is refused here is
what keeps a table for as long as it is large, and what old processes would trip over.
"""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from pytest_django.plugin import DjangoDbBlocker

from tests.support.schema import OURS

EXCLUDED = {
    "prefer-text-field": "a longer text needs no rewrite, and Django checks the length in forms",
    "prefer-bigint-over-int": "spaces and counts of tries do not grow with the years",
    "prefer-bigint-over-smallint": "numbers of slots, ratings and tries",
    "prefer-robust-stmts": "members/operations.py makes what was left unfinished anew",
    "require-lock-timeout": "`migrate` sets it for all",
    "require-statement-timeout": "a check of a large table takes as long as it takes, and stops nobody",
}
ROW_PER_CLICK = "one row a workshop, ban or click: thousands, rewritten within a second"
NEW_COLUMN = "the column is new and empty, so PostgreSQL reads no row for it"
ALLOWED = {
    ("members.0002_organisers_side", "adding-field-with-default"): ROW_PER_CLICK,
    ("members.0002_organisers_side", "disallowed-unique-constraint"): ROW_PER_CLICK,
    ("chapters.0002_organisers_of_a_workshop", "adding-field-with-default"): ROW_PER_CLICK,
    ("chapters.0002_organisers_of_a_workshop", "disallowed-unique-constraint"): ROW_PER_CLICK,
    ("logs.0003_messages_and_activities", "adding-field-with-default"): ROW_PER_CLICK,
    ("logs.0003_messages_and_activities", "disallowed-unique-constraint"): ROW_PER_CLICK,
    ("logs.0008_stop_see_prove_repair", "require-concurrent-index-creation"): ROW_PER_CLICK,
    ("logs.0008_stop_see_prove_repair", "adding-foreign-key-constraint"): NEW_COLUMN,
    ("invitations.0002_attendance", "adding-foreign-key-constraint"): NEW_COLUMN,
    ("invitations.0004_fewer_indexes", "ban-drop-constraint"): "a rule of the same words is there",
}


def findings(sql: dict[str, str], *, folder: Path) -> set[tuple[str, str]]:
    """Which rules of squawk each of these migrations breaks."""
    for name, statements in sql.items():
        (folder / f"{name}.sql").write_text(statements)
    said = subprocess.run(
        [
            Path(sysconfig.get_path("scripts"), "squawk"),
            *("--pg-version", "15.0", "--reporter", "json", "--exclude", ",".join(EXCLUDED)),
            *sorted(folder.glob("*.sql")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout, said.stderr
    return {(Path(found["file"]).stem, found["rule_name"]) for found in json.loads(said.stdout)}


def sql_of_ours() -> dict[str, str]:
    """As `sqlmigrate` gives it, for all at once."""
    executor = MigrationExecutor(connection)
    state = ProjectState(real_apps=executor.loader.unmigrated_apps)
    found = {}
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    for migration, _ in plan:
        with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
            state = migration.apply(state, editor, collect_sql=True)
        if migration.app_label in OURS:
            lines = editor.collected_sql
            found[str(migration)] = "\n".join(
                ["BEGIN;", *lines, "COMMIT;"] if migration.atomic else lines
            )
    return found


@pytest.fixture(scope="module")
def all_findings(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> set[tuple[str, str]]:
    with django_db_blocker.unblock():
        return findings(sql_of_ours(), folder=tmp_path_factory.mktemp("sql"))


def test_no_migration_keeps_a_large_table_from_those_who_use_it(all_findings):
    assert sorted(all_findings - ALLOWED.keys()) == []


def test_what_is_allowed_is_still_there(all_findings):
    """An exception that nobody needs would hide the next mistake."""
    assert sorted(ALLOWED.keys() - all_findings) == []


@pytest.mark.parametrize(
    ("careless", "rule"),
    [
        (
            "CREATE INDEX i ON invitations_invitation (note);",
            "require-concurrent-index-creation",
        ),
        (
            "ALTER TABLE members_member ADD CONSTRAINT c CHECK (name <> '');",
            "constraint-missing-not-valid",
        ),
        (
            "ALTER TABLE members_member ADD COLUMN nick text NOT NULL;",
            "adding-required-field",
        ),
        (
            "ALTER TABLE members_member ADD COLUMN nick text DEFAULT '' NOT NULL;"
            " ALTER TABLE members_member ALTER COLUMN nick DROP DEFAULT;",
            "ban-drop-default",
        ),
        (
            "ALTER TABLE invitations_invitation ADD COLUMN key uuid DEFAULT gen_random_uuid();",
            "adding-field-with-default",
        ),
        ("ALTER TABLE logs_invitationlogentry ALTER status TYPE text;", "changing-column-type"),
        ("ALTER TABLE members_member DROP COLUMN about;", "ban-drop-column"),
        ("ALTER TABLE members_member RENAME COLUMN about TO bio;", "renaming-column"),
        ("BEGIN; CREATE INDEX CONCURRENTLY i ON t (a); COMMIT;",
         "ban-concurrent-index-creation-in-transaction"),
    ],
)  # fmt: skip
def test_a_careless_one_is_refused(careless, rule, tmp_path):
    assert findings({"next": careless}, folder=tmp_path) == {("next", rule)}


def test_each_can_be_taken_back():
    assert [
        f"{migration}: {operation.describe()}"
        for (app, _), migration in sorted(MigrationLoader(None).disk_migrations.items())
        for operation in migration.operations
        if app in OURS and not operation.reversible
    ] == []


def test_each_app_has_one_line_of_them():
    assert MigrationLoader(None).detect_conflicts() == {}
