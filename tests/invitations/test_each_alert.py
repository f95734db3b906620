"""
R31: each alert is raised by what is really wrong, reaches a mail server, a webhook and, where it
cannot wait, the pager; and it ends when what is wrong is over.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis

from codebar.local.valkey import Valkey
from invitations.services import sweeping, telling
from logs.models import (
    Alert,
    Severity,
)
from logs.services import alerts
from logs.services.alerts import KINDS, QUIET
from tests.support.on_call import going_on, later
from tests.support.plants import PLANTS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("told_nobody")]

# At least these are told.
NUMBERS = {
    "audit": {"breaches": 1},
    "broker_memory": {},
    "stalled_log": {"minutes": 11, "waiting": 0},
    "queue_age": {"minutes": 6, "waiting": 1},
    "failure_rate": {"failed": 2, "letters": 20, "percent": 10},
    "in_doubt": {"letters": 1},
    "retries_exhausted": {"letters": 1},
    "prepare_failed": {"tries": 5},
    "guard": {"letters": 700, "seen": 70},
    "server_errors": {"errors": 5, "minutes": 5},
    "held": {"minutes": 3},
    "switch": {},
    "sweep_silent": {"minutes": 6},
}


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"broker_memory"}))
def test_r31_each_alert_is_told_and_ends(kind, on_call, sink, chat, pager):
    cure = PLANTS[kind]()
    _found_told_and_over(kind, cure, sink, chat, pager)


def test_r31_the_broker_is_nearly_full(own_broker: Valkey, settings, on_call, sink, chat, pager):
    settings.BROKER_URL = own_broker.url
    with redis.Redis.from_url(own_broker.url) as client:
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.1))

        _found_told_and_over(
            "broker_memory", lambda: client.config_set("maxmemory", 0), sink, chat, pager
        )


def _found_told_and_over(kind, cure, sink, chat, pager):
    sweeping.sweep()
    sweeping.sweep()

    alert = Alert.objects.get(kind=kind)
    assert alert.numbers | NUMBERS[kind] == alert.numbers
    if kind != "sweep_silent":
        assert alert.ended_at is None

    later(timedelta(minutes=3))
    if kind == "sweep_silent":  # it was over with the second sweep
        later(QUIET)
    telling.tell()
    telling.tell()

    assert len(sink.letters) == 1
    letter = sink.letters[0]
    assert letter.recipient == "amina@ops.example"
    text = letter.message.get_body(("plain",)).get_content()
    alert.refresh_from_db()
    assert KINDS[kind].title.upper() in text
    assert alerts.sentence(alert) in " ".join(text.split())
    assert "1.2+abc" in text
    assert "@people.example" not in text
    told = {(one["kind"], one["state"]) for one in chat.posted[0].json["alerts"]}
    is_over = kind == "sweep_silent"
    assert told == {(kind, "over" if is_over else "began")}
    is_urgent = KINDS[kind].severity == Severity.PAGE
    assert len(pager.posted) == is_urgent
    if is_over:
        return
    assert f"/admin/runbook#{kind}" in text

    cure()
    sweeping.sweep()
    telling.tell()
    assert len(sink.letters) == 1
    later(QUIET)
    telling.tell()
    telling.tell()

    assert going_on() == {}
    assert len(sink.letters) == 2
    assert sink.letters[1].message["Subject"] == f"codebar, over: {KINDS[kind].title}"
    assert [post.json["alerts"][0]["state"] for post in chat.posted] == ["began", "over"]
    assert len(pager.posted) == 2 * is_urgent


def test_nothing_is_wrong_with_an_empty_house(on_call, sink):
    sweeping.sweep()

    assert not Alert.objects.exists()
    assert not telling.is_due()
