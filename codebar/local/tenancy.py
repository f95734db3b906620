"""
One `bin/dev` or `bin/manage` at a time has the services of this checkout; others read where they
are.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator

from codebar.local.paths import LOCAL

LOCK = LOCAL / "lock"
RECORD = LOCAL / "services.json"


class Taken(Exception):
    """Somebody else has them; the message says who."""


@contextlib.contextmanager
def of_this_checkout(tenant: str) -> Iterator[None]:
    """
    Have the services to oneself until the end. The system lets go even when we are killed.

    :raises Taken: when somebody else has them
    """
    LOCAL.mkdir(exist_ok=True)
    with LOCK.open("a+") as lock:
        try:
            # Not flock: a forked child would keep it, and outlive us.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as refusal:
            raise Taken(LOCK.read_text() or "somebody") from refusal
        lock.truncate(0)
        lock.write(f"{tenant} (process {os.getpid()})")
        lock.flush()
        RECORD.unlink(missing_ok=True)
        yield


@contextlib.contextmanager
def recorded(variables: dict[str, str], pids: dict[str, int | None]) -> Iterator[None]:
    """Tell others where the services are, until the end."""
    RECORD.touch(mode=0o600)
    RECORD.write_text(json.dumps({"variables": variables, "pids": pids}, indent=2))
    try:
        yield
    finally:
        RECORD.unlink(missing_ok=True)


def recorded_variables() -> dict[str, str] | None:
    """The variables of whoever has the services now; None until all are up."""
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
        variables: dict[str, str] = json.loads(RECORD.read_text())["variables"]
        return variables
    return None
