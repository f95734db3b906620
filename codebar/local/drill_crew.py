"""A worker and the beat as processes, and what the mail catcher took from them."""

import os
import signal
import subprocess
import sys
from collections import Counter
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Self

from codebar.local.paths import CHECKOUT
from codebar.local.service import launch

CONNECTIONS = 4


class Crew:
    """
    One worker with so many connections, and the beat that rings for the sweep.

    :param folder: for what they say
    :param mail: where the mail catcher keeps the letters
    """

    def __init__(self, folder: Path, *, mail: Path) -> None:
        self._folder, self._mail = folder, mail
        self._worker: subprocess.Popen[bytes] | None = None
        self._beat: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _kill(self._worker)
        _kill(self._beat)

    def be_there(self) -> None:
        """Start whoever does not run."""
        if not _runs(self._worker):
            self._worker = self._start(
                "worker", "--pool", "threads", "--concurrency", str(CONNECTIONS),
                "--without-gossip", "--without-mingle", "--hostname", f"drill{os.getpid()}@here",
            )  # fmt: skip
        if not _runs(self._beat):
            self._beat = self._start(
                "beat", "--schedule", str(self._folder / "beat-schedule"), "--pidfile", "",
                "--max-interval", "1",
            )  # fmt: skip

    def kill_the_worker(self) -> None:
        """SIGKILL, as a power cut would: what it has in hand nobody knows."""
        _kill(self._worker)

    def letters(self) -> Counter[str]:
        """How often each letter arrived, by its Message-ID without the host."""
        parser = BytesHeaderParser()
        return Counter(
            str(parser.parsebytes(path.read_bytes())["Message-ID"]).strip("<> ").partition("@")[0]
            for path in self._mail.glob("*.eml")
        )

    def letter_count(self) -> int:
        return sum(1 for _ in self._mail.glob("*.eml"))

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "celery", "-A", "codebar", *arguments]
        with (self._folder / f"{arguments[0]}.log").open("ab") as log:
            return launch(command, log=log.fileno(), cwd=CHECKOUT)


def _runs(process: subprocess.Popen[bytes] | None) -> bool:
    return process is not None and process.poll() is None


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
