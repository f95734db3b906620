"""`manage.py forget [--dry-run]`: what beat asks for every night, at once."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.console import Console

from invitations.queries import forgetting as queries
from invitations.services import forgetting


class Command(BaseCommand):
    help = "Forget whom we wrote to long ago, and end what was left waiting (docs/keeping.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be forgotten, and how much"
        )

    def handle(self, *, dry_run: bool, **_: Any) -> None:
        if not settings.RETENTION_DAYS:
            self.stdout.write("RETENTION_DAYS is 0: whom we wrote to is never forgotten.")
        now = timezone.now()
        counts = queries.counted(at=now) if dry_run else self._forget(at=now)
        for what, count in counts.items():
            self.stdout.write(f"{what[0].upper()}{what[1:]}: {count:,}")
        if not counts:
            self.stdout.write("There is nothing to forget.")
        elif dry_run:
            self.stdout.write("Nothing was changed yet.")

    def _forget(self, *, at: datetime) -> dict[str, int]:
        """To the end, however long it takes; stopped in the middle, it leaves nothing wrong."""
        counts: Counter[str] = Counter()
        with Console(stderr=True).status("Forgetting") as shown:
            for what, rows in forgetting.steps(at=at):
                counts[what] += rows
                shown.update(f"Forgetting: {counts.total():,} rows")
        return {what: count for what, count in counts.items() if count}
