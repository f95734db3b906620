"""
X19: we call nobody whom a visitor, a member or an organiser named. There is no push; every address
that we connect to comes from the settings.
"""

from __future__ import annotations

import ast
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import Client

from chapters.models import Chapter, Sponsor, Workshop
from codebar.local.paths import CHECKOUT
from invitations.services.manager import InvitationManager
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.here import send_here
from tests.support.processes import Station

APPS = ("codebar", "members", "chapters", "logs", "invitations")
CAN_CALL = {
    *(
        "socket",
        "ssl",
        "smtplib",
        "http.client",
        "ftplib",
        "urllib3",
        "requests",
        "httpx",
        "aiohttp",
    ),
    *("redis", "kombu", "websockets", "paramiko", "poplib", "imaplib", "xmlrpc", "asyncio"),
}
# Who may call, and whom.
CALLERS = {
    "codebar/health.py": "nobody: it names what may go wrong there",
    "invitations/checks.py": "nobody: it names what may go wrong there",
    "invitations/services/alerting.py": "nobody: it names what may go wrong there",
    "invitations/services/delivering.py": "nobody: it names this machine",
    "invitations/services/smtp.py": "the mail server of EMAIL_URL",
    "invitations/services/telling.py": "ALERT_WEBHOOK_URL and PAGER_WEBHOOK_URL",
    "invitations/tasks.py": "the broker of BROKER_URL",
    "logs/broker.py": "the broker of BROKER_URL",
    "logs/signatures.py": "nobody: it names what may go wrong there",
    "members/adapter.py": "GitHub, and the provider of OIDC_URL",
    "members/limits.py": "the cache of CACHE_URL",
    "members/views/providers.py": "nobody: it names what may go wrong there",
}
INSIDE = "http://169.254.169.254/latest/meta-data"


def callers() -> Iterator[str]:
    for app in APPS:
        for path in sorted((CHECKOUT / app).rglob("*.py")):
            name = path.relative_to(CHECKOUT).as_posix()
            if not name.startswith("codebar/local/") and CAN_CALL & set(imported(path)):
                yield name


def imported(path: Path) -> Iterator[str]:
    """The first part of each module, but `http` only where it is the one that calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module]
        else:
            continue
        for module in modules:
            yield "http.client" if module == "urllib.request" else module
            if not module.startswith(("http", "urllib")):
                yield module.split(".")[0]


def test_x19_only_these_modules_can_call_anybody():
    assert set(callers()) <= CALLERS.keys()


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """Whom this process connects to, but for PostgreSQL, whose driver is not Python."""
    found: set[tuple[str, int]] = set()
    connect = socket.socket.connect

    def noted(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple):
            found.add(address[:2])
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", noted)
    return found


def test_x19_an_address_that_somebody_wrote_down_is_never_called(
    station: Station, called: set[tuple[str, int]]
):
    workshop = WorkshopFactory(chapter=chapter_with(students=1), virtual=True, host=None)
    Workshop.objects.update(slack_channel_link=INSIDE, description=INSIDE)
    Chapter.objects.update(description=INSIDE)
    Sponsor.objects.update(website=INSIDE)
    admin = Client()
    admin.force_login(MemberFactory(superuser=True))

    for path in ("", f"/workshops/{workshop.pk}", f"/admin/workshops/{workshop.pk}/edit"):
        assert admin.get(f"{path or '/'}").status_code == 200
    send_here(
        InvitationManager().send_workshop_emails(workshop, "students", MemberFactory(), note=INSIDE)
    )

    known = {("127.0.0.1", station.sink.port)}
    for url in (station.variables["BROKER_URL"], django_settings.CACHE_URL):
        known.add((str(urlsplit(url).hostname), urlsplit(url).port or 6379))
    assert len(station.sink.letters) == 1
    assert called <= known
