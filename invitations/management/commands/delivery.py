"""
`manage.py delivery status|pause|resume|cancel|retry|purge|apologise|correct`: see and steer what is
being sent, and write again to the people of a log.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chapters.models import Chapter
from invitations import tasks
from invitations.management.commands import _purging, _repairing
from logs.models import LIVE_LOG_STATUSES, InvitationLog, InvitationLogEntry, Slot
from logs.queries import Stop, obstacles, progress
from logs.services import steering, switches

CANCELLED_BY_HAND = "Cancelled from the command line."
BY_HAND = "From the command line."
STOPPED = "Sending is stopped; “delivery resume” lets it go on"


class Command(BaseCommand):
    help = "See and steer what is being sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        status = verbs.add_parser("status", help="the logs at work, or one log")
        status.add_argument("log", type=int, nargs="?")
        for verb, does in (
            ("pause", "let no further letter leave, of a log, of a chapter, or at all"),
            ("resume", "carry on with what was paused"),
        ):
            steer = verbs.add_parser(verb, help=does)
            what = steer.add_mutually_exclusive_group()
            what.add_argument("log", type=int, nargs="?")
            what.add_argument("--chapter", metavar="SLUG", help="all letters of this chapter")
        cancel = verbs.add_parser("cancel", help="let no further letter of a log leave, for good")
        cancel.add_argument("log", type=int)
        retry = verbs.add_parser("retry", help="write again to those who failed")
        retry.add_argument("log", type=int)
        retry.add_argument("--entry", type=int, action="append", help="only this entry")
        _purging.add_arguments(
            verbs.add_parser("purge", help="cancel letters that wait, in whatever log they are")
        )
        _repairing.add_arguments(verbs)

    def handle(self, *, verb: str, **options: Any) -> None:
        if verb == "purge":
            said = {name: options[name] for name in (*_purging.OPTIONS, "yes", "yes_to", "reason")}
            _purging.run(self.stdout, **said)
            return
        log: int | None = options["log"]
        found = self._log(log) if log is not None else None
        if found is not None and verb in _repairing.ACTIONS:
            said = {name: options[name] for name in _repairing.OPTIONS}
            _repairing.run(self.stdout, found, verb=verb, **said)
            return
        try:
            if found is None:
                if verb != "status":
                    self._turn(verb, options["chapter"])
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

    def _turn(self, verb: str, slug: str | None) -> None:
        chapter = None
        if slug is not None:
            chapter = Chapter.objects.filter(slug=slug).first()
            if chapter is None:
                raise CommandError(f"There is no chapter {slug}.")
        if verb == "pause":
            switches.stop(chapter, reason=BY_HAND)
        else:
            switches.resume(chapter)
            tasks.ring_for_all()

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
        sending = obstacles(Chapter.objects.all())
        for stop in sending.stops:
            what = f"Sending is stopped for {stop.chapter.slug}" if stop.chapter else STOPPED
            self.stdout.write(f"{what}{_by_whom(stop)}")
        hold = sending.hold
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


def _by_whom(stop: Stop) -> str:
    """Who stopped it, when and why; whoever it was by their number, since this may be kept."""
    if stop.done is None:
        return ". Nobody knows who stopped it."
    by = f"member {stop.done.by_id}" if stop.done.by_id else "the command line"
    if stop.chapter and stop.needs_admin and stop.done.by_id:
        by += ", an admin"
    why = f": {stop.done.remark}" if stop.done.remark else ""
    return f", since {stop.done.at:%Y-%m-%d %H:%M} UTC, by {by}{why}" + ("" if why else ".")
