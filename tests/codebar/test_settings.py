"""A missing or malformed setting stops the start and is named; its value is not repeated."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.processes import CHECKOUT

GOOD = {
    "SECRET_KEY": "s" * 60,
    "SITE_URL": "https://codebar.example",
    "DATABASE_URL": "postgres://codebar@127.0.0.1/codebar",
    "BROKER_URL": "redis://127.0.0.1:6379/0",
    "CACHE_URL": "redis://127.0.0.1:6380/0",
    "EMAIL_URL": "smtp://127.0.0.1:25",
    "DEFAULT_FROM_EMAIL": "codebar <hello@codebar.example>",
}


def _start(**variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "import codebar.settings"],
        env={"PATH": os.environ["PATH"], **GOOD, **variables},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.splitlines()[-1] if done.returncode else "started"


def test_good_settings_start():
    assert _start() == "started"


@pytest.mark.parametrize("name", sorted(GOOD))
def test_missing_setting_is_named(name: str):
    assert f"Set {name}" in _start(**{name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("SITE_URL", "codebar.example"),
        ("DATABASE_URL", "mysql://secret@host/db"),
        ("BROKER_URL", "amqp://secret@host"),
        ("CACHE_URL", "secret"),
        ("EMAIL_URL", "secret"),
        ("DEFAULT_FROM_EMAIL", "secret"),
        ("LEASE_SECONDS", "secret"),
        ("MAIL_CONNECTIONS", "secret"),
        ("MAIL_CONNECTIONS", "1"),
        ("EMAIL_TIMEOUT", "30"),
        ("TASK_SECONDS", "30"),
        ("MAIL_RATE_PER_SECOND", "-1"),
    ],
)
def test_malformed_setting_is_named(name: str, value: str):
    said = _start(**{name: value})

    assert name in said
    assert "secret" not in said


def test_one_redis_for_queue_and_cache_is_refused():
    """R27: a cache that fills its memory evicts the queue, whatever database number it has."""
    said = _start(CACHE_URL="redis://:password@127.0.0.1:6379/1")

    assert "BROKER_URL and CACHE_URL must be two instances" in said
