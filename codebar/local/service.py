"""
What PostgreSQL, Valkey and the mail catcher have in common: one process, one port, one folder.
"""

import contextlib
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, ClassVar, Self

import psutil

from codebar.local.ports import LOOPBACK


class NotStarted(Exception):
    """A service did not come up; the message says which, and ends with the tail of its log."""


class Service:
    """
    A server of our own. Stopped or killed, it starts again at the same port with the same folder.

    A subclass says how it is launched, whether it answers, and what a killed parent may have left
    running.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    patience: ClassVar[float] = 30  # seconds to come up, and seconds to go down

    def __init__(self, directory: Path, *, port: int) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is, with its password if it has one."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """Its process, None when it is not started."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """
        Start it and wait until it answers.

        :raises NotStarted: when it ends or stays silent instead
        """
        self._stop_leftover()
        self._prepare()
        with self._log.open("ab") as log:
            self._process = self._launch(log.fileno())
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Ask it to end, and wait. Stopping twice changes nothing."""
        if self._process is None:
            return
        if self.is_running:
            self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it and its children with SIGKILL, as a crash would, and wait until all are gone."""
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            _kill_family(psutil.Process(self._process.pid))
        self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _log(self) -> Path:
        return self.directory / "log"

    def _prepare(self) -> None:
        """Make what the first start needs."""

    def _stop_leftover(self) -> None:
        """Stop the server that a killed parent left behind in this folder."""

    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + self.patience
        while not self._answers():
            if not self.is_running or time.monotonic() > deadline:
                raise NotStarted(
                    f"{self.name} did not start at port {self.port}.\n{self._last_words()}"
                )
            time.sleep(0.02)

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def launch(command: list[str], *, log: int, **options: Any) -> subprocess.Popen[bytes]:
    """
    Start `command`, with `Popen`'s own options, in a session of its own, since Ctrl-C is for us: we
    stop services last, and in order.
    """
    process: subprocess.Popen[bytes] = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        **options,
    )
    return process


def accepts_connections(port: int) -> bool:
    """Whether somebody listens at `port`."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def _kill_family(parent: psutil.Process) -> None:
    parent.suspend()  # or it could have one more child between the look and the kill
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    while any(map(_is_alive, family)):
        time.sleep(0.01)


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    return False
