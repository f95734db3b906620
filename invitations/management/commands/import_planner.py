"""`manage.py import_planner URL`: arrive from planner (docs/moving.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from invitations.services.planner import importing, reporting, source
from invitations.services.planner.importing import Done
from invitations.services.planner.source import Refused, Source
from members.terminal import progress


class Command(BaseCommand):
    help = (
        "Bring a planner database over: people, chapters, workshops, answers and what was sent."
        " Planner's database is only read. Nobody is written to. Run again it goes on where it"
        " stopped, and after the end it changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="postgres://user:password@host:5432/name of planner")
        parser.add_argument(
            "--zone",
            default="UTC",
            help="the zone of the moments in planner (default: %(default)s, as Rails has it)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="do all of it, report, and undo it"
        )
        parser.add_argument("--report", type=Path, metavar="FILE.csv", help="every finding, as CSV")
        parser.add_argument(
            "--accept-schema",
            type=int,
            metavar="VERSION",
            help="read a planner whose schema is newer than this import, of exactly this version",
        )
        parser.add_argument(
            "--planner-secret",
            metavar="SECRET",
            help="planner's SECRET_KEY_BASE: say whether its links to stop letters work here",
        )

    def handle(
        self,
        *,
        url: str,
        zone: str,
        dry_run: bool,
        report: Path | None,
        accept_schema: int | None,
        planner_secret: str | None,
        **options: Any,
    ) -> None:
        _check_report(report)
        try:
            _check_migrated()
            with source.reading(url, zone=zone, accepted_schema=accept_schema) as planner:
                self._tell_beginning(planner)
                self._import(planner, dry_run=dry_run, report=report)
            self._tell_links(planner_secret)
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        except (OperationalError, InterfaceError) as lost:
            raise CommandError(
                "The connection to codebar's own database was lost. What was saved until then is"
                " whole. Run the same command again: it goes on where it stopped."
            ) from lost

    def _tell_beginning(self, planner: Source) -> None:
        self.stdout.write(
            f"Reading {planner.place}, schema {planner.version}, its moments in {planner.zone}"
            " (--zone)."
        )

    def _tell_links(self, secret: str | None) -> None:
        """Nothing of it is kept: the web processes read it from their environment."""
        if secret is None:
            return
        if secret and secret == settings.PLANNER_SECRET:
            self.stdout.write("PLANNER_SECRET is this one: planner's links to stop letters work.")
            return
        self.stdout.write(
            "PLANNER_SECRET is not this one. Set it to it in the environment of the web processes,"
            " and planner's links to stop letters work; until then their page mails a fresh link."
        )

    def _import(self, planner: Source, *, dry_run: bool, report: Path | None) -> None:
        at = timezone.now()
        with progress("Importing", total=max(importing.rows_to_read(planner), 1)) as advance:
            if dry_run:
                importing.try_out(
                    planner, at=at, advance=advance, look=lambda done: self._report(done, report)
                )
            else:
                done = importing.run(planner, at=at, advance=advance)
        if dry_run:
            self.stdout.write("This was a dry run: nothing was changed.")
        else:
            self._report(done, report)
            self.stdout.write("Now run manage.py audit, and read docs/moving.md for what follows.")

    def _report(self, done: Done, report: Path | None) -> None:
        if done.was_finished:
            self.stdout.write("Everything is here already. Nothing was changed.")
        for line in reporting.summary():
            self.stdout.write(line)
        for difference in done.differences:
            self.stdout.write(
                f"{difference.table} has {difference.there:,} rows in planner now, and"
                f" {difference.read:,} were read: planner was used meanwhile, and what came later"
                " is not here."
            )
        if report:
            with report.open("w", newline="") as file:
                count = reporting.write_findings(file)
            self.stdout.write(f"{count:,} findings are in {report}.")


def _check_migrated() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError(
            "codebar's own database is not prepared for this release. Nothing was changed. Run"
            " manage.py migrate, and then the same command again."
        )


def _check_report(report: Path | None) -> None:
    """Before hours of work, and not after them."""
    if report is None:
        return
    try:
        report.open("a").close()
    except OSError as error:
        raise CommandError(f"The report cannot be written to {report}: {error.strerror}.") from None
