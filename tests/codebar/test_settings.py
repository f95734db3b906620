"""A missing or malformed setting stops the start and is named; its value is not repeated."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from codebar.local.paths import CHECKOUT

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
        ("RETENTION_DAYS", "30"),
        ("RETENTION_DAYS", "-1"),
        ("RETENTION_DAYS", "half a year"),
        ("HELLO_PER_DAY", "-1"),
        ("METRICS_TOKEN", "secret"),
        ("LOG_FORMAT", "secret"),
        ("SENTRY_DSN", "secret"),
        ("SENTRY_DSN", "https://secret.example"),
        ("RELEASE", "secret" * 20),
        ("BOUNCE_DOMAIN", "bounces"),
        ("BOUNCE_PROVIDER", "pigeon"),
        ("BOUNCE_HOURS", "0"),
        ("GUARD_SIZE", "0"),
        ("ALERT_EMAILS", "secret"),
        ("ALERT_EMAILS", "amina@ops.example,secret"),
        ("ALERT_WEBHOOK_URL", "ftp://secret.example"),
        ("PAGER_WEBHOOK_URL", "secret"),
        ("DEADMAN_SECONDS", "30"),
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


def test_a_way_to_sign_in_needs_all_its_parts():
    assert "Set GITHUB_SECRET" in _start(GITHUB_KEY="key")
    assert "Set OIDC_CLIENT_ID" in _start(OIDC_URL="https://auth.example")
    assert "OIDC_URL must look like https://" in _start(OIDC_URL="secret", OIDC_CLIENT_ID="us")


def test_a_provider_of_bounces_needs_a_secret_that_nobody_guesses():
    assert "Set BOUNCE_SECRET" in _start(BOUNCE_PROVIDER="postmark")
    said = _start(BOUNCE_PROVIDER="postmark", BOUNCE_SECRET="secret")
    assert said.endswith("BOUNCE_SECRET must have 20 characters or more.")
    assert _start(BOUNCE_PROVIDER="postmark", BOUNCE_SECRET="s" * 20) == "started"


def test_ways_to_tell_somebody_start():
    ways = {"ALERT_EMAILS": "amina@ops.example, olu@ops.example", "DEADMAN_FILE": "/run/sweep"}
    ways |= {"ALERT_WEBHOOK_URL": "https://chat.example/x", "PAGER_WEBHOOK_URL": "http://pager:80/"}

    assert _start(**ways) == "started"


def test_ways_to_sign_in_start():
    ways = {"GITHUB_KEY": "key", "GITHUB_SECRET": "secret"}
    ways |= {"OIDC_URL": "https://auth.example/", "OIDC_CLIENT_ID": "planner"}

    assert _start(**ways) == "started"


def test_confirmations_find_a_thread_while_a_batch_has_all_its_connections():
    """One connection is kept for them, and it is of no use while every thread has another."""
    done = subprocess.run(
        [
            sys.executable, "-c",
            "from codebar import settings as s\n"
            "print(s.MAIL_CONNECTIONS, s.CELERY_WORKER_CONCURRENCY)",
        ],
        env={"PATH": os.environ["PATH"], **GOOD},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    connections, threads = map(int, done.stdout.split())

    assert threads >= connections
