"""X24: as it is deployed, it hides how it works and takes nobody's word for who is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from codebar.local.paths import CHECKOUT

PRODUCTION = {
    "SECRET_KEY": "only-for-checks-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJK",
    "SITE_URL": "https://codebar.example",
    "DATABASE_URL": "postgres://codebar@127.0.0.1:1/codebar",
    "BROKER_URL": "redis://127.0.0.1:1/0",
    "CACHE_URL": "redis://127.0.0.1:2/0",
    "EMAIL_URL": "smtp://127.0.0.1:1",
    "DEFAULT_FROM_EMAIL": "hello@codebar.example",
    "ALERT_EMAILS": "amina@codebar.example",
    "PAGER_WEBHOOK_URL": "http://127.0.0.1:3/",
}
ASK = """
import json, django
django.setup()
from django.conf import settings
from django.test import Client
# Files have names of their own until `collectstatic` has run.
plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.STORAGES["staticfiles"]["BACKEND"] = plain
browser = Client(raise_request_exception=False, HTTP_HOST="codebar.example")
here = {"secure": True}
page = browser.get("/no/such/page", **here)
print(json.dumps({
    "debug": settings.DEBUG,
    "fallbacks": list(settings.SECRET_KEY_FALLBACKS),
    "proxy": settings.SECURE_PROXY_SSL_HEADER,
    "hosts": settings.ALLOWED_HOSTS,
    "elsewhere": browser.get("/", HTTP_HOST="evil.example", **here).status_code,
    "plain": browser.get("/healthz").status_code,
    "to_https": browser.get("/faq")["Location"],
    "hsts": browser.get("/healthz", **here)["Strict-Transport-Security"],
    "missing": page.status_code,
    "without_database": browser.get("/", **here).status_code,
    "tells": [word for word in ("Traceback", "settings", "urlpatterns", "DEBUG") if word in
              page.content.decode() + browser.get("/", **here).content.decode()],
}))
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "codebar.settings",
            **PRODUCTION,
            **variables,
        },
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_x24_djangos_own_list_finds_nothing():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_x24_and_that_somebody_hears_when_something_is_wrong():
    done = run("manage.py", "check", "--deploy", ALERT_EMAILS="", PAGER_WEBHOOK_URL="")

    assert done.returncode == 0
    assert "invitations.W001" in done.stderr
    assert "ALERT_EMAILS and PAGER_WEBHOOK_URL are empty" in done.stderr


def test_x24_in_production_it_tells_nobody_how_it_works():
    done = run("-c", ASK)

    assert json.loads(done.stdout.splitlines()[-1]) == {
        "debug": False,
        "fallbacks": [],
        "proxy": None,
        "hosts": ["codebar.example"],
        "elsewhere": 400,
        "plain": 200,
        "to_https": "https://codebar.example/faq",
        "hsts": "max-age=31536000; includeSubDomains; preload",
        "missing": 404,
        "without_database": 500,
        "tells": [],
    }


def test_x24_what_a_key_of_before_signed_is_still_ours():
    sign = """
import sys, django
django.setup()
from invitations.services import unsubscribing
from logs import return_paths
print(unsubscribing.token_for(member_id=7, chapter_id=3, role="student"))
print(return_paths.for_letter(4711, address="amina@people.example"))
"""
    read = """
import sys, django
django.setup()
from invitations.services import unsubscribing
from logs import return_paths
token, path = sys.argv[1:]
found = return_paths.found_in(path)
print(unsubscribing._signer.unsign_object(token)[0])
print(found and found.entry_id, found and found.is_of("amina@people.example"))
"""
    before, now = PRODUCTION["SECRET_KEY"], "another-" + PRODUCTION["SECRET_KEY"]
    domain = {"BOUNCE_DOMAIN": "bounces.codebar.example"}
    signed = run("-c", sign, **domain).stdout.split()

    kept = run("-c", read, *signed, SECRET_KEY=now, SECRET_KEY_FALLBACKS=before, **domain)
    assert kept.stdout.split() == ["7", "4711", "True"], kept.stderr
    lost = run("-c", read, *signed, SECRET_KEY=now, **domain)
    assert "BadSignature" in lost.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "SITE_URL", "DATABASE_URL"])
def test_x24_it_does_not_start_by_a_secret_of_its_own(name: str):
    done = run("-c", "import codebar.settings", **{name: ""})

    assert done.returncode != 0
    assert f"Set {name}" in done.stderr
