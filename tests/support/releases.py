"""
The release after this one: a copy of this program whose letters say so, with a migration of every
kind that docs/upgrade.md allows. So this code plays the release of before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from codebar.local.paths import CHECKOUT
from tests.support.processes import database_url

PARTS = ("codebar", "members", "chapters", "logs", "invitations", "templates", "locale", "static")
THIS = "See you soon"
NEXT = "This is the next release"

# Each in a file of its own: what reads a large table shares no transaction with what locks it.
STEPS = {
    "room": """
    operations = [
        migrations.CreateModel(
            "Postcard",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("member", models.ForeignKey("members.Member", models.PROTECT)),
            ],
        ),
        migrations.AddField(
            "invitationlogentry", "weight", models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddField(
            "invitationlogentry",
            "colour",
            models.CharField(max_length=20, default="", db_default=""),
        ),
        migrations.AddField("slot", "colour", models.CharField(max_length=20, db_default="")),
    ]
""",
    "index": """
    atomic = False
    operations = [
        AddIndexBeside(
            "invitationlogentry", models.Index(fields=["colour"], name="entries_by_colour")
        ),
    ]
""",
    "rule_of_uniqueness": """
    atomic = False
    operations = [
        AddUniqueBeside(
            "invitationlogentry",
            models.UniqueConstraint(fields=["weight"], name="one_entry_of_a_weight"),
        ),
    ]
""",
    "rule": """
    operations = [
        AddConstraintNotValid(
            "invitationlogentry",
            models.CheckConstraint(
                name="entry_weighs_something",
                condition=models.Q(weight=None) | models.Q(weight__gt=0),
            ),
        ),
    ]
""",
    "rule_holds": """
    operations = [ValidateConstraint("invitationlogentry", "entry_weighs_something")]
""",
}
HEAD = """
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

from members.operations import AddIndexBeside, AddUniqueBeside


class Migration(migrations.Migration):
    dependencies = [("logs", "{before}")]
"""


def next_release(folder: Path) -> Path:
    """The folder of the next release, whose migrations are not applied yet."""
    for part in PARTS:
        leave_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / part, folder / part, ignore=leave_out)
    for part in ("manage.py", "pyproject.toml"):
        shutil.copy(CHECKOUT / part, folder)
    letter = folder / "templates" / "invitations" / "emails" / "_letter.txt"
    letter.write_text(letter.read_text().replace(THIS, NEXT))
    _add_migrations(folder / "logs" / "migrations")
    return folder


def manage(release: Path, *arguments: str, **variables: str) -> str:
    """What `manage.py` of that release says."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=release,
        env=os.environ | {"PYTHONPATH": str(release), "DATABASE_URL": database_url()} | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _add_migrations(folder: Path) -> None:
    graph = MigrationLoader(connection).graph
    ((_, before),) = graph.leaf_nodes("logs")
    for nr, (name, operations) in enumerate(STEPS.items(), start=int(before[:4]) + 1):
        this = f"{nr:04}_next_{name}"
        (folder / f"{this}.py").write_text(HEAD.format(before=before) + operations)
        before = this
    (folder / "max_migration.txt").write_text(f"{before}\n")
