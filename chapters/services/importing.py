"""Bringing a chapter's own list of people in, all of it or nothing."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from chapters.forms import PersonLineForm
from chapters.models import Chapter, Departure, Group, Subscription
from members.models import Member

if TYPE_CHECKING:
    from _csv import Reader

COLUMNS = ("name", "surname", "email", "groups", "accepted_terms_at")
AT_ONCE = 1000


class Refused(Exception):
    """Nothing was imported; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadLines(Refused):
    """Nothing was imported because of these lines: each number in the file with a complaint."""

    def __init__(self, lines: list[tuple[int, str]]) -> None:
        count = len({number for number, _ in lines})
        how_many = "1 line is" if count == 1 else f"{count:,} lines are"
        super().__init__(f"{how_many} wrong. Nothing was imported.")
        self.lines = lines


@dataclass
class Person:
    """Somebody on the list, however many lines speak of them."""

    line: int
    email: str
    name: str
    surname: str
    accepted_terms_at: datetime | None
    groups: set[Group]


@dataclass(frozen=True)
class Imported:
    """What was on the list, and what of it was new."""

    people: int
    new_members: int
    terms_filled: int
    new_subscriptions: int
    not_put_back: int


def chapter_named(name: str) -> Chapter:
    """:raises Refused: where there is none, with the names that look like it"""
    chapter = Chapter.objects.filter(name__iexact=name.strip()).first()
    if chapter is None:
        close = difflib.get_close_matches(name, Chapter.objects.values_list("name", flat=True))
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise Refused(f"There is no chapter {name}.{hint}")
    return chapter


def read(content: bytes, *, chapter: Chapter, at: datetime) -> list[Person]:
    """
    The people on the list. Lines with the same address are one person in all of their groups.

    Comma or semicolon, UTF-8 with or without BOM. Times without an offset are the chapter's.

    :raises Refused: when it is no such list at all
    :raises BadLines: when lines are wrong, all of them
    """
    text = _decoded(content)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header = _header(rows)
    groups = {group.name.casefold(): group for group in chapter.groups.order_by("pk")}
    people: dict[str, Person] = {}
    bad: list[tuple[int, str]] = []
    with timezone.override(chapter.time_zone):
        for number, row in _numbered(rows, bad):
            if len(row) != len(header):
                bad.append((number, f"has {len(row)} columns and the first line {len(header)}"))
                continue
            form = PersonLineForm(dict(zip(header, row, strict=True)), groups=groups, at=at)
            complaints = form.complaints() or _add(people, number, form)
            bad += [(number, complaint) for complaint in complaints]
    if bad:
        raise BadLines(bad)
    if not people:
        raise Refused("There is nobody on the list, only the names of the columns.")
    return list(people.values())


@transaction.atomic
def import_members(people: list[Person], *, advance: Callable[[int], None]) -> Imported:
    """
    Make those who are missing, subscribe everybody. Done twice it changes nothing.

    Of a member who is here already nothing is overwritten: they are subscribed to the groups of
    the list besides their own, and an empty moment of accepting the terms is filled. Who left a
    group, or was taken out of it, is not put back: whether they want to be is theirs to say.

    :param advance: called with how many people more are done
    """
    new_members = terms_filled = new_subscriptions = not_put_back = 0
    in_order = sorted(people, key=lambda person: person.email)  # two imports never deadlock
    for start in range(0, len(in_order), AT_ONCE):
        some = {person.email: person for person in in_order[start : start + AT_ONCE]}
        known = _ids(some)
        _add_members(some)
        terms_filled += _fill_terms(some)
        ids = _ids(some)
        new_members += len(ids) - len(known)
        new, left = _subscribe(some, ids)
        new_subscriptions += new
        not_put_back += left
        advance(len(some))
    _refresh_statistics()
    return Imported(len(people), new_members, terms_filled, new_subscriptions, not_put_back)


def _refresh_statistics() -> None:
    # A click straight after a large import is planned for the tables as they are, not as they were.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_member, chapters_subscription")


# ---- Reading ------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"The list is not in UTF-8 (see line {line})."
            " Save it again with the encoding UTF-8; spreadsheets call it “CSV UTF-8”."
        ) from error
    if not text.strip():
        raise Refused("The list is empty.")
    return text


def _delimiter(text: str) -> str:
    first_line = text.lstrip().splitlines()[0]
    return ";" if first_line.count(";") > first_line.count(",") else ","


def _header(rows: Reader) -> list[str]:
    try:
        first = next((row for row in rows if any(row)), [])
    except csv.Error as error:
        raise Refused(f"The first line cannot be read: {error}.") from error
    header = [column.strip().lower() for column in first]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise Refused(
            f"The first line must name the columns {', '.join(COLUMNS)};"
            f" {' and '.join(missing)} cannot be found there."
        )
    twice = [column for column in COLUMNS if header.count(column) > 1]
    if twice:
        raise Refused(f"The first line names {' and '.join(twice)} more than once.")
    return header


def _numbered(rows: Reader, bad: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty, with the number that an editor shows for its beginning."""
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            bad.append((number, f"cannot be read, nor what follows: {error}"))
            return
        if any(cell.strip() for cell in row):
            yield number, row


def _add(people: dict[str, Person], number: int, form: PersonLineForm) -> list[str]:
    """Add what the line says to the people, or say why not."""
    said = form.cleaned_data
    person = people.setdefault(
        said["email"],
        Person(
            line=number,
            email=said["email"],
            name=said["name"],
            surname=said["surname"],
            accepted_terms_at=said["accepted_terms_at"],
            groups=set(),
        ),
    )
    if (person.name, person.surname) != (said["name"], said["surname"]):
        return [f"email: line {person.line} has the same address and another name"]
    person.groups.update(said["groups"])
    moments = [person.accepted_terms_at, said["accepted_terms_at"]]
    person.accepted_terms_at = min((moment for moment in moments if moment), default=None)
    return []


# ---- Writing, the same number of statements however many people -----------------------------


def _ids(some: dict[str, Person]) -> dict[str, int]:
    return dict(Member.objects.filter(email__in=some).values_list("email", "pk"))


def _add_members(some: dict[str, Person]) -> None:
    Member.objects.bulk_create(
        [
            Member(
                email=person.email,
                name=person.name,
                surname=person.surname,
                accepted_terms_at=person.accepted_terms_at,
                password="!",  # noqa: S106 -- no password fits it
            )
            for person in some.values()
        ],
        ignore_conflicts=True,
    )


def _fill_terms(some: dict[str, Person]) -> int:
    known_to_have_accepted = [email for email, person in some.items() if person.accepted_terms_at]
    members = list(
        Member.objects.select_for_update(no_key=True)
        .filter(email__in=known_to_have_accepted, accepted_terms_at=None)
        .order_by("pk")
    )
    for member in members:
        member.accepted_terms_at = some[member.email].accepted_terms_at
    filled: int = Member.objects.bulk_update(members, ["accepted_terms_at"])
    return filled


def _subscribe(some: dict[str, Person], ids: dict[str, int]) -> tuple[int, int]:
    """
    Who left is taken out again, and not left out before: so somebody who leaves meanwhile stays
    out, since their row makes the insertion wait for them.

    :returns: how many subscriptions are new, and how many people who left were not put back
    """
    of_these = Subscription.objects.filter(member__in=ids.values())
    before = of_these.count()
    Subscription.objects.bulk_create(
        [
            Subscription(member_id=ids[person.email], group=group)
            for person in some.values()
            for group in sorted(person.groups, key=lambda group: group.pk)
        ],
        ignore_conflicts=True,
    )
    left = Departure.objects.filter(member=OuterRef("member"), group=OuterRef("group"))
    not_put_back, _ = of_these.filter(Exists(left)).delete()
    return of_these.count() - before, not_put_back
