"""docker-compose.yml: one machine that runs codebar for real."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from codebar.local.paths import CHECKOUT
from tests.support.hosting import PROGRAMS, compose_services

SERVICES = compose_services()
OURS = ("web", "worker", "beat", "migrate")
NEEDED = {"SECRET_KEY", "SITE_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL", "POSTGRES_PASSWORD"}


def seconds(words: str) -> float:
    return float(words.removesuffix("s"))


@pytest.mark.parametrize("file", ["docker-compose.yml", "deploy/workers.yml"])
def test_compose_would_take_it(file: str):
    """By the schema of the compose specification."""
    done = subprocess.run(
        [PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", CHECKOUT / file],
        capture_output=True,
        text=True,
    )

    assert (done.stdout.strip(), done.returncode) == ("ok -- validation done", 0)


def test_everything_that_runs_is_there():
    others = {"front", "postgres", "broker", "cache", "catcher"}

    assert SERVICES.keys() == others | set(OURS)
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"catcher"}


def test_broker_and_cache_are_two_instances():
    for name in OURS:
        environment = SERVICES[name]["environment"]
        assert environment["BROKER_URL"] == "redis://broker:6379/0"
        assert environment["CACHE_URL"] == "redis://cache:6379/0"


def test_the_broker_keeps_and_the_cache_evicts():
    assert "--appendonly yes --maxmemory-policy noeviction" in SERVICES["broker"]["command"]
    assert "--maxmemory 256mb" in SERVICES["broker"]["command"]  # else nearly full has no number
    assert SERVICES["broker"]["volumes"] == ["broker:/data"]
    assert "--maxmemory-policy allkeys-lru" in SERVICES["cache"]["command"]
    assert "volumes" not in SERVICES["cache"]


def test_every_setting_reaches_every_process():
    for name in OURS:
        assert SERVICES[name]["env_file"] == [{"path": ".env", "required": False}]
        assert SERVICES[name]["build"]["args"] == {"RELEASE": "${RELEASE:-}"}


def test_nothing_secret_has_a_value_for_everybody():
    text = (CHECKOUT / "docker-compose.yml").read_text()

    for name in NEEDED:
        assert f"${{{name}:?Copy deploy/codebar.env to .env and fill it in}}" in text


def test_nothing_runs_before_the_database_is_migrated():
    for name in ("web", "worker", "beat"):
        condition = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"
    assert SERVICES["migrate"]["restart"] == "no"


def test_the_database_is_there_once_others_reach_it():
    """The image's first start makes the database behind a socket of its own, without TCP."""
    assert SERVICES["postgres"]["healthcheck"]["test"][:4] == [
        "CMD", "pg_isready", "--host", "127.0.0.1",
    ]  # fmt: skip


def test_there_is_one_beat():
    assert "deploy" not in SERVICES["beat"]
    assert "scale" not in SERVICES["beat"]
    assert [name for name in OURS if " beat " in SERVICES[name]["command"]] == ["beat"]


def test_the_world_reaches_the_front_and_nothing_else():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {
        "front", "catcher",
    }  # fmt: skip
    inside = {name for name, one in SERVICES.items() if one.get("networks") == ["stores"]}
    assert inside == {"postgres", "broker", "cache"}


def test_our_processes_may_write_nowhere_but_in_their_tmp():
    for name in OURS:
        service = SERVICES[name]
        assert (service["read_only"], service["tmpfs"]) == (True, ["/tmp"])
        assert (service["cap_drop"], service["security_opt"]) == (
            ["ALL"], ["no-new-privileges:true"],
        )  # fmt: skip


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"migrate", "catcher"}))
def test_each_is_looked_after(name: str):
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["logging"]["options"] == {"max-size": "20m", "max-file": "5"}
    assert "healthcheck" in service or name == "web"  # which has the image's


def test_each_may_finish_what_it_has_in_hand():
    worker = settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT
    answer = int((CHECKOUT / "gunicorn.conf.py").read_text().split("graceful_timeout = ")[1][:2])

    assert seconds(SERVICES["worker"]["stop_grace_period"]) > worker
    assert seconds(SERVICES["web"]["stop_grace_period"]) > answer


def test_a_worker_elsewhere_is_the_same_worker():
    elsewhere = compose_services("deploy/workers.yml")["worker"]
    here = SERVICES["worker"]

    differs = {key for key in here.keys() | elsewhere.keys() if here.get(key) != elsewhere.get(key)}
    assert differs == {"build", "depends_on", "env_file", "environment", "networks"}
    assert elsewhere["env_file"] == "../.env"  # without it nothing starts


@pytest.mark.parametrize("name", ["deploy/codebar.env", "deploy/try.env"])
def test_an_example_says_all_that_is_needed(name: str):
    lines = (CHECKOUT / name).read_text().splitlines()

    assert {line.split("=")[0] for line in lines if "=" in line} >= NEEDED


def test_codebar_reads_the_example_as_docker_does(tmp_path: Path):
    """Comments stand on lines of their own, and values without quotes."""
    lines = (CHECKOUT / "deploy" / "codebar.env").read_text().splitlines()
    given = [line.removeprefix("#") for line in lines if "=" in line and not line.startswith("# ")]
    filled = dict(line.split("=", 1) for line in given) | {
        "SECRET_KEY": "k" * 50,
        "SITE_URL": "https://codebar.example",
        "EMAIL_URL": "smtp+tls://postmaster%40codebar.example:p%3Aw@smtp.example:587",
        "DEFAULT_FROM_EMAIL": "codebar <hello@codebar.example>",
        "ALERT_EMAILS": "amina@codebar.example,olu@codebar.example",
    }
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in filled.items()))

    assert _read(tmp_path / ".env", list(filled)) == list(filled.values())


def _read(path: Path, names: list[str]) -> list[str]:
    script = (
        "import environ, os, sys; environ.Env.read_env(sys.argv[1]);"
        "print(*(os.environ[name] for name in sys.argv[2:]), sep='\\n')"
    )
    done = subprocess.run(
        [PROGRAMS / "python", "-c", script, path, *names],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()
