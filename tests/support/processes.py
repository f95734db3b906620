"""Real Celery processes for tests: workers and a beat, in groups that can be killed."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from pathlib import Path

import psutil
from django.db import connection

from codebar.local.paths import CHECKOUT
from logs.models import InvitationLog
from tests.support.ledger import wait_until_quiet
from tests.support.programs import Program
from tests.support.smtp_sink import SmtpSink

# The protocol's times, shortened so that an outage of five leases lasts ten seconds.
QUICK = {
    "EMAIL_TIMEOUT": "0.5",
    "LETTER_SECONDS": "0.9",
    "TASK_SECONDS": "0.4",
    "LEASE_SECONDS": "2",
    "SWEEP_SECONDS": "0.5",
    "WATCH_SECONDS": "10",
    "PREPARE_GRACE_SECONDS": "1",
    "DOUBT_DELAY_SECONDS": "0.2",
    "RETRY_DELAY_SECONDS": "0.2",
    "HOLD_PROBE_SECONDS": "0.5",
    "VISIBILITY_TIMEOUT": "5",
    "MAIL_CONNECTIONS": "4",
    "CONN_MAX_AGE": "60",
}
# For tests that are about no time-out: a busy machine shall not bring one about.
PATIENT = {"EMAIL_TIMEOUT": "3", "LETTER_SECONDS": "4", "TASK_SECONDS": "2", "LEASE_SECONDS": "15"}
# For those that wait for a lease to end, and are about no letter that takes too long.
STEADY = {
    "EMAIL_TIMEOUT": "2",
    "LETTER_SECONDS": "2.5",
    "TASK_SECONDS": "0.5",
    "LEASE_SECONDS": "5",
}


def database_url() -> str:
    """The test database, for processes of their own."""
    db = connection.settings_dict
    return f"postgres://{db['USER']}:{db['PASSWORD']}@{db['HOST']}:{db['PORT']}/{db['NAME']}"


MISHAPS = ("conversation broken after the final dot", "ime limit (", "was lost; others settle it")


class CeleryProcess(Program):
    """
    One `celery -A codebar …`, with so many senders if any.

    :param release: the folder of its program; by default this one
    """

    def __init__(
        self,
        *arguments: str,
        variables: dict[str, str],
        pool: str = "",
        concurrency: int = 0,
        release: Path = CHECKOUT,
    ) -> None:
        self.pool, self.concurrency = pool, concurrency
        super().__init__("celery", "-A", "codebar", *arguments, variables=variables, folder=release)

    @property
    def children(self) -> list[psutil.Process]:
        """The pool's processes, where the pool is made of processes and still there."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children(recursive=True)
        return []

    @property
    def senders(self) -> list[psutil.Process]:
        """The process of each sender, once it may have a letter in hand. Threads share theirs."""
        if self.pool == "prefork":
            return self.children
        is_ready = self.is_alive and "ready." in self.output
        return [psutil.Process(self.pid)] * self.concurrency if is_ready else []


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
        self._successors: dict[CeleryProcess, CeleryProcess] = {}

    def start_worker(
        self, *, pool: str = "prefork", concurrency: int = 2, release: Path = CHECKOUT
    ) -> CeleryProcess:
        """
        A worker with a host name of its own, of this release or of another one.

        The settings name its pool: Celery takes `--pool prefork` for nothing said at all.
        """
        name = f"w{len(self.processes)}-{os.getpid()}@test"
        return self._start(
            "worker", "--concurrency", str(concurrency), "--hostname", name,
            "--without-gossip", "--without-mingle", "--loglevel", "INFO",
            pool=pool, concurrency=concurrency, release=release,
        )  # fmt: skip

    def revive(self, worker: CeleryProcess) -> CeleryProcess:
        """
        The worker, or the one in its place, as a supervisor would start it: Celery gives up by
        itself when a process of its pool is killed in the moment of starting.
        """
        while not worker.is_alive:
            if worker not in self._successors:
                self._successors[worker] = self.start_worker(
                    pool=worker.pool, concurrency=worker.concurrency
                )
            worker = self._successors[worker]
        return worker

    def wait_until_quiet(self, *logs: InvitationLog, seconds: float = 150) -> None:
        """As `ledger.wait_until_quiet`, while every worker is kept alive."""
        workers = [process for process in self.processes if process.concurrency]
        wait_until_quiet(
            *logs,
            seconds=seconds,
            meanwhile=lambda: [self.revive(worker) for worker in workers],
        )

    def start_beat(self, *, release: Path = CHECKOUT) -> CeleryProcess:
        """The one that rings for the sweep every half second."""
        folder = tempfile.mkdtemp(prefix="beat-")
        return self._start(
            "beat", "--schedule", f"{folder}/schedule", "--pidfile", "", "--max-interval", "1",
            release=release,
        )  # fmt: skip

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

    def _start(
        self, *arguments: str, pool: str = "", concurrency: int = 0, release: Path = CHECKOUT
    ) -> CeleryProcess:
        usual = {"DATABASE_URL": database_url(), "EMAIL_URL": self.sink.url, "WORKER_POOL": pool}
        process = CeleryProcess(
            *arguments,
            variables=usual | self.variables,
            pool=pool,
            concurrency=concurrency,
            release=release,
        )
        self.processes.append(process)
        return process
