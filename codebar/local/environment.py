"""The services the environment does not name, started; and all of it as environment variables."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from codebar.local import ports
from codebar.local.mailcatcher import MailCatcher
from codebar.local.paths import CHECKOUT, LOCAL, short_hash
from codebar.local.postgres import Postgres
from codebar.local.service import Service
from codebar.local.valkey import BROKER, CACHE, Valkey


@dataclass(frozen=True)
class Running:
    """The services that we started, and the variables by which others find them."""

    services: list[Service] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def services(
    folder: Path, *, first_port: int | None = None, durable: bool = True
) -> Iterator[Running]:
    """
    PostgreSQL, broker, cache and mail catcher with their data in `folder`, stopped at the end. What
    the environment names (DATABASE_URL and so on) is used instead. Ports from `first_port` on where
    free, else any.
    """

    def port(offset: int) -> int:
        return ports.pick(None if first_port is None else first_port + offset)

    of_the_broker = BROKER | ({} if durable else {"appendonly": "no"})
    wanted: dict[str, Callable[[], Service]] = {
        "DATABASE_URL": lambda: Postgres(folder / "postgres", port=port(0), durable=durable),
        "BROKER_URL": lambda: Valkey(folder / "broker", port=port(1), policy=of_the_broker),
        "CACHE_URL": lambda: Valkey(folder / "cache", port=port(2), policy=CACHE),
        "EMAIL_URL": lambda: MailCatcher(folder / "mail", port=port(3)),
    }
    running = Running()
    with contextlib.ExitStack() as stack:
        for name, make in wanted.items():
            if not os.environ.get(name):
                service = stack.enter_context(make())
                running.services.append(service)
                running.variables[name] = service.url
        if "EMAIL_URL" in running.variables:
            running.variables["MAIL_CATCHER_DIRECTORY"] = str(folder / "mail")
        yield running


def development(*, port: int) -> dict[str, str]:
    """The settings of a developer's machine that the environment does not name itself."""
    variables = {
        "SECRET_KEY": _secret_key(),
        "DEBUG": "1",
        "SITE_URL": f"http://{ports.LOOPBACK}:{port}",
        "ALLOWED_HOSTS": f"{ports.LOOPBACK},localhost",
        "DEFAULT_FROM_EMAIL": "codebar <hello@codebar.example>",
    }
    return {name: value for name, value in variables.items() if name not in os.environ}


def testing() -> dict[str, str]:
    """The settings of the tests, whatever the environment says."""
    return {
        "DJANGO_SETTINGS_MODULE": "codebar.settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "0",
        "SITE_URL": "http://testserver",
        "ALLOWED_HOSTS": f"testserver,{ports.LOOPBACK},localhost",
        "DEFAULT_FROM_EMAIL": "codebar <hello@codebar.example>",
    }


def usual_port() -> int:
    """
    The first of four ports that this checkout asks for each time, so that an open psql finds it
    again.
    """
    return ports.POOL.start + int(short_hash(CHECKOUT), 16) % (len(ports.POOL) // 4) * 4


def _secret_key() -> str:
    path = LOCAL / "secret-key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()
