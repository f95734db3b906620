"""The systemd units: what systemd itself thinks of them, and how long they may take to end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from codebar.local.paths import CHECKOUT
from tests.support.hosting import PROGRAMS, UNITS, unit

SERVICES = ("codebar-web", "codebar-worker@", "codebar-beat")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The units as if this checkout were /srv/codebar."""
    for path in UNITS.rglob("*.*"):
        if path.is_file():
            place = tmp_path / str(path.relative_to(UNITS)).replace("@.", "@1.")
            place.parent.mkdir(exist_ok=True)
            text = path.read_text().replace("/srv/codebar/.venv/bin", str(PROGRAMS))
            place.write_text(text.replace("/srv/codebar", str(CHECKOUT)))
    return tmp_path


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_takes_them(here: Path):
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *here.glob("codebar*.*[et]")],
        env={"PATH": str(Path(sys.executable).parent), "SYSTEMD_UNIT_PATH": f"{here}:"},
        executable=shutil.which("systemd-analyze"),
        capture_output=True,
        text=True,
    )

    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("name", SERVICES)
def test_whoever_ends_is_started_again_and_may_only_read(name: str):
    service = unit(f"{name}.service")["Service"]

    assert {key: service[key] for key in ("Restart", "User", "ProtectSystem", "PrivateTmp")} == {
        "Restart": "always",
        "User": "codebar",
        "ProtectSystem": "strict",
        "PrivateTmp": "yes",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_before_the_database_is_migrated(name: str):
    asked_first = unit(f"{name}.service")["Service"]["ExecStartPre"]

    assert asked_first.endswith("/python manage.py migrate --check")


def test_the_pages_start_anew_and_are_never_reloaded():
    """gunicorn's configuration imports our settings, which its reload would keep."""
    web = unit("codebar-web.service")

    assert "ExecReload" not in web["Service"]
    assert web["Unit"]["Requires"] == "codebar-web.socket"  # holds the port meanwhile


def test_a_worker_may_finish_its_letter():
    worker = unit("codebar-worker@.service")["Service"]

    assert worker["KillMode"] == "mixed"  # its own processes hear of it from it
    assert (
        float(worker["TimeoutStopSec"].removesuffix("s"))
        > settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT
    )


@pytest.mark.parametrize("path", sorted(UNITS.glob("codebar-*.s*[et]")), ids=lambda path: path.name)
def test_each_belongs_to_the_target(path: Path):
    parsed = unit(path.name)

    assert parsed["Unit"]["PartOf"] == parsed["Install"]["WantedBy"] == "codebar.target"
