"""Rules that the models declare and PostgreSQL does not keep are named."""

from __future__ import annotations

import pytest
from django.db import connection

from invitations.queries import declared_rules

pytestmark = pytest.mark.django_db


def rules() -> list[tuple[str, str]]:
    return [(breach.kind, breach.reason) for breach in declared_rules.broken_rules()]


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


LIVE_INDEX = "CREATE UNIQUE INDEX one_live_letter_per_occasion ON logs_invitationlogentry"
KEY = "(workshop_id, member_id, action, occasion)"
IS_LIVE = "WHERE status IN ('pending', 'sending', 'success', 'unknown')"


@pytest.mark.parametrize(
    ("index", "lack"),
    [
        ("", "there is no such unique index, or it is not valid"),
        (
            f"{LIVE_INDEX.replace('UNIQUE ', '')} {KEY} {IS_LIVE}",
            "there is no such unique index, or it is not valid",
        ),
        (
            f"{LIVE_INDEX} (workshop_id, member_id, action) NULLS NOT DISTINCT {IS_LIVE}",
            "its index is on workshop_id, member_id, action",
        ),
        (
            f"{LIVE_INDEX} {KEY} {IS_LIVE}",
            "its index lets any number of rows without a value pass",
        ),
        (
            f"{LIVE_INDEX} {KEY} NULLS NOT DISTINCT WHERE status = 'success'",
            "its index is only where ((status)::text = 'success'::text)",
        ),
        (f"{LIVE_INDEX} {KEY} NULLS NOT DISTINCT {IS_LIVE}", None),
    ],
)
def test_a_rule_whose_index_does_not_keep_it_is_named(index, lack):
    execute("DROP INDEX one_live_letter_per_occasion")
    if index:
        execute(index)

    expected = [("no_index", f"one_live_letter_per_occasion: {lack}")] if lack else []
    assert rules() == expected


def test_a_unique_field_without_its_index_is_named():
    execute(f"ALTER TABLE members_member DROP CONSTRAINT {_name_of_unique_address()}")

    assert rules() == [("no_index", "no unique index on members_member (email)")]


def test_a_table_between_two_models_is_looked_at_too():
    table = "chapters_chapter_organisers"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'u' AND conrelid = %s::regclass",
            [table],
        )
        (name,) = cursor.fetchone()
    execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')

    assert rules() == [("no_index", f"no unique index on {table} (chapter_id, member_id)")]


def test_a_check_that_is_gone_or_was_never_validated_is_named():
    execute("ALTER TABLE logs_hold DROP CONSTRAINT one_hold")
    execute("ALTER TABLE logs_pace DROP CONSTRAINT one_pace")
    execute("ALTER TABLE logs_pace ADD CONSTRAINT one_pace CHECK (id = 1) NOT VALID")

    assert rules() == [
        ("no_check", "one_hold: PostgreSQL does not check it"),
        ("no_check", "one_pace: PostgreSQL does not check it"),
    ]


def _name_of_unique_address() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conname FROM pg_constraint
            WHERE contype = 'u' AND conrelid = 'members_member'::regclass
            """
        )
        (name,) = cursor.fetchone()
    return str(name)
