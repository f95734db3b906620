"""The image: what cannot be built where Docker is missing is read by a linter, and by us."""

from __future__ import annotations

import re
import subprocess

import pytest

from codebar.local.paths import CHECKOUT
from tests.support.hosting import PROGRAMS

LINES = (CHECKOUT / "Dockerfile").read_text().splitlines()
LAST_STAGE = LINES[max(n for n, line in enumerate(LINES) if line.startswith("FROM")) :]


def test_a_linter_has_nothing_to_say():
    done = subprocess.run(
        [PROGRAMS / "hadolint", CHECKOUT / "Dockerfile"], capture_output=True, text=True
    )

    assert (done.stdout, done.returncode) == ("", 0)


def test_whoever_runs_it_is_not_root_and_owns_nothing():
    assert "USER 10001" in LAST_STAGE
    assert not [line for line in LAST_STAGE if "chown" in line]


def test_what_runs_was_installed_elsewhere():
    assert [line for line in LAST_STAGE if line.startswith("COPY")] == [
        "COPY --from=builder /srv /srv"
    ]
    assert not [line for line in LAST_STAGE if re.search(r"\b(pip|apt-get)\b", line)]


@pytest.mark.parametrize(
    "needed",
    [
        *("manage.py", "gunicorn.conf.py", "pyproject.toml", "requirements/base.txt"),
        *("codebar", "members", "chapters", "logs", "invitations", "templates", "static", "locale"),
        *("docs/runbook.md", "deploy/ready.py"),
    ],
)
def test_what_it_needs_reaches_it(needed: str):
    left_out = (CHECKOUT / ".dockerignore").read_text().splitlines()

    assert (CHECKOUT / needed).exists()
    assert needed.split("/")[0] not in left_out


@pytest.mark.parametrize("secret", [".env", ".local", ".git"])
def test_what_is_nobodys_business_does_not(secret: str):
    assert secret in (CHECKOUT / ".dockerignore").read_text().splitlines()
