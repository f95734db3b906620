"""The web as it is hosted: a real gunicorn, in a group of processes of its own."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from codebar.local import ports
from codebar.local.paths import CHECKOUT
from tests.support.processes import database_url
from tests.support.programs import Program
from tests.support.waiting import wait_until


class Web(Program):
    """One `gunicorn codebar.wsgi`. Ask it at `url`."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        self.port = ports.pick()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            *("gunicorn", "codebar.wsgi", "--bind", f"127.0.0.1:{self.port}"),
            variables={"DATABASE_URL": database_url()} | variables,
            folder=CHECKOUT,
        )

    def wait(self) -> Web:
        wait_until(lambda: self.status("/healthz") == 200, what="gunicorn to answer")
        return self

    def status(self, path: str) -> int:
        """What it answers to a GET; 0 while nobody listens."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            return 0


@contextmanager
def serving(**variables: str) -> Iterator[Web]:
    """The web with these settings on top of the tests', for as long as it is needed."""
    web = Web(variables=variables)
    try:
        yield web.wait()
    finally:
        web.stop()
