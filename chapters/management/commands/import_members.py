"""Bring a chapter's own list of people in."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from chapters.services import importing
from members.terminal import progress


class Command(BaseCommand):
    help = (
        "Bring a list of people into the groups of a chapter: all of it, or nothing and every"
        " wrong line by its number. The first line names the columns name, surname, email,"
        " groups and accepted_terms_at, in any order; others are not looked at. Groups are named"
        ' as the chapter names them, several with a bar between them: "Students|Coaches".'
        " accepted_terms_at is a date or moment as 2026-04-03 or 2026-04-03T18:30 on the"
        " chapter's clocks, or with an offset; where it is empty the member is not invited"
        " before they accept the terms. Comma or semicolon, UTF-8 with or without BOM. Nothing"
        " that is known of a member is overwritten, nobody is taken out of a group, and whoever"
        " left one is not put back. Run twice, it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chapter", required=True, metavar="NAME", help="as in London")
        parser.add_argument("file", type=Path, metavar="people.csv")

    def handle(self, *args: Any, chapter: str, file: Path, **options: Any) -> None:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        try:
            people = importing.read(
                content, chapter=importing.chapter_named(chapter), at=timezone.now()
            )
            with progress("Importing members", total=len(people)) as advance:
                imported = importing.import_members(people, advance=advance)
        except importing.Refused as refusal:
            if isinstance(refusal, importing.BadLines):
                for number, complaint in refusal.lines:
                    self.stderr.write(f"Line {number}: {complaint}")
            raise CommandError(refusal.message) from refusal
        self.stdout.write(
            f"{imported.people:,} people on the list: {imported.new_members:,} new members,"
            f" {imported.new_subscriptions:,} new subscriptions,"
            f" {imported.terms_filled:,} times the acceptance of the terms filled in."
        )
        if imported.not_put_back:
            self.stdout.write(
                f"{imported.not_put_back:,} times somebody had left a group of the list"
                " and was not put back."
            )
