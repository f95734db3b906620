"""What becomes, and became, of complaints when they got a column of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.db import connection

from members.models import FAILING, Member
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db

moving = import_module("members.migrations.0006_complaints_apart")
AT = datetime(2026, 1, 1, tzinfo=UTC)
GONE = "A letter came back: there is no such address (5.1.1)."

BEFORE = {
    "Amina": (AT, moving.COMPLAINED, None),
    "Bruno": (AT, f"{GONE} {moving.COMPLAINED}", None),
    "Chidi": (AT, GONE, None),
    "Dana": (AT, FAILING, None),
    "Elif": (None, "", None),
}
AFTER = {
    "Amina": (None, "", AT),
    "Bruno": (AT, GONE, AT),
    "Chidi": (AT, GONE, None),
    "Dana": (AT, FAILING, None),
    "Elif": (None, "", None),
}


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def standing() -> dict[str, tuple[datetime | None, str, datetime | None]]:
    rows = Member.objects.values_list(
        "name", "address_unusable_at", "address_unusable_reason", "complained_at"
    )
    return {name: tuple(rest) for name, *rest in rows}


def test_a_complaint_leaves_the_reason_and_comes_back_to_it():
    for name, (at, reason, _) in BEFORE.items():
        MemberFactory(name=name, address_unusable_at=at, address_unusable_reason=reason)

    for _twice in range(2):
        run(moving.APART)
        assert standing() == AFTER

    run(moving.TOGETHER)
    back = {name: (at, reason) for name, (at, reason, _) in standing().items()}
    assert back == {name: (at, reason) for name, (at, reason, _) in BEFORE.items()}


def test_of_an_address_that_only_failed_the_complaint_is_what_stays_on_the_way_back():
    MemberFactory(
        name="Amina", address_unusable_at=AT, address_unusable_reason=FAILING, complained_at=AT
    )

    run(moving.TOGETHER)

    assert standing() == {"Amina": (AT, moving.COMPLAINED, AT)}
