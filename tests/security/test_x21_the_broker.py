"""X21: what lies in the broker is untrusted: JSON without a secret, and nothing else is read."""

from __future__ import annotations

import json
import pickle

import pytest
import redis
import yaml
from celery import current_app
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads

from codebar.local.paths import CHECKOUT
from invitations import tasks


@pytest.mark.parametrize("kind", ["application/x-python-serialize", "application/x-yaml"])
def test_x21_only_json_is_read(kind: str):
    accepted = current_app.conf.accept_content
    bell = pickle.dumps([[], {}, {}]) if "python" in kind else b"[[], {}, {}]"

    assert accepted == ["json"]
    assert current_app.conf.task_serializer == "json"
    with pytest.raises(ContentDisallowed):
        loads(bell, kind, "binary", accept=accepted)


def test_x21_a_bell_says_nothing(broker_url: str):
    tasks.ring()

    with redis.Redis.from_url(broker_url) as broker:
        (bell,) = [
            each
            for key in broker.keys("*")
            if broker.type(key) == b"list"
            for each in broker.lrange(key, 0, -1)
        ]
    message = json.loads(bell)
    assert message["content-type"] == "application/json"
    assert message["headers"]["argsrepr"] == "()"


def test_x21_neither_broker_nor_cache_nor_database_is_open_to_the_outside():
    services = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]

    open_to = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert open_to.keys() == {"front", "catcher"}
    this_machine = ("127.0.0.1:", "${FRONT_HTTP:-127.0.0.1:", "${FRONT_HTTPS:-127.0.0.1:")
    assert all(port.startswith(this_machine) for ports in open_to.values() for port in ports)
