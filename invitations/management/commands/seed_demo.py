"""Fill an empty database with demo chapters, people and workshops."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from invitations.services import demo
from members.terminal import progress


class Command(BaseCommand):
    help = (
        "Fill an empty database with demo chapters, members, venues and workshops."
        " Where there are chapters already it refuses and changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--chapters",
            type=int,
            default=demo.ALL_CHAPTERS,
            help="how many chapters, London first (default: %(default)s, the most there are)",
        )
        parser.add_argument(
            "--members",
            type=int,
            default=demo.USUAL_MEMBERS,
            help="how many members in all (default: %(default)s)",
        )
        parser.add_argument(
            "--seed",
            type=int,
            default=1,
            help="another number makes other people (default: %(default)s)",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="also without DEBUG, so where real people might be expected",
        )

    def handle(
        self, *args: Any, chapters: int, members: int, seed: int, force: bool, **options: Any
    ) -> None:
        if not (settings.DEBUG or force):
            raise CommandError(
                "DEBUG is off, so this may be the real thing, and invented people do not belong"
                " there. Nothing was changed. With --force they are made nevertheless."
            )
        try:
            with progress("Making the demo", total=max(chapters, 1)) as advance:
                made = demo.make(
                    chapters=chapters,
                    members=members,
                    seed=seed,
                    at=timezone.now(),
                    advance=advance,
                )
        except demo.Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(
            f"{made.chapters} chapters, {made.members:,} members, {made.workshops} workshops.\n"
            f"Sign in as organiser {demo.ORGANISER}, member {demo.MEMBER}"
            f" or superuser {demo.SUPERUSER}."
        )
