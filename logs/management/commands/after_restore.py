"""`manage.py after_restore [--yes]`: nothing that may have left since the backup leaves again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from logs.services import restoring


class Command(BaseCommand):
    help = (
        "To be run once a backup was restored, before any worker starts: stops all sending and puts"
        " every letter in doubt that the backup believes to be waiting. Without --yes it only"
        " counts them. See docs/backup.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do it; without, they are counted")

    def handle(self, *, yes: bool, **options: Any) -> None:
        if not yes:
            self.stdout.write(
                f"May have left since the backup was made: {_letters(restoring.to_go())}."
                " With --yes all sending is stopped, and they are in doubt until somebody decides."
            )
            return
        for log_id, count in restoring.doubt_what_may_have_left().items():
            where = f"log {log_id}" if log_id else "no log"
            self.stdout.write(f"In doubt now: {_letters(count)} of {where}.")
        self.stdout.write(
            "Sending is stopped. Decide at /admin/delivery/in-doubt, ask “audit”, then"
            " “delivery resume”."
        )


def _letters(count: int) -> str:
    return "1 letter" if count == 1 else f"{count:,} letters"
