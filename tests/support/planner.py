"""
A planner database: its tables as they are there, and what tests write into them.

Moments are written as Rails writes them, without a zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from invitations.services.planner.schema import NEWEST
from tests.support.processes import database_url

TABLES = Path(__file__).with_suffix(".sql").read_text()


def naive(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """A moment as Rails writes it, without a zone."""
    return datetime(year, month, day, hour)  # noqa: DTZ001 -- as it says


LONG_AGO = naive(2019, 3, 1, 12)


class Planner:
    """An open planner database, empty but for its newest migration."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True

    def close(self) -> None:
        self.connection.close()

    def empty(self, *, version: int = NEWEST) -> None:
        """All tables new, as after Rails' db:schema:load."""
        self.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        self.execute(TABLES)
        self.execute("INSERT INTO schema_migrations VALUES ('20130623105218'), (%s)", str(version))

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Rows of one table, created and updated long ago by default."""
        times = dict.fromkeys(
            ("created_at", "updated_at") if self._has_times(table) else (), LONG_AGO
        )
        with self.connection.cursor() as cursor:
            for row in rows:
                values = times | row
                statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, values)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(values)),
                )
                cursor.execute(statement, list(values.values()))

    def add(self, table: str, **values: Any) -> None:
        """One row."""
        self.insert(table, values)

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        tables = self.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name: self.execute(f'SELECT count(*) FROM "{name}"')[0][0] for (name,) in tables}

    def _has_times(self, table: str) -> bool:
        return bool(
            self.execute(
                "SELECT 1 FROM information_schema.columns"
                " WHERE table_name = %s AND column_name = 'updated_at'",
                table,
            )
        )


@contextmanager
def database(name: str) -> Iterator[Planner]:
    """A database of its own on the server of the tests, beside theirs."""
    server, _slash, own = database_url().rpartition("/")
    url = f"{server}/{own}_{name}"
    _on_server(server, f'DROP DATABASE IF EXISTS "{own}_{name}" WITH (FORCE)')
    _on_server(server, f'CREATE DATABASE "{own}_{name}"')
    planner = Planner(url)
    try:
        yield planner
    finally:
        planner.close()
        _on_server(server, f'DROP DATABASE "{own}_{name}" WITH (FORCE)')


def fill_clean(planner: Planner) -> None:
    """A small network in which everything is as it should be."""
    planner.insert(
        "members",
        member_row(1, "asha@people.example", name="Asha", surname="Rao"),
        member_row(2, "ben@people.example", name="Ben", surname="Low"),
        member_row(3, "cleo@people.example", name="Cleo", surname="May"),
    )
    planner.insert(
        "auth_services",
        {"id": 1, "member_id": 1, "provider": "github", "uid": "1001"},
        {"id": 2, "member_id": 2, "provider": "codebar", "uid": "ben@people.example"},
    )
    planner.insert("tags", {"id": 1, "name": "ruby"}, {"id": 2, "name": "css"})
    planner.execute(
        "INSERT INTO taggings (id, tag_id, taggable_type, taggable_id, context) VALUES"
        " (1, 1, 'Member', 1, 'skills'), (2, 2, 'Member', 1, 'skills')"
    )
    planner.insert(
        "chapters", chapter_row(1, "London"), chapter_row(2, "Berlin", time_zone="Berlin")
    )
    planner.insert(
        "groups",
        *(
            {"id": number, "chapter_id": chapter, "name": name}
            for number, chapter, name in [
                (1, 1, "Students"), (2, 1, "Coaches"), (3, 2, "Students"), (4, 2, "Coaches"),
            ]
        ),
    )  # fmt: skip
    planner.insert(
        "subscriptions",
        {"id": 1, "member_id": 1, "group_id": 2},
        {"id": 2, "member_id": 2, "group_id": 1},
        {"id": 3, "member_id": 3, "group_id": 1},
    )
    planner.insert(
        "permissions",
        {"id": 1, "name": "organiser", "resource_type": "Chapter", "resource_id": 1},
    )
    planner.execute("INSERT INTO members_permissions VALUES (1, 1)")
    planner.insert(
        "sponsors",
        {"id": 1, "name": "Acme", "website": "https://acme.example", "seats": 20}
        | {"number_of_coaches": 12},
    )
    planner.insert(
        "addresses",
        {"id": 1, "sponsor_id": 1, "flat": "2", "street": "High Street 1", "city": "London"}
        | {"postal_code": "N1 1AA", "directions": "Ring twice."},
    )
    planner.insert(
        "contacts",
        {"id": 1, "sponsor_id": 1, "name": "Dee", "surname": "Fox", "email": "dee@acme.example"}
        | {"mailing_list_consent": True, "comment": "Prefers mail.", "token": "t"},
    )


def fill_dirty(planner: Planner) -> None:
    """Beside the clean rows, one of everything that a real planner has and should not have."""
    _dirty_people(planner)
    _dirty_chapters(planner)
    _dirty_workshops(planner)


def _dirty_people(planner: Planner) -> None:
    planner.insert(
        "members",
        member_row(11, None),
        member_row(12, "not an address"),
        member_row(13, "Asha@People.example ", accepted_toc_at=None),
        member_row(14, "deleted_user_1600000000@codebar.io", name="Deleted", surname="User"),
        member_row(15, "long@people.example", about_you="long " * 100, how_you_found_us=17),
    )
    planner.insert(
        "auth_services",
        {"id": 11, "member_id": 13, "provider": "github", "uid": " 1001"},
        {"id": 12, "member_id": 404, "provider": "github", "uid": "1404"},
        {"id": 13, "member_id": 12, "provider": "twitter", "uid": "1012"},
    )
    about = {"member_id": 3, "reason": "No-shows", "added_by_id": 404}
    planner.insert(
        "bans",
        about | {"id": 11, "expires_at": naive(2019, 1, 1), "permanent": False},
        about | {"id": 12, "expires_at": None, "permanent": False},
        about | {"id": 13, "member_id": 404, "permanent": True},
    )
    planner.insert("member_notes", {"id": 11, "member_id": 3, "author_id": 404, "note": "Late."})
    planner.insert("attendance_warnings", {"id": 11, "member_id": 404, "sent_by_id": 1})
    planner.insert("eligibility_inquiries", {"id": 11, "member_id": 12, "sent_by_id": None})


def _dirty_chapters(planner: Planner) -> None:
    planner.insert(
        "chapters",
        chapter_row(11, "london", email=None, slug="london", time_zone="Atlantis"),
        chapter_row(12, "Admin", slug="admin"),
    )
    planner.insert(
        "groups",
        {"id": 11, "chapter_id": 1, "name": "Students"},
        {"id": 12, "chapter_id": 404, "name": "Coaches"},
        {"id": 13, "chapter_id": 1, "name": "Alumni"},
    )
    pairs = [(2, 1), (2, 11), (13, 2), (14, 1), (404, 1), (3, 404)]
    planner.insert(
        "subscriptions",
        *({"id": 10 + nr, "member_id": m, "group_id": g} for nr, (m, g) in enumerate(pairs)),
    )
    planner.insert(
        "permissions",
        {"id": 11, "name": "admin", "resource_type": None, "resource_id": None},
        {"id": 12, "name": "organiser", "resource_type": "Chapter", "resource_id": None},
        {"id": 13, "name": "organiser", "resource_type": "Event", "resource_id": 1},
        {"id": 14, "name": "organiser", "resource_type": "Chapter", "resource_id": 1},
    )
    planner.execute(
        "INSERT INTO members_permissions VALUES (13, 11), (2, 12), (2, 13), (1, 14), (1, 1),"
        " (404, 11), (14, 11), (3, 404)"
    )
    planner.insert("sponsors", {"id": 11, "name": "", "website": "no page", "seats": -1})
    planner.insert(
        "addresses",
        {"id": 11, "sponsor_id": 1, "street": "", "city": "London"},
        {"id": 12, "sponsor_id": 404, "street": "Nowhere", "city": "London"},
    )
    planner.insert(
        "contacts",
        {"id": 11, "sponsor_id": 1, "name": "Dee", "email": "DEE@acme.example", "token": "t"},
        {"id": 12, "sponsor_id": 404, "name": "Eve", "email": "eve@acme.example", "token": "t"},
    )


def _dirty_workshops(planner: Planner) -> None:
    """For workshops 1 and 2 of the first chapter, where they are."""
    planner.insert(
        "workshops",
        {"id": 11, "chapter_id": 1, "date_and_time": None, "description": "<p>Never</p>"},
        {"id": 12, "chapter_id": 404, "date_and_time": LONG_AGO},
        {"id": 13, "chapter_id": 1, "date_and_time": LONG_AGO, "virtual": True},
    )
    planner.insert(
        "workshop_sponsors",
        {"id": 11, "workshop_id": 13, "sponsor_id": 1, "host": True},
        {"id": 12, "workshop_id": 13, "sponsor_id": 11, "host": True},
        {"id": 13, "workshop_id": 11, "sponsor_id": 1, "host": True},
    )
    planner.insert(
        "workshop_invitations",
        *(
            {"id": 10 + nr, "workshop_id": workshop, "member_id": member, "role": role}
            | {"token": token, "attending": attending, "note": "n" * 150}
            for nr, (workshop, member, role, token, attending) in enumerate(
                [
                    (13, 2, "Student", "token-twice-1", None),
                    (13, 2, "Coach", "token-twice-2", True),
                    (13, 3, None, None, False),
                    (13, 1, "Coach", "token-same", None),
                    (13, 13, "Student", "token-same", None),
                    (13, 404, "Student", "token-nobody", True),
                    (11, 2, "Student", "token-no-start", True),
                    (None, 2, "Student", "token-no-workshop", None),
                ]
            )
        ),
    )
    planner.insert(
        "waiting_lists",
        {"id": 11, "invitation_id": 12, "auto_rsvp": True},
        {"id": 12, "invitation_id": 12, "auto_rsvp": True},
        {"id": 13, "invitation_id": 11, "auto_rsvp": False},
        {"id": 14, "invitation_id": 404, "auto_rsvp": True},
    )
    log = {"loggable_type": "Workshop", "loggable_id": 13, "chapter_id": 1, "audience": "students"}
    planner.insert(
        "invitation_logs",
        log | {"id": 11, "status": "running", "started_at": LONG_AGO, "action": "invite"},
        log | {"id": 12, "status": "completed", "audience": "friends", "action": "invite"},
        log | {"id": 13, "status": "completed", "loggable_type": "Event", "action": "invite"},
    )
    planner.insert(
        "invitation_log_entries",
        *(
            {"id": 10 + nr, "invitation_log_id": log, "member_id": member, "status": status}
            for nr, (log, member, status) in enumerate(
                [
                    (11, 2, "failed"),
                    (11, 2, "success"),
                    (12, 2, "success"),
                    (12, 404, "success"),
                    (13, 2, "success"),
                ]
            )
        ),
    )
    planner.insert(
        "feedback_requests",
        {"id": 11, "member_id": 2, "workshop_id": 13, "token": "f1", "submited": False},
        {"id": 12, "member_id": 2, "workshop_id": 13, "token": "f2", "submited": True},
        {"id": 13, "member_id": 404, "workshop_id": 13, "token": "f3", "submited": True},
    )
    planner.insert(
        "feedbacks",
        {"id": 11, "workshop_id": 13, "coach_id": 404, "rating": 5, "request": "<b>Good</b>"},
        {"id": 12, "workshop_id": 13, "coach_id": 1, "rating": 9},
        {"id": 13, "workshop_id": 404, "rating": 4},
    )


def member_row(number: int, email: str | None, **values: Any) -> dict[str, Any]:
    """A member as planner keeps them."""
    return {
        "id": number,
        "email": email,
        "name": "Somebody",
        "surname": "",
        "about_you": "I like to learn.",
        "accepted_toc_at": LONG_AGO,
        "updated_at": LONG_AGO,
        **values,
    }


def chapter_row(number: int, name: str, **values: Any) -> dict[str, Any]:
    """A chapter as planner keeps it."""
    return {
        "id": number,
        "name": name,
        "email": f"{name.lower()}@chapters.example",
        "city": name,
        "slug": name.lower(),
        "time_zone": "London",
        **values,
    }


def _on_server(server: str, statement: str) -> None:
    connection = psycopg2.connect(f"{server}/postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
