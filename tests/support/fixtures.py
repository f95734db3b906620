"""What tests that really send stand on: a mail server, a broker, a database, and their times."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from celery import current_app
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from codebar.local import ports
from codebar.local.postgres import Postgres
from codebar.local.valkey import BROKER, Valkey
from invitations import tasks
from logs.models import Hold, Pace, Switch
from logs.services import slots
from tests.support.emptying import empty_tables
from tests.support.processes import QUICK, STEADY, Station
from tests.support.smtp_sink import SmtpSink


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """A mail server that takes everything, until the test gives it a script."""
    sink = SmtpSink().start()
    yield sink
    sink.stop()


@pytest.fixture
def broker_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """
    An empty broker: one Redis database for each process of pytest, and none of them the first, in
    which tests without this fixture ring.
    """
    worker_id = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    server, _ = django_settings.BROKER_URL.rsplit("/", 1)
    url = f"{server}/{int(worker_id.removeprefix('gw')) + 1}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    yield from _with_broker(url)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Valkey]:
    """A broker that a test may kill, stop and empty."""
    with Valkey(tmp_path / "broker", port=ports.pick(), policy=BROKER) as valkey:
        yield from _with_broker(valkey.url, valkey)


@pytest.fixture(scope="session", autouse=True)
def emptied_after_every_test_with_real_transactions() -> Iterator[None]:
    """Down to the rows that migrations make once."""

    def leave_first_rows(_: TransactionTestCase) -> None:
        empty_tables()
        _first_rows()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", leave_first_rows)
        yield


@pytest.fixture
def ledger(transactional_db: None) -> None:
    """Empty tables, with the rows that migrations make once, and real transactions."""


@pytest.fixture(scope="session")
def migrated(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Path:
    """The folder of a PostgreSQL that was migrated and has stopped, to be copied."""
    folder = tmp_path_factory.mktemp("migrated") / "postgres"
    postgres = Postgres(folder, port=ports.pick(), durable=False)
    with postgres, django_db_blocker.unblock(), _used_by_django(postgres):
        call_command("migrate", verbosity=0)
    return postgres.directory


@pytest.fixture
def own_postgres(
    tmp_path: Path, migrated: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[Postgres]:
    """A PostgreSQL that a test may kill and stop, migrated, and used by Django meanwhile."""
    postgres = Postgres(tmp_path / "postgres", port=ports.pick(), durable=False)
    # With owners, since PostgreSQL may run as nobody.
    subprocess.run(["cp", "-a", f"{migrated}/.", postgres.directory], check=True)
    with postgres, django_db_blocker.unblock(), _used_by_django(postgres):
        yield postgres


@pytest.fixture
def quick(settings: Settings) -> None:
    """
    The protocol's times in this process, nearly as short as in the workers': the mail server is a
    thread of the same process, and either may have to wait for the other.
    """
    for name, value in (QUICK | STEADY).items():
        if hasattr(django_settings, name):
            setattr(settings, name, json.loads(value))


@pytest.fixture
def station(
    ledger: None, sink: SmtpSink, broker_url: str, quick: None, settings: Settings
) -> Iterator[Station]:
    """A mail server, a broker and a database. The test starts the workers."""
    yield from _station(sink, broker_url, settings)


@pytest.fixture
def station_with_own_postgres(
    own_postgres: Postgres, sink: SmtpSink, broker_url: str, quick: None, settings: Settings
) -> Iterator[Station]:
    yield from _station(sink, broker_url, settings)


@pytest.fixture
def station_with_own_broker(
    ledger: None, sink: SmtpSink, own_broker: Valkey, quick: None, settings: Settings
) -> Iterator[Station]:
    yield from _station(sink, own_broker.url, settings)


def _station(sink: SmtpSink, broker_url: str, settings: Settings) -> Iterator[Station]:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    slots.provide(django_settings.MAIL_CONNECTIONS)
    station = Station(sink, broker_url=broker_url, variables={})
    yield station
    station.stop()


def _with_broker(url: str, found: object = None) -> Iterator[object]:
    before = current_app.conf.broker_url
    current_app.conf.broker_url = url
    tasks.forget_failure()
    yield found or url
    current_app.conf.broker_url = before


def _first_rows() -> None:
    Switch.objects.get_or_create(chapter=None, defaults={"is_on": True})
    Hold.objects.get_or_create(id=1)
    Pace.objects.get_or_create(id=1)


@contextmanager
def _used_by_django(postgres: Postgres) -> Iterator[None]:
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(_address(postgres))
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def _address(postgres: Postgres) -> dict[str, object]:
    url = urlsplit(postgres.url)
    return {
        "NAME": url.path.lstrip("/"),
        "USER": url.username,
        "PASSWORD": url.password,
        "HOST": url.hostname,
        "PORT": url.port,
    }
