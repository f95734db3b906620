"""A database of an earlier release, with rows that later rules forbid, becomes one of today."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db import connection

from logs.models import Activity, InvitationLog, Switch
from members.models import Member
from tests.support.schema import (
    OURS,
    catalogue,
    migrate,
    tables_of_the_first_release,
    take_everything_back,
)

pytestmark = pytest.mark.usefixtures("old_database")

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WITHOUT_A_MOMENT = "It was scheduled without a moment to leave at."
FAILING = "Letters of ours came back on five days of a month."
COMPLAINED = "A letter of ours was marked as unwanted."
NO_MAILBOX = "550 5.1.1 No such mailbox"

# Rules over tables of the first release that came later, and how a row can break each.
LATER_RULES = {
    "log_is_scheduled_for_a_moment": "a log of before: see below",
    "member_language_is_known": "never: its column came with it",
    "invitation_override_names_who": "never: its columns came with it",
    "one_invitation_per_token": "never: the column was unique before",
}


def test_every_later_rule_is_listed_here():
    old = tables_of_the_first_release()
    later = {
        constraint.name
        for app in OURS
        for model in old.get_app_config(app).get_models(include_auto_created=False)
        for constraint in apps.get_model(app, model.__name__)._meta.constraints
        if constraint.name not in {one.name for one in model._meta.constraints}
    }
    assert later == LATER_RULES.keys()


@pytest.mark.timeout(600)  # Django renders every model at every step back
def test_there_and_back_leaves_the_same_database():
    migrate()
    before = catalogue()

    take_everything_back()
    left = {name for name in catalogue() if name.startswith(tuple(f"{app}_" for app in OURS))}
    migrate()

    assert left == set()
    assert catalogue() == before


def test_what_later_rules_forbid_is_repaired_and_written_down():
    old = tables_of_the_first_release()
    members, chapter = old.get_model("members", "Member").objects, _chapter(old)
    asha, bruno, chidi = (
        members.create(email=f"{name}@people.example", name=name) for name in ("a", "b", "c")
    )
    logs = old.get_model("logs", "InvitationLog").objects
    moved = logs.create(
        chapter=chapter, initiator=asha, audience="students", status="scheduled", send_at=NOON
    )
    lost = logs.create(chapter=chapter, initiator=asha, audience="coaches", status="scheduled")
    for member in (bruno, chidi):
        lost.entries.create(member=member, status="pending")
    empty = logs.create(chapter=chapter, initiator=asha, audience="everyone", status="scheduled")

    migrate("logs", "0004")

    assert list(InvitationLog.objects.order_by("pk").values_list("pk", "status", "reason")) == [
        (moved.pk, "scheduled", ""),
        (lost.pk, "cancelled", WITHOUT_A_MOMENT),
        (empty.pk, "cancelled", WITHOUT_A_MOMENT),
    ]
    assert not InvitationLog.objects.filter(status="cancelled", finished_at=None).exists()
    assert list(lost.entries.order_by("member").values_list("member", "status", "reason")) == [
        (bruno.pk, "cancelled", WITHOUT_A_MOMENT),
        (chidi.pk, "cancelled", WITHOUT_A_MOMENT),
    ]
    assert list(Activity.objects.order_by("pk").values_list("did", "chapter", "by", "remark")) == [
        (f"cancelled 2 letters of log {lost.pk}", chapter.pk, None, WITHOUT_A_MOMENT),
        (f"cancelled 0 letters of log {empty.pk}", chapter.pk, None, WITHOUT_A_MOMENT),
    ]


def test_complaints_get_a_column_and_lose_no_reason():
    members = tables_of_the_first_release().get_model("members", "Member").objects
    for name, at, reason in (
        ("fine", None, ""),
        ("only", NOON, COMPLAINED),
        ("failing", NOON, f"{FAILING} {COMPLAINED}"),
        ("gone", NOON, f"{NO_MAILBOX} {COMPLAINED}"),
        ("bounced", NOON, NO_MAILBOX),
    ):
        members.create(
            email=f"{name}@people.example",
            name=name,
            address_unusable_at=at,
            address_unusable_reason=reason,
        )

    migrate("members")

    columns = ("name", "address_unusable_at", "address_unusable_reason", "complained_at")
    assert list(Member.objects.order_by("pk").values_list(*columns)) == [
        ("fine", None, "", None),
        ("only", None, "", NOON),
        ("failing", NOON, FAILING, NOON),
        ("gone", NOON, NO_MAILBOX, NOON),
        ("bounced", NOON, NO_MAILBOX, None),
    ]


def test_rows_of_the_first_release_are_all_there_afterwards():
    old = tables_of_the_first_release()
    chapter = _chapter(old)
    asha = old.get_model("members", "Member").objects.create(email="a@people.example", name="Asha")
    workshop = chapter.workshops.create(starts_at=NOON, ends_at=NOON.replace(hour=14))
    group = chapter.groups.create(name="Students", role="student")
    group.subscriptions.create(member=asha)
    workshop.invitations.create(member=asha, role="student", token="t" * 40)
    old.get_model("logs", "Switch").objects.create(chapter=None, is_on=False)
    before = _rows_of(old)

    migrate()

    assert _rows_of(old) == before
    assert not Switch.objects.get(chapter=None).is_on, "what was stopped stays stopped"
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE NOT convalidated")
        assert cursor.fetchall() == []


def _rows_of(old):
    """What stands in the columns of the first release, but for tables where 0002 makes rows."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for app in OURS
        for model in old.get_app_config(app).get_models(include_auto_created=True)
        if model.__name__ not in ("Hold", "Pace")
    }


def _chapter(old):
    return old.get_model("chapters", "Chapter").objects.create(
        name="Berlin", slug="berlin", email="berlin@codebar.example", city="Berlin"
    )
