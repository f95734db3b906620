"""Real Celery processes for tests: workers and a beat, in groups that can be killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from django.db import connection

from tests.support.smtp_sink import SmtpSink

CHECKOUT = Path(__file__).resolve().parents[2]

# The protocol's times, shortened so that an outage of five leases lasts ten seconds.
QUICK = {
    "EMAIL_TIMEOUT": "0.5",
    "LETTER_SECONDS": "0.9",
    "TASK_SECONDS": "0.4",
    "LEASE_SECONDS": "2",
    "SWEEP_SECONDS": "0.5",
    "PREPARE_GRACE_SECONDS": "1",
    "DOUBT_DELAY_SECONDS": "0.2",
    "RETRY_DELAY_SECONDS": "0.2",
    "HOLD_PROBE_SECONDS": "0.5",
    "VISIBILITY_TIMEOUT": "5",
    "MAIL_CONNECTIONS": "4",
    "CONN_MAX_AGE": "60",
}


def database_url() -> str:
    """The test database, for processes of their own."""
    db = connection.settings_dict
    return f"postgres://{db['USER']}:{db['PASSWORD']}@{db['HOST']}:{db['PORT']}/{db['NAME']}"


MISHAPS = ("conversation broken after the final dot", "ime limit (", "was lost; others settle it")


class CeleryProcess:
    """One `celery -A codebar …` in a process group of its own, with so many senders if any."""

    def __init__(
        self, *arguments: str, variables: dict[str, str], pool: str = "", concurrency: int = 0
    ) -> None:
        self.pool, self.concurrency = pool, concurrency
        self._arguments = arguments
        self._log = tempfile.NamedTemporaryFile(mode="w+", prefix="celery-", suffix=".log")  # noqa: SIM115 -- closed in stop()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "codebar", *arguments],
            cwd=CHECKOUT,
            env=os.environ | variables,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        return Path(self._log.name).read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def children(self) -> list[psutil.Process]:
        """The pool's processes, where the pool is made of processes."""
        return psutil.Process(self._process.pid).children(recursive=True)

    @property
    def senders(self) -> list[psutil.Process]:
        """The process of each sender, once it may have a letter in hand. Threads share theirs."""
        if self.pool == "prefork":
            return self.children
        is_ready = self.is_alive and "ready." in self.output
        return [psutil.Process(self.pid)] * self.concurrency if is_ready else []

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to the whole group, as a power cut would."""
        if self.is_alive:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def terminate(self, timeout: float = 30, *, whole_group: bool = False) -> None:
        """
        SIGTERM to the worker, as a deploy would; waits until it has gone.

        :param whole_group: to the processes of its pool as well, as some supervisors do
        """
        if self.is_alive and whole_group:
            os.killpg(self._process.pid, signal.SIGTERM)
        elif self.is_alive:
            self._process.terminate()
        self._process.wait(timeout)

    def stop(self) -> None:
        self.kill()
        print(f"---- {' '.join(self._arguments)}", *self.output.splitlines()[-40:], sep="\n")
        self._log.close()


def kill_one(senders: list[psutil.Process], chance: random.Random) -> int:
    """SIGKILL to one of these; how many of them are dead by that, since threads share a process."""
    try:
        victim = chance.choice(senders)
        victim.kill()
    except (psutil.NoSuchProcess, IndexError):
        return 0
    return senders.count(victim)


class Station:
    """
    What a test sends with: a mail server, and as many workers and beats as it starts.

    :param variables: environment on top of `QUICK`
    """

    def __init__(self, sink: SmtpSink, *, broker_url: str, variables: dict[str, str]) -> None:
        self.sink = sink
        self.variables = QUICK | variables | {"BROKER_URL": broker_url}
        self.processes: list[CeleryProcess] = []

    def start_worker(self, *, pool: str = "prefork", concurrency: int = 2) -> CeleryProcess:
        """
        A worker with a host name of its own.

        The settings name its pool: Celery takes `--pool prefork` for nothing said at all.
        """
        name = f"w{len(self.processes)}-{os.getpid()}@test"
        return self._start(
            "worker", "--concurrency", str(concurrency), "--hostname", name,
            "--without-gossip", "--without-mingle", "--loglevel", "INFO",
            pool=pool, concurrency=concurrency,
        )  # fmt: skip

    def revive(self, worker: CeleryProcess) -> CeleryProcess:
        """
        The worker, or another one in its place, as a supervisor would start it: Celery gives up
        by itself when a process of its pool is killed in the moment of starting.
        """
        if worker.is_alive:
            return worker
        return self.start_worker(pool=worker.pool, concurrency=worker.concurrency)

    def start_beat(self) -> CeleryProcess:
        """The one that rings for the sweep every half second."""
        folder = tempfile.mkdtemp(prefix="beat-")
        return self._start(
            "beat", "--schedule", f"{folder}/schedule", "--pidfile", "", "--max-interval", "1"
        )

    @property
    def mishaps(self) -> int:
        """
        How often a sender did to itself what DESIGN §1 counts as a fault: on a busy machine a
        letter may outlast its half second, and a task its limit.
        """
        said = "".join(process.output for process in self.processes)
        return sum(said.count(words) for words in MISHAPS)

    def stop(self) -> None:
        for process in self.processes:
            process.stop()

    def _start(self, *arguments: str, pool: str = "", concurrency: int = 0) -> CeleryProcess:
        usual = {"DATABASE_URL": database_url(), "EMAIL_URL": self.sink.url, "WORKER_POOL": pool}
        process = CeleryProcess(
            *arguments, variables=usual | self.variables, pool=pool, concurrency=concurrency
        )
        self.processes.append(process)
        return process
