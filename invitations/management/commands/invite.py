"""
`manage.py invite WORKSHOP {students,coaches,everyone} --initiator EMAIL [--wait] [--yes-to N]`
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress as ProgressBar

from chapters.models import Workshop
from invitations.queries import audiences
from invitations.services import delivering, inviting, preparing
from invitations.services.manager import InvitationManager
from logs.models import CHAPTER_AUDIENCES, Audience, InvitationLog, LogStatus
from logs.queries import Progress, progress
from logs.services import slots
from members.models import Member, normalize_email

PATIENCE_SECONDS = 3  # so long without any progress, and we deliver in this process


class Command(BaseCommand):
    help = "Invite an audience to a workshop, as the buttons on the page do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workshop", type=int, help="the number of the workshop")
        parser.add_argument("audience", choices=[audience.value for audience in CHAPTER_AUDIENCES])
        parser.add_argument("--initiator", required=True, help="the e-mail address of who asks")
        parser.add_argument(
            "--yes-to",
            type=int,
            metavar="N",
            help="how many people you mean to write to; asked for where that is not usual",
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help="come back when it is done; deliver in this process when no worker answers",
        )

    def handle(self, *, workshop: int, audience: str, initiator: str, **options: Any) -> None:
        log = self._start(workshop, Audience(audience), initiator, yes_to=options["yes_to"])
        self.stdout.write(f"Log {log.pk}: inviting {log.get_audience_display().lower()}.")
        if options["wait"]:
            self._wait(log)

    def _start(
        self, workshop_id: int, audience: Audience, initiator: str, *, yes_to: int | None
    ) -> InvitationLog:
        try:
            workshop = Workshop.objects.select_related("chapter").get(pk=workshop_id)
        except Workshop.DoesNotExist:
            raise CommandError(f"There is no workshop {workshop_id}.") from None
        try:
            member = Member.objects.get(email=normalize_email(initiator), closed_at=None)
        except Member.DoesNotExist:
            raise CommandError("No open account has the address given as --initiator.") from None
        letters = audiences.reach(workshop, audience).to_invite
        if yes_to not in (None, letters):
            raise CommandError(f"{letters} people would be written to, and not {yes_to}.")
        try:
            return InvitationManager().send_workshop_emails(
                workshop, audience, member, seen_count=letters, typed_count=yes_to
            )
        except inviting.MustBeTyped as refusal:
            raise CommandError(f"{refusal.why} Add --yes-to {letters} if you mean them.") from None
        except inviting.Refused as refusal:
            raise CommandError(refusal.message) from None

    def _wait(self, log: InvitationLog) -> None:
        with ProgressBar(console=Console(file=sys.stderr)) as bar:
            task = bar.add_task("letters", total=None)
            moved_at, before = time.monotonic(), None
            while log.is_live:
                now = progress(log)
                bar.update(task, total=now.letters or None, completed=now.success)
                if (log.status, now) != before:
                    moved_at, before = time.monotonic(), (log.status, now)
                elif time.monotonic() - moved_at > PATIENCE_SECONDS:
                    self._deliver_here(log)
                time.sleep(0.2)
                log.refresh_from_db()
        self._tell(log, progress(log))

    def _deliver_here(self, log: InvitationLog) -> None:
        """Where nobody has swept yet there are no slots, and those of the dead are not free."""
        if log.status == LogStatus.PREPARING:
            preparing.prepare(log.pk)
        slots.provide(settings.MAIL_CONNECTIONS)
        slots.settle_expired()
        delivering.deliver_what_is_due()

    def _tell(self, log: InvitationLog, counted: Progress) -> None:
        self.stdout.write(
            f"Log {log.pk} is {log.get_status_display()}: {counted.success} sent,"
            f" {counted.failed} failed, {counted.unknown} in doubt, {counted.skipped} not written"
            f" to, {counted.cancelled} cancelled, {counted.audience} in all."
        )
        if log.reason:
            self.stdout.write(log.reason)
        if counted.possible_duplicates:
            self.stdout.write(f"{counted.possible_duplicates} of those sent may arrive twice.")
        if log.status == LogStatus.FAILED or counted.failed or counted.unknown:
            sys.exit(1)
