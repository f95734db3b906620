"""Which version of the program is at work: every log line, number, alert and audit names it."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path


def name_of(checkout: Path) -> str:
    """The version of `pyproject.toml` and, in a git checkout, its commit: "0.1.0+1a2b3c4d5e"."""
    version: str = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["version"]
    commit = _commit_of(checkout)
    return f"{version}+{commit}" if commit else version


def _commit_of(checkout: Path) -> str:
    if not (checkout / ".git").exists():
        return ""  # an image; git would look in the folders above, which are somebody else's
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "--short=10", "HEAD"],  # noqa: S607 -- whichever git there is
            cwd=checkout,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()
