"""A real PostgreSQL of our own."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

import psycopg2

from codebar.local import housing
from codebar.local.ports import LOOPBACK
from codebar.local.service import NotStarted, Service, launch

USER = DATABASE = "codebar"


class Postgres(Service):
    """
    PostgreSQL at a loopback port, without a Unix socket, whose path may be too long. Its folder
    holds `data`, `password` and `log`. Not `durable` means without fsync: it outlives its own
    crash, not the machine's.
    """

    name = "PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": ends sessions and loses nothing

    def __init__(self, directory: Path, *, port: int, durable: bool = True) -> None:
        super().__init__(housing.folder(directory), port=port)
        self._durable = durable
        self._programs = housing.programs()

    @property
    def url(self) -> str:
        return f"postgres://{USER}:{self._password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def start(self) -> "Postgres":
        super().start()
        self._create_database()
        return self

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _password(self) -> str:
        return (self.directory / "password").read_text()

    def _prepare(self) -> None:
        if self._data.exists():
            return
        half_made = self.directory / "data.new"
        shutil.rmtree(half_made, ignore_errors=True)
        self._write_password()
        options = {
            "pgdata": half_made,
            "username": USER,
            "pwfile": self.directory / "password",
            "auth": "scram-sha-256",
            "encoding": "UTF8",
            "locale": "C",
            "locale-provider": "builtin",  # the same on every system
            "builtin-locale": "C.UTF-8",
        }
        self._run("initdb", *(f"--{name}={value}" for name, value in options.items()))
        half_made.rename(self._data)

    def _write_password(self) -> None:
        path = self.directory / "password"
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
        housing.give(path)

    def _stop_leftover(self) -> None:
        if (self._data / "postmaster.pid").exists():
            # It fails where the file is all that was left, and then the next start clears it away.
            with contextlib.suppress(NotStarted):
                self._run("pg_ctl", "stop", "--pgdata", self._data, "--mode", "fast", "--wait")

    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        settings = {
            "port": self.port,
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "on" if self._durable else "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return launch(
            [str(self._programs / "postgres"), "-D", str(self._data), *options],
            log=log,
            cwd="/",
            **housing.account(),
        )

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg2.OperationalError), contextlib.closing(self._connect()):
            return True
        return False

    def _connect(self) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host=LOOPBACK,
            port=self.port,
            user=USER,
            password=self._password,
            dbname="postgres",
            connect_timeout=5,
        )

    def _create_database(self) -> None:
        with contextlib.closing(self._connect()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [str(self._programs / program), *map(str, arguments)],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            **housing.account(),
        )
        if done.returncode:
            raise NotStarted(f"{program} failed.\n{done.stderr}")
