"""Backups as docs/backup.md makes and restores them, by PostgreSQL's own programs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from codebar.local import housing
from tests.support.processes import database_url


def dump(to: Path) -> Path:
    """A backup of the test database as it is at this moment, whatever is being sent."""
    _run("pg_dump", "--format", "custom", "--file", str(to), database_url())
    return to


@contextmanager
def restored(backup: Path, *, name: str) -> Iterator[None]:
    """The backup in an empty database of this name, which is Django's database meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        _run("pg_restore", "--exit-on-error", "--no-owner", "--dbname", database_url(), str(backup))
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _run(program: str, *arguments: str) -> None:
    subprocess.run([str(housing.programs() / program), *arguments], check=True)
