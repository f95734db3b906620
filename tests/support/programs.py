"""
Programs of ours as processes of their own: `python -m celery …`, `python -m gunicorn …`.

Importing what they stand on takes two seconds of a processor, and the tests start hundreds. So a
fork server imports it once, without any of our modules, and becomes one of them for each start.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
from pathlib import Path

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        "anymail.exceptions", "css_inline", "cryptography.x509", "environ", "icalendar", "jwt",
        "limits", "markdown_it", "nh3", "prometheus_client", "psycopg2.extras", "requests",
        "rich.console", "sentry_sdk", "sqlparse", "structlog", "yaml",
        "celery.apps.beat", "celery.apps.worker", "celery.bin.celery",
        "celery.concurrency.prefork", "celery.concurrency.thread", "celery.fixups.django",
        "celery.worker.autoscale", "celery.worker.consumer", "kombu.transport.redis",
        "django.contrib.admin.utils", "django.contrib.postgres.constraints",
        "django.contrib.postgres.fields", "django.contrib.postgres.indexes",
        "django.contrib.staticfiles.storage", "django.core.cache", "django.core.mail",
        "django.core.management", "django.db.backends.postgresql.base",
        "django.db.migrations.autodetector", "django.forms", "django.middleware.csrf",
        "django.template.loader_tags", "django.test.client", "django.utils.translation.reloader",
        "django.views.generic",
    ]
)  # fmt: skip


class Program:
    """
    One `python -m …` in a process group of its own, which can be killed.

    :param folder: the checkout that it runs in and imports from
    """

    def __init__(
        self, module: str, *arguments: str, variables: dict[str, str], folder: Path
    ) -> None:
        self._words = (module, *arguments)
        self._log = tempfile.NamedTemporaryFile(mode="w+", prefix=f"{module}-", suffix=".log")  # noqa: SIM115 -- closed in stop()
        environment = os.environ | variables | {"PYTHONPATH": str(folder)}
        self._process = _FORKING.Process(
            target=_become, args=(self._words, self._log.name, str(folder), environment)
        )
        self._process.start()

    @property
    def output(self) -> str:
        return Path(self._log.name).read_text()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        """SIGKILL to the whole group, as a power cut would."""
        if self.is_alive:
            self._signal_group(signal.SIGKILL)
            self._process.kill()  # it may have been too young for a group of its own
        self._process.join()

    def terminate(self, timeout: float = 30, *, whole_group: bool = False) -> None:
        """
        SIGTERM, as a deploy would; waits until it has gone.

        :param whole_group: to its children as well, as some supervisors do
        :raises TimeoutError: when it has not
        """
        if whole_group:
            self._signal_group(signal.SIGTERM)
        else:
            self._process.terminate()
        self._process.join(timeout)
        if self.is_alive:
            raise TimeoutError(f"{' '.join(self._words)} has not ended after {timeout} s.")

    def stop(self) -> None:
        """Killed, and its last words told."""
        self.kill()
        print(f"---- {' '.join(self._words)}", *self.output.splitlines()[-40:], sep="\n")
        self._log.close()

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def _become(words: tuple[str, ...], log: str, folder: str, environment: dict[str, str]) -> None:
    assert "codebar" not in sys.modules, "its settings are those of its own environment"
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.path.insert(0, folder)
    sys.argv[1:] = words[1:]
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
