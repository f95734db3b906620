"""What Prometheus is told, and who is told it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from logs.models import EntryStatus, Hold, LogStatus, Priority, Slot, Switch
from logs.services import alerts, heartbeats, readings, tallies
from tests.factories import (
    ChapterFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    WorkshopFactory,
)
from tests.support import database

pytestmark = pytest.mark.django_db

TOKEN = "0123456789-0123456789"


@pytest.fixture(autouse=True)
def release(settings) -> None:
    settings.RELEASE = "1.0+abc"


def _samples(client: Client | None = None, **headers: str) -> dict[str, float]:
    """Every sample by its name and labels, without the release, which each of them has."""
    response = (client or Client()).get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("release") == "1.0+abc", sample
            name = sample.name.removeprefix("codebar_")
            found[" ".join([name, *(f"{key}={value}" for key, value in labels.items())])] = (
                sample.value
            )
    return found


def test_an_empty_ledger_says_so():
    Slot.objects.all().delete()

    assert _samples() == {
        "release": 1,
        "letters_pending line=single": 0,
        "letters_pending line=bulk": 0,
        "letters_sending line=single": 0,
        "letters_sending line=bulk": 0,
        "letters_overdue_seconds line=single": 0,
        "letters_overdue_seconds line=bulk": 0,
        "letters_in_doubt": 0,
        "connections state=free": 0,
        "connections state=busy": 0,
        "letters_sent_total": 0,
        "smtp_seconds_total": 0,
        "leases_expired_total": 0,
        "sending_stopped": 0,
        "chapters_stopped": 0,
        "sending_held": 0,
        **{f"logs state={state}": 0 for state in LogStatus.values},
        "letters_not_delivered_total outcome=failed": 0,
        "letters_not_delivered_total outcome=unknown": 0,
    }


def test_everything_that_can_be_told():
    Slot.objects.all().delete()
    Slot.objects.create(nr=1, letters=40, smtp_ms=1500, expired=2)
    log = InvitationLogFactory(status=LogStatus.RUNNING)
    InvitationLogFactory(status=LogStatus.PAUSED)
    minutes_ago = timezone.now() - timedelta(minutes=10)
    for status in (EntryStatus.PENDING, EntryStatus.UNKNOWN, EntryStatus.FAILED):
        InvitationLogEntryFactory(
            log=log, status=status, priority=Priority.BULK, due_at=minutes_ago
        )
    InvitationLogEntryFactory(log=None, workshop=None, priority=Priority.SINGLE)
    Switch.objects.create(chapter=ChapterFactory(), is_on=False)
    heartbeats.beat(heartbeats.SWEEP)
    alerts.raise_alert("in_doubt", numbers={"letters": 1})

    found = _samples()

    assert 590 < found.pop("letters_overdue_seconds line=bulk") < 700
    assert 0 <= found.pop("heartbeat_age_seconds name=sweep") < 60
    assert {name: value for name, value in found.items() if value} == {
        "release": 1,
        "letters_pending line=single": 1,
        "letters_pending line=bulk": 1,
        "letters_in_doubt": 1,
        "connections state=free": 1,
        "letters_sent_total": 40,
        "smtp_seconds_total": 1.5,
        "leases_expired_total": 2,
        "chapters_stopped": 1,
        "logs state=running": 1,
        "logs state=paused": 1,
        "alerts kind=in_doubt": 1,
    }


def test_stopped_and_held():
    Switch.objects.filter(chapter=None).update(is_on=False)
    Hold.objects.update_or_create(id=1, defaults={"since": timezone.now()})

    found = _samples()

    assert (found["sending_stopped"], found["sending_held"]) == (1, 1)


def test_what_is_only_counted_counts_on_with_the_readings():
    first = readings.take()
    totals = first.totals | {"failed": 3, "unknown": 2, "tallies": {"server_errors": 5}}
    type(first).objects.update(totals=totals)
    tallies.count("server_errors")  # of this minute, which the next reading counts

    found = _samples()

    assert {
        name: value for name, value in found.items() if "not_del" in name or "happ" in name
    } == {
        "letters_not_delivered_total outcome=failed": 3,
        "letters_not_delivered_total outcome=unknown": 2,
        "happened_total what=server_errors": 5,
    }


def test_it_costs_the_same_with_more_rows(django_assert_max_num_queries):
    def ask() -> int:
        with django_assert_max_num_queries(14) as captured:
            _samples()
        return len(captured)

    InvitationLogEntryFactory()
    few = ask()
    for _ in range(3):
        InvitationLogEntryFactory(log=InvitationLogFactory(workshop=WorkshopFactory()))

    assert ask() == few


# ---- Who is told --------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_is_told(address):
    assert Client(REMOTE_ADDR=address).get("/metrics").status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "2001:db8::1", ""])
def test_nobody_else_is_told_without_a_token(address):
    assert Client(REMOTE_ADDR=address).get("/metrics").status_code == 404


def test_behind_a_proxy_nobody_is_told_without_a_token(settings):
    """They all come from there, and it may be on this machine."""
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert Client(REMOTE_ADDR="127.0.0.1").get("/metrics").status_code == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.7"])
def test_whoever_bears_the_token_is_told(settings, address):
    settings.METRICS_TOKEN = TOKEN

    assert _samples(Client(REMOTE_ADDR=address), Authorization=f"Bearer {TOKEN}")


@pytest.mark.parametrize(
    "said",
    ["", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
     "Bearer é"],
)  # fmt: skip
def test_whoever_does_not_is_not_even_from_this_machine(settings, said):
    settings.METRICS_TOKEN = TOKEN

    response = Client(REMOTE_ADDR="127.0.0.1").get("/metrics", headers={"Authorization": said})

    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert response.content == b"Send METRICS_TOKEN as a bearer token.\n"


@pytest.mark.django_db(transaction=True)
def test_without_its_database_it_says_so():
    with database.away():
        response = Client().get("/metrics")

    assert (response.status_code, response.content) == (503, b"The database does not answer.\n")
