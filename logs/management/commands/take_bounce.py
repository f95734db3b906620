"""`manage.py take_bounce < message`, for the mail server of BOUNCE_DOMAIN"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand
from django.db import Error
from django.utils import timezone

from logs import reports, return_paths
from logs.services import bounces
from logs.services.tallies import count
from logs.views import MOST_BYTES

TRY_AGAIN = 75  # EX_TEMPFAIL: the mail server keeps the message and brings it again


class Command(BaseCommand):
    help = (
        "Take one message that came to BOUNCE_DOMAIN, from standard input. Whatever is no report "
        "about a letter of ours is counted and forgotten. Ends with 75 when the database is away."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to",
            default="",
            metavar="ADDRESS",
            help="the address that the message was delivered to, as the mail server knows it",
        )

    def handle(self, *args: Any, to: str, **options: Any) -> None:
        try:
            self.stdout.write(_take(sys.stdin.buffer, to=to))
        except Error as error:
            self.stderr.write(f"Not taken, bring it again ({type(error).__name__}).")
            sys.exit(TRY_AGAIN)


def _take(stream: BinaryIO, *, to: str) -> str:
    raw = stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        while stream.read(MOST_BYTES):  # a mail server dislikes whoever hangs up on it
            pass
        return _counted("too_large")
    report, path = reports.read(raw)
    path = return_paths.found_in(to) or path
    if report is None:
        return _counted("no_report")
    if path is None:
        return _counted("forged")
    try:
        bounce = bounces.take_from_mail(report, path=path, at=timezone.now())
    except bounces.ToldBefore:
        return _counted("replayed")
    except bounces.UnknownLetter:
        return _counted("unknown")
    return f"Bounce {bounce.pk} of entry {path.entry_id}: {bounce.get_kind_display()}."


def _counted(why: str) -> str:
    count(f"bounces_{why}")
    return f"Not taken: {why.replace('_', ' ')}."
