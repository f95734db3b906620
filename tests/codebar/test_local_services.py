"""The services of bin/dev and bin/test: real ones, that can be killed and started again."""

import contextlib
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from codebar.local import ports
from codebar.local.postgres import Postgres
from codebar.local.service import NotStarted
from codebar.local.testing import throw_away_folder
from codebar.local.valkey import BROKER, CACHE, Valkey


@pytest.fixture
def folder() -> Iterator[Path]:
    with throw_away_folder() as folder:
        yield folder


@pytest.fixture
def postgres(folder: Path) -> Iterator[Postgres]:
    with Postgres(folder / "postgres", port=ports.pick(), durable=False) as postgres:
        yield postgres


@pytest.fixture
def broker(folder: Path) -> Iterator[Valkey]:
    with Valkey(folder / "broker", port=ports.pick(), policy=BROKER) as broker:
        yield broker


def test_postgres_keeps_its_data_when_it_is_killed(postgres):
    url = postgres.url
    ask(url, "CREATE TABLE kept AS SELECT 1 AS number")

    postgres.kill()
    with pytest.raises(psycopg2.OperationalError):
        ask(url, "SELECT 1")
    postgres.start()

    assert postgres.url == url
    assert ask(url, "SELECT number FROM kept") == [(1,)]


def test_postgres_left_running_by_a_killed_bin_dev_is_replaced(postgres):
    ask(postgres.url, "CREATE TABLE kept AS SELECT 1 AS number")

    with Postgres(postgres.directory, port=postgres.port) as successor:
        assert ask(successor.url, "SELECT number FROM kept") == [(1,)]

    assert not postgres.is_running


def test_postgres_starts_where_its_account_cannot_go_and_opens_no_door(folder):
    folder.chmod(0o700)  # as /root is

    with Postgres(folder / "postgres", port=ports.pick(), durable=False) as postgres:
        assert ask(postgres.url, "SELECT 1") == [(1,)]

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_postgres_asks_for_its_password(postgres):
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask(postgres.url.replace(":", ":not-", 2).replace("not-//", "//"), "SELECT 1")


def test_postgres_answers_a_commit_only_when_it_is_in_its_log(postgres):
    assert ask(postgres.url, "SHOW synchronous_commit") == [("on",)]


def test_valkey_keeps_what_the_broker_was_given_when_it_is_killed(broker):
    url = broker.url
    client(url).set("kept", "1")

    broker.kill()
    with pytest.raises(redis.ConnectionError):
        client(url).ping()
    broker.start()

    assert broker.url == url
    assert client(url).get("kept") == b"1"


def test_the_cache_forgets(folder):
    with Valkey(folder / "cache", port=ports.pick(), policy=CACHE) as cache:
        client(cache.url).set("forgotten", "1")
        cache.stop()
        cache.start()

        assert client(cache.url).get("forgotten") is None
        assert client(cache.url).config_get("maxmemory-policy") == {
            "maxmemory-policy": "allkeys-lru"
        }


def test_valkey_asks_for_its_password(broker):
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=broker.port).ping()


def test_a_service_whose_port_is_busy_says_so_and_leaves_nothing(folder):
    with listener() as port:
        broker = Valkey(folder / "broker", port=port, policy=BROKER)

        with pytest.raises(NotStarted, match=rf"Valkey did not start at port {port}"):
            broker.start()

    assert not broker.is_running


def test_a_busy_port_is_not_picked():
    with listener() as busy:
        assert ports.pick(busy) != busy
        assert ports.next_free(busy) > busy


def test_a_free_port_is_picked():
    port = ports.pick()

    assert ports.pick(port) == port
    assert ports.next_free(port) == port


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    """What PostgreSQL answers, in a connection of its own."""
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, retry=None)


@contextlib.contextmanager
def listener() -> Iterator[int]:
    """A port at which somebody else listens."""
    with socket.create_server((ports.LOOPBACK, ports.pick())) as other:
        yield other.getsockname()[1]
