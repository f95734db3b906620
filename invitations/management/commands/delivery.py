"""`manage.py delivery status|pause|resume|cancel|retry`: see and steer what is being sent."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from invitations import tasks
from logs.models import LIVE_LOG_STATUSES, InvitationLog, InvitationLogEntry, Slot
from logs.queries import progress
from logs.services import holds, steering

CANCELLED_BY_HAND = "Cancelled from the command line."


class Command(BaseCommand):
    help = "See and steer what is being sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        status = verbs.add_parser("status", help="the logs at work, or one log")
        status.add_argument("log", type=int, nargs="?")
        for verb, does in (
            ("pause", "let no further letter of a log leave"),
            ("resume", "carry on with a paused log"),
            ("cancel", "let no further letter of a log leave, for good"),
        ):
            verbs.add_parser(verb, help=does).add_argument("log", type=int)
        retry = verbs.add_parser("retry", help="write again to those who failed")
        retry.add_argument("log", type=int)
        retry.add_argument("--entry", type=int, action="append", help="only this entry")

    def handle(self, *, verb: str, log: int | None, **options: Any) -> None:
        found = self._log(log) if log is not None else None
        try:
            if found is None:
                self._status_of_all()
            elif verb == "status":
                self._status(found)
            else:
                self._steer(verb, found, options.get("entry"))
        except steering.Refused as refusal:
            raise CommandError(refusal.message) from None

    def _log(self, log_id: int) -> InvitationLog:
        try:
            return InvitationLog.objects.get(pk=log_id)
        except InvitationLog.DoesNotExist:
            raise CommandError(f"There is no log {log_id}.") from None

    def _steer(self, verb: str, log: InvitationLog, entry_ids: list[int] | None) -> None:
        match verb:
            case "pause":
                steering.pause(log)
            case "resume":
                steering.resume(log)
            case "cancel":
                count = steering.cancel(log, reason=CANCELLED_BY_HAND)
                self.stdout.write(f"{count} letters were cancelled.")
            case "retry":
                self._retry(log, entry_ids)
        tasks.ring_for_all()
        log.refresh_from_db()
        self._status(log)

    def _retry(self, log: InvitationLog, entry_ids: list[int] | None) -> None:
        entries = None
        if entry_ids is not None:
            entries = list(InvitationLogEntry.objects.filter(log=log, pk__in=entry_ids))
            if missing := set(entry_ids) - {entry.pk for entry in entries}:
                raise CommandError(f"Log {log.pk} has no entry {min(missing)}.")
        for entry in steering.retry_failed(log, entries=entries):
            self.stdout.write(f"Entry {entry.pk} was invited by another log since; left as it is.")

    def _status_of_all(self) -> None:
        hold = holds.current()
        if hold and hold.since:
            self.stdout.write(f"Held since {hold.since:%Y-%m-%d %H:%M} UTC: {hold.reason}")
        busy = Slot.objects.filter(token__isnull=False).count()
        self.stdout.write(f"{busy} of {Slot.objects.count()} connections are sending.")
        live = InvitationLog.objects.filter(status__in=LIVE_LOG_STATUSES).order_by("pk")
        for log in live:
            self._status(log)
        if not live:
            self.stdout.write("No log is at work.")

    def _status(self, log: InvitationLog) -> None:
        counted = progress(log)
        self.stdout.write(
            f"Log {log.pk} is {log.get_status_display()}: {counted.success} sent,"
            f" {counted.still_to_go} to go, {counted.failed} failed, {counted.unknown} in doubt,"
            f" {counted.skipped} not written to, {counted.cancelled} cancelled,"
            f" {counted.audience} in all."
        )
