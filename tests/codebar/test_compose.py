"""docker-compose.yml brings what bin/dev brings, and keeps broker and cache apart."""

import pytest
import yaml

from codebar.local.paths import CHECKOUT


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]


def test_everything_that_runs_is_there(services):
    assert services.keys() == {
        "web", "worker", "beat", "migrate", "postgres", "broker", "cache", "catcher",
    }  # fmt: skip


def test_broker_and_cache_are_two_instances(services):
    for name in ("web", "worker", "beat", "migrate"):
        environment = services[name]["environment"]
        assert environment["BROKER_URL"] == "redis://broker:6379/0"
        assert environment["CACHE_URL"] == "redis://cache:6379/0"


def test_the_broker_keeps_and_the_cache_evicts(services):
    assert "--appendonly yes --maxmemory-policy noeviction" in services["broker"]["command"]
    assert services["broker"]["volumes"] == ["broker:/data"]
    assert "--maxmemory-policy allkeys-lru" in services["cache"]["command"]
    assert "volumes" not in services["cache"]


def test_nothing_runs_before_the_database_is_migrated(services):
    for name in ("web", "worker", "beat"):
        condition = services[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


def test_there_is_one_beat(services):
    assert "deploy" not in services["beat"]
    assert "scale" not in services["beat"]
    assert [name for name in services if "beat" in services[name].get("command", "")] == ["beat"]
