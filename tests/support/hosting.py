"""What the files of hosting say, and their commands as processes."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from codebar.local.paths import CHECKOUT

UNITS = CHECKOUT / "deploy" / "systemd"
INSTALLED = "/srv/codebar/.venv/bin/"
PROGRAMS = Path(sys.prefix) / "bin"

# Somebody who may read everything, even a Python below /root, and write nowhere. Root alone can
# become them.
READER = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *(f"--{which}=-all,+dac_read_search" for which in ("bounding-set", "inh-caps", "ambient-caps")),
]
CAN_BE_READER = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv")


def compose_services(file: str = "docker-compose.yml") -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((CHECKOUT / file).read_text())["services"]
    return services


def of_compose() -> dict[str, list[str]]:
    services = compose_services()
    return {
        name: shlex.split(services[name]["command"])
        for name in ("web", "worker", "beat", "migrate")
    }


def of_procfile() -> dict[str, list[str]]:
    lines = (CHECKOUT / "Procfile").read_text().splitlines()
    named = (line.split(": ", 1) for line in lines)
    return {name.replace("release", "migrate"): shlex.split(words) for name, words in named}


def of_systemd() -> dict[str, list[str]]:
    names = {"web": "web", "worker": "worker@", "beat": "beat", "migrate": "migrate"}
    return {part: _exec_start(unit(f"codebar-{name}.service")) for part, name in names.items()}


def unit(name: str) -> configparser.ConfigParser:
    """One unit with what all of them have in common."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment] -- systemd tells large from small
    parser.read([UNITS / name, UNITS / "codebar-.service.d" / "sandbox.conf"])
    return parser


def health_check_of_the_image() -> list[str]:
    found = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", _dockerfile(), re.MULTILINE)
    assert found
    words: list[str] = json.loads(found[1])
    return words


def health_check(service: str) -> list[str]:
    """As Docker runs it: a string goes to a shell, which sees $ where the file says $$."""
    return ["sh", "-c", compose_services()[service]["healthcheck"]["test"].replace("$$", "$")]


class Hosted:
    """One command of such a file, as it stands there, with /tmp of its own."""

    def __init__(
        self, words: list[str], *, variables: dict[str, str], tmp: Path, door: int | None = None
    ) -> None:
        self._log = tempfile.NamedTemporaryFile(mode="w+", prefix="hosted-", suffix=".log")  # noqa: SIM115 -- closed in stop()
        self.words = words
        self._process = subprocess.Popen(
            as_reader(words if door is None else through(door, words), tmp=tmp),
            pass_fds=() if door is None else (door,),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **surroundings(variables, tmp=tmp),
        )

    @property
    def output(self) -> str:
        return Path(self._log.name).read_text()

    def ask_to_stop(self) -> None:
        """SIGTERM to the first process, as Docker's init and KillMode=mixed do."""
        self._process.terminate()

    def wait(self, seconds: float) -> int:
        return self._process.wait(seconds)

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        print(f"---- {shlex.join(self.words)}", *self.output.splitlines()[-30:], sep="\n")
        self._log.close()


def as_reader(words: list[str], *, tmp: Path) -> list[str]:
    """The command, run by somebody who may write nowhere but in their own /tmp."""
    of_their_own = [word.replace("/tmp/", f"{tmp}/") for word in words]
    return [*READER, *of_their_own] if CAN_BE_READER else of_their_own


def through(door: int, words: list[str]) -> list[str]:
    """The command, given a socket that listens as systemd gives it (sd_listen_fds(3))."""
    script = (
        "import os, sys; os.dup2(int(sys.argv[1]), 3);"
        "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'};"
        "os.execvp(sys.argv[2], sys.argv[2:])"
    )
    return [str(PROGRAMS / "python"), "-c", script, str(door), *words]


def surroundings(variables: dict[str, str], *, tmp: Path) -> dict[str, Any]:
    """For `subprocess`: the checkout, our programs first, the settings."""
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    kept = {
        "HOME": "/nowhere",
        "PATH": path,
        "TMPDIR": str(tmp),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {"cwd": CHECKOUT, "env": os.environ | variables | kept}


def _exec_start(parsed: configparser.ConfigParser) -> list[str]:
    line = parsed["Service"]["ExecStart"].replace("%i", "1").replace("%%", "%")
    return shlex.split(line.removeprefix(INSTALLED))


def _dockerfile() -> str:
    return (CHECKOUT / "Dockerfile").read_text()
