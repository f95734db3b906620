from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import redis
from celery import current_app
from django.conf import settings as django_settings

from logs.models import Switch
from logs.services import slots
from tests.support.processes import QUICK, Station
from tests.support.smtp_sink import SmtpSink


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    sink = SmtpSink().start()
    yield sink
    sink.stop()


@pytest.fixture
def broker_url(worker_id_number: int) -> Iterator[str]:
    """An empty broker, one Redis database for each process of pytest."""
    url = f"{django_settings.BROKER_URL.rsplit('/', 1)[0]}/{worker_id_number}"
    client = redis.Redis.from_url(url)
    client.flushdb()
    before = current_app.conf.broker_url
    current_app.conf.broker_url = url
    yield url
    current_app.conf.broker_url = before
    client.close()


@pytest.fixture
def worker_id_number(request: pytest.FixtureRequest) -> int:
    worker_id = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(worker_id.removeprefix("gw"))


@pytest.fixture
def ledger(transactional_db: None) -> None:
    """The rows that migrations make once, which emptying the tables has taken away."""
    Switch.objects.get_or_create(chapter=None, defaults={"is_on": True})


@pytest.fixture
def station(ledger: None, sink: SmtpSink, broker_url: str, settings: object) -> Iterator[Station]:
    """A mail server and a broker; the test starts the workers. Times are `QUICK`."""
    for name, value in QUICK.items():
        if hasattr(django_settings, name):
            setattr(settings, name, json.loads(value))
    settings.EMAIL_PORT = sink.port
    settings.EMAIL_HOST = "127.0.0.1"
    slots.provide(django_settings.MAIL_CONNECTIONS)
    station = Station(sink, broker_url=broker_url, variables={})
    yield station
    station.stop()
