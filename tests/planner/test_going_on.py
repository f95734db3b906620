"""Killed, cut off, tried out, run twice: what is saved is whole, and the next run goes on."""

import csv
import signal

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chapters.models import Chapter, Group
from logs.models import ImportedTable, ImportFinding, PlannerImport
from members.models import Member
from tests.factories import MemberFactory
from tests.planner import network
from tests.planner.processes import end_of, importing, peak_megabytes
from tests.support.database import execute, somebody_waits_for_a_row, sums_of_all_tables
from tests.support.planner import Planner, fill_clean, fill_dirty
from tests.support.processes import database_url
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db

MANY = 12_000
IN_THE_SECOND_CHUNK = 7_000


def fill_many(planner: Planner, count: int = MANY) -> None:
    planner.execute(
        """
        INSERT INTO members (id, name, surname, email, about_you, created_at, updated_at)
        SELECT n, 'Name', 'Surname', 'm' || n || '@people.example', 'x', '2019-01-01', '2019-01-01'
        FROM generate_series(1, %s) n
        """,
        count,
    )
    planner.insert("chapters", {"id": 1, "name": "London", "email": "l@x.example", "city": "L"})
    planner.execute("UPDATE chapters SET slug = 'london'")


class InTheWay:
    """Somebody who writes a member of this number and does not commit: the import waits there."""

    def __init__(self, number: int) -> None:
        self._connection = psycopg2.connect(database_url())
        with self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO members_member (id, password, email, name, surname, pronouns,"
                " address_unusable_reason, is_superuser)"
                " VALUES (%s, '', 'way@people.example', 'In', 'The', '', '', false)",
                [number],
            )
        wait_until(lambda: not somebody_waits_for_a_row(), what="nobody waiting yet")

    def leave(self) -> None:
        self._connection.close()


def books() -> list[tuple[str, int, int, int, int]]:
    rows = ImportedTable.objects.order_by("table")
    return list(rows.values_list("table", "read", "imported", "merged", "left_out"))


@pytest.mark.django_db(transaction=True)
def test_killed_between_chunks_the_next_run_goes_on_there(planner):
    fill_many(planner)
    somebody = InTheWay(IN_THE_SECOND_CHUNK)
    with importing(planner) as process:
        wait_until(somebody_waits_for_a_row, seconds=60, what="the second chunk")
        process.send_signal(signal.SIGKILL)
        process.wait()
    somebody.leave()
    wait_until(lambda: not somebody_waits_for_a_row(), what="the session to end")
    assert Member.objects.count() == 5_000
    assert ImportedTable.objects.get(table="members").last_key == 5_000

    with importing(planner) as process:
        code, said = end_of(process)

    assert code == 0, said
    assert Member.objects.count() == MANY
    assert set(ImportedTable.objects.filter(table="members").values_list("read", "imported")) == {
        (MANY, MANY)
    }
    assert PlannerImport.objects.get().finished_at is not None


@pytest.mark.django_db(transaction=True)
def test_cut_off_from_planner_it_says_so_and_the_next_run_goes_on(planner):
    fill_many(planner)
    somebody = InTheWay(IN_THE_SECOND_CHUNK)
    with importing(planner) as process:
        wait_until(somebody_waits_for_a_row, seconds=60, what="the second chunk")
        cut = planner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'codebar import_planner'"
            " AND datname = current_database()"
        )
        somebody.leave()
        code, said = end_of(process)

    assert cut == [(True,)]
    assert code == 1
    assert "Run the same command again: it goes on where it stopped." in said
    assert "Traceback" not in said
    assert Member.objects.count() == 10_000

    call_command("import_planner", planner.url)

    assert Member.objects.count() == MANY


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_are_one(planner):
    fill_many(planner)
    somebody = InTheWay(IN_THE_SECOND_CHUNK)
    with importing(planner) as process:
        wait_until(somebody_waits_for_a_row, seconds=60, what="the second chunk")
        with pytest.raises(CommandError, match="Another import is running"):
            call_command("import_planner", planner.url)
        somebody.leave()
        code, said = end_of(process)
    assert code == 0, said
    assert Member.objects.count() == MANY


def test_the_second_run_changes_nothing(planner, capsys):
    network.fill(planner)
    fill_dirty(planner)
    call_command("import_planner", planner.url)
    before = sums_of_all_tables()
    capsys.readouterr()

    call_command("import_planner", planner.url)

    assert sums_of_all_tables() == before
    assert "Everything is here already. Nothing was changed." in capsys.readouterr().out


def test_the_second_run_names_what_came_since(planner, capsys):
    fill_clean(planner)
    call_command("import_planner", planner.url)
    planner.insert("chapters", {"id": 9, "name": "Late", "email": "late@x.example"})
    capsys.readouterr()

    call_command("import_planner", planner.url)

    assert (
        "chapters has 3 rows in planner now, and 2 were read: planner was used meanwhile, and"
        " what came later is not here." in capsys.readouterr().out
    )


def test_a_dry_run_reports_the_same_and_changes_nothing_not_even_a_sequence(
    planner, tmp_path, capsys
):
    network.fill(planner)
    fill_dirty(planner)
    before, next_ids = sums_of_all_tables(), sequences()
    call_command("import_planner", planner.url, "--dry-run", "--report", str(tmp_path / "dry.csv"))
    dry = capsys.readouterr().out

    assert sums_of_all_tables() == before
    assert sequences() == next_ids

    call_command("import_planner", planner.url, "--report", str(tmp_path / "real.csv"))
    real = capsys.readouterr().out
    assert (tmp_path / "dry.csv").read_text() == (tmp_path / "real.csv").read_text()
    assert table_of(dry) == table_of(real)
    assert "This was a dry run: nothing was changed." in dry


def sequences() -> list[tuple[str, int | None]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
        return list(cursor.fetchall())


def table_of(said: str) -> list[str]:
    return [line for line in said.splitlines() if line[-1:].isdigit()]


def test_every_row_is_imported_merged_or_left_out(planner):
    network.fill(planner)
    fill_dirty(planner)

    call_command("import_planner", planner.url)

    there = planner.counts()
    assert {table: read for table, read, *_ in books()} == {
        table: count
        for table, count in there.items()
        if table not in ("schema_migrations", "ar_internal_metadata")
    }
    for table, _read, _imported, merged, left_out in books():
        findings = ImportFinding.objects.filter(table=table, old_id__isnull=False)
        assert findings.filter(outcome="merged").count() == merged, table
        if findings.exists():
            assert findings.filter(outcome="left_out").count() == left_out, table


def test_the_report_names_no_person(planner, tmp_path, capsys):
    network.fill(planner)
    fill_dirty(planner)
    file = tmp_path / "report.csv"

    call_command("import_planner", planner.url, "--report", str(file))

    lines = list(csv.DictReader(file.open()))
    assert len(lines) == ImportFinding.objects.count() > 20
    assert list(lines[0]) == ["table", "old_id", "rule", "outcome", "into_id", "detail"]
    said = file.read_text() + capsys.readouterr().out
    for (text,) in planner.execute(
        "SELECT email FROM members WHERE length(email) > 3 UNION SELECT surname FROM members"
        " WHERE length(surname) > 2 UNION SELECT token FROM workshop_invitations"
        " WHERE length(token) > 4"
    ):
        assert text not in said


def test_another_planner_or_another_zone_is_refused(planner):
    fill_clean(planner)
    call_command("import_planner", planner.url)
    before = sums_of_all_tables()

    with pytest.raises(CommandError, match="Go on with --zone UTC"):
        call_command("import_planner", planner.url, "--zone", "London")

    planner.empty()
    planner.insert("members", {"id": 4, "email": "d@people.example"})
    with pytest.raises(CommandError, match="was filled from another planner"):
        call_command("import_planner", planner.url)
    assert sums_of_all_tables() == before


def test_a_row_that_no_rule_foresaw_is_a_sentence_and_nothing_of_its_chunk(planner):
    fill_clean(planner)
    execute("ALTER TABLE chapters_group ADD CONSTRAINT no_coaches CHECK (name <> 'Coaches')")

    with pytest.raises(CommandError) as refused:
        call_command("import_planner", planner.url)

    assert str(refused.value).startswith(
        "A row of groups does not fit into codebar's database (no_coaches)"
    )
    assert (Chapter.objects.count(), Group.objects.count()) == (2, 0)
    execute("ALTER TABLE chapters_group DROP CONSTRAINT no_coaches")
    call_command("import_planner", planner.url)
    assert Group.objects.count() == 4


def test_whoever_joins_afterwards_gets_a_number_beyond(planner):
    fill_clean(planner)
    planner.insert("members", {"id": 4_000, "email": "late@people.example"})

    call_command("import_planner", planner.url)

    assert MemberFactory().pk > 4_000


def statements_of(planner: Planner) -> int:
    with CaptureQueriesContext(connection) as queries:
        call_command("import_planner", planner.url, "--dry-run")
    return len(queries)


def test_statements_do_not_grow_with_rows(planner):
    one_of_each(planner, 1)
    with_one = statements_of(planner)
    one_of_each(planner, 2)
    one_of_each(planner, 3)

    assert statements_of(planner) == with_one


def one_of_each(planner: Planner, n: int) -> None:
    planner.insert("members", {"id": n, "email": f"m{n}@people.example", "name": "N"})
    planner.insert("auth_services", {"id": n, "member_id": n, "provider": "github", "uid": str(n)})
    planner.insert("tags", {"id": n, "name": f"skill {n}"})
    planner.execute(
        "INSERT INTO taggings (id, tag_id, taggable_type, taggable_id, context)"
        " VALUES (%s, %s, 'Member', %s, 'skills')",
        n,
        n,
        n,
    )
    planner.insert(
        "chapters",
        {"id": n, "name": f"C{n}", "slug": f"c{n}", "email": f"c{n}@x.example", "city": "C"},
    )
    planner.insert("groups", {"id": n, "chapter_id": n, "name": "Students"})
    planner.insert("subscriptions", {"id": n, "member_id": n, "group_id": n})
    planner.insert(
        "permissions",
        {"id": n, "name": "organiser", "resource_type": "Chapter", "resource_id": n},
    )
    planner.execute("INSERT INTO members_permissions VALUES (%s, %s)", n, n)
    planner.insert("sponsors", {"id": n, "name": f"S{n}"})
    planner.insert("addresses", {"id": n, "sponsor_id": n, "street": "Street"})
    planner.insert(
        "contacts",
        {"id": n, "sponsor_id": n, "name": "C", "email": "c@x.example", "token": "t"},
    )
    by = {"id": n, "member_id": n}
    planner.insert("bans", by | {"added_by_id": n, "reason": "r", "permanent": True})
    planner.insert("member_notes", by | {"author_id": n, "note": "n"})
    planner.insert("attendance_warnings", by | {"sent_by_id": n})
    planner.insert("eligibility_inquiries", by | {"sent_by_id": n})
    planner.insert("workshops", network.workshop(n, network.LAST_YEAR))
    planner.insert("workshop_invitations", network.invitation(n, n, n))
    planner.insert("invitation_logs", network.log(n, n))
    planner.insert("invitation_log_entries", network.entry(n, n, n))


@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_planner(planner):
    """A chunk at a time, and never a table: 15,000 members more would be forty megabytes."""
    peaks = []
    for count in (5_000, 20_000):
        planner.empty()
        fill_many(planner, count)
        call_command("flush", interactive=False, verbosity=0)
        peaks.append(peak_megabytes(planner))
    small, large = peaks

    assert large - small < 15
