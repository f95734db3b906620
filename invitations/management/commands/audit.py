"""`manage.py audit [--workshop ID] [--format text|json]`: prove that nobody is missing or twice."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chapters.models import Workshop
from invitations.queries.auditing import Breach
from invitations.services import auditing

VERSION = 1  # of what --format json writes


class Command(BaseCommand):
    help = "Look for whoever is missing, twice or stuck. Exits with 1 when there is anything."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workshop", type=int, help="the number of one workshop; else all")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *, workshop: int | None, format: str, **options: Any) -> None:  # noqa: A002 -- the option's name
        if workshop is not None and not Workshop.objects.filter(pk=workshop).exists():
            raise CommandError(f"There is no workshop {workshop}.")
        begun_at = time.monotonic()
        found: Counter[str] = Counter()
        with auditing.one_moment():
            tell = self._tell_json if format == "json" else self._tell_text
            tell(workshop, _counted(auditing.breaches(workshop), found), found, begun_at)
        if found:
            sys.exit(1)

    def _tell_text(
        self, workshop: int | None, found: Iterator[Breach], counts: Counter[str], begun_at: float
    ) -> None:
        for breach in found:
            self.stdout.write(auditing.in_one_line(breach))
        where = f"workshop {workshop}" if workshop else "all workshops"
        seconds = f"{time.monotonic() - begun_at:.1f} s, release {settings.RELEASE}"
        if not counts:
            self.stdout.write(f"Nothing is wrong with {where} ({seconds}).")
            return
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        self.stdout.write(f"{counts.total()} found in {where}: {kinds} ({seconds}).")

    def _tell_json(
        self, workshop: int | None, found: Iterator[Breach], counts: Counter[str], begun_at: float
    ) -> None:
        """One object, written as it is found."""
        release = json.dumps(settings.RELEASE)
        self.stdout.write(f'{{"version": {VERSION}, "release": {release},')
        self.stdout.write(f'"workshop": {json.dumps(workshop)},')
        self.stdout.write('"breaches": [', ending="")
        comma = "\n"
        for breach in found:
            self.stdout.write(comma + json.dumps(breach.as_dict()), ending="")
            comma = ",\n"
        self.stdout.write("],")
        seconds = round(time.monotonic() - begun_at, 3)
        self.stdout.write(
            f'"counts": {json.dumps(counts)}, "is_clean": {json.dumps(not counts)},'
            f' "seconds": {seconds}}}'
        )


def _counted(breaches: Iterator[Breach], counts: Counter[str]) -> Iterator[Breach]:
    for breach in breaches:
        counts[breach.kind] += 1
        yield breach
