"""What `import_planner` says of a database that cannot be read; nothing is changed then."""

from collections.abc import Iterator

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from invitations.services.planner.schema import NEWEST
from members.models import Member
from tests.factories import ChapterFactory, MemberFactory
from tests.support.planner import Planner, fill_clean
from tests.support.processes import database_url

pytestmark = pytest.mark.django_db


def refusal(url: str, *options: str) -> str:
    with pytest.raises(CommandError) as refused:
        call_command("import_planner", url, *options)
    return str(refused.value)


def with_user(url: str, user: str, password: str) -> str:
    return f"postgres://{user}:{password}@{url.rpartition('@')[2]}"


@pytest.fixture
def stranger(planner: Planner) -> Iterator[str]:
    """The address with which somebody comes who may read nothing."""
    name = "stranger_of_the_tests"
    planner.execute(f"CREATE USER {name} PASSWORD 'hush'")
    yield with_user(planner.url, name, "hush")
    planner.execute(f"DROP OWNED BY {name}; DROP USER {name}")


def test_an_address_of_something_else():
    assert refusal("mysql://user:secret@host/name") == (
        "This is no address of a PostgreSQL database. Write it as"
        " postgres://user:password@host:5432/name."
    )


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:s3cret@127.0.0.1:1/planner",
        "postgres://user:s3cret@127.0.0.1:port/planner",
        "postgres://user:s3cret@127.0.0.1:1/planner?sslmode=s3cret",
        "postgres://user:s3cret%@127.0.0.1:1/planner",
    ],
)
def test_nobody_answers_and_the_password_is_not_told(url):
    said = refusal(url)

    assert "s3cret" not in said
    assert said.startswith(("Planner's database does not let us in", "This is no address"))


def test_a_database_of_something_else():
    said = refusal(database_url())

    assert "is not a planner database: it has no table schema_migrations, members" in said


def test_planner_too_old(planner):
    planner.empty(version=20240101000000)
    planner.execute("DROP TABLE invitation_log_entries; ALTER TABLE bans DROP COLUMN permanent")

    assert refusal(planner.url) == (
        "This planner is too old: its schema is of version 20240101000000, and bans.permanent,"
        " invitation_log_entries came later. Upgrade planner, run its migrations (rails"
        " db:migrate), and come back."
    )


def test_planner_too_new_until_somebody_has_looked(planner):
    planner.empty(version=NEWEST + 1)
    fill_clean(planner)

    said = refusal(planner.url, "--accept-schema", str(NEWEST + 2))
    assert said.startswith(
        f"This planner is newer than this import: its schema is of version {NEWEST + 1}"
    )
    assert not Member.objects.exists()

    call_command("import_planner", planner.url, "--accept-schema", str(NEWEST + 1))
    assert Member.objects.count() == 3


def test_no_permission_names_the_tables(planner, stranger):
    planner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO stranger_of_the_tests")
    planner.execute("REVOKE SELECT ON members, bans FROM stranger_of_the_tests")

    said = refusal(stranger)

    assert "The user stranger_of_the_tests may not read bans, members" in said
    assert "GRANT SELECT ON ALL TABLES IN SCHEMA public TO stranger_of_the_tests;" in said


def test_no_permission_for_anything(planner, stranger):
    planner.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")

    said = refusal(stranger)

    assert said.endswith("Let them: GRANT USAGE ON SCHEMA public TO stranger_of_the_tests;")


def test_whoever_may_only_read_is_enough(planner, stranger):
    fill_clean(planner)
    planner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO stranger_of_the_tests")

    call_command("import_planner", stranger)

    assert Member.objects.count() == 3


def test_a_wrong_password_is_said_and_not_shown(planner, stranger):
    said = refusal(with_user(planner.url, "stranger_of_the_tests", "wr0ng"))

    assert said.startswith("Planner's database does not let us in")
    assert "wr0ng" not in said


def test_a_zone_that_nobody_knows(planner):
    said = refusal(planner.url, "--zone", "Lodnon")

    assert said.startswith("There is no time zone “Lodnon”. Did you mean Europe/London?")
    assert "Europe/Berlin" in said
    assert "Pacific Time (US & Canada)" in said


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "berlin", "Berlin", "Pacific Time (US & Canada)"]
)
def test_zones_by_either_name(planner, zone, capsys):
    call_command("import_planner", planner.url, "--zone", zone)

    assert ("Europe/Berlin" in capsys.readouterr().out) == (zone[:7] != "Pacific")


def test_people_are_here_already(planner):
    fill_clean(planner)
    ChapterFactory()
    MemberFactory.create_batch(2)

    said = refusal(planner.url)

    assert said.startswith("There are 2 members, 1 chapters in codebar's database already")
    assert Member.objects.count() == 2


def test_a_database_of_ours_that_was_not_migrated(planner):
    fill_clean(planner)
    newest = MigrationRecorder.Migration.objects.filter(app="logs").latest("name")
    newest.delete()

    said = refusal(planner.url)

    assert said.endswith("Run manage.py migrate, and then the same command again.")
    assert not Member.objects.exists()


def test_a_report_that_cannot_be_written(planner, tmp_path):
    said = refusal(planner.url, "--report", str(tmp_path / "no" / "report.csv"))

    assert said.startswith("The report cannot be written to")


def test_planner_is_opened_to_be_read_only(planner):
    from invitations.services.planner import source

    with source.reading(planner.url, zone="UTC") as opened:
        assert opened.select("SHOW transaction_read_only")[0].transaction_read_only == "on"
        assert opened.select("SHOW transaction_isolation")[0].transaction_isolation == (
            "repeatable read"
        )
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            opened.select("DELETE FROM members")
