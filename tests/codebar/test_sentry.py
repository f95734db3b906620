"""What Sentry is told, by a process of its own and over real HTTP."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from codebar.local.paths import CHECKOUT
from tests.codebar.test_settings import GOOD

# Nothing answers where this looks for its database.
BREAKS = """
import logging, os, sys

sys.modules["brotli"] = None  # it would be used where it is there, and this Sentry reads gzip
from io import BytesIO
from wsgiref.util import setup_testing_defaults

from codebar.wsgi import application
from structlog.contextvars import bind_contextvars

form = f"note={os.environ['SOMEBODY']}".encode()
request = {
    "REQUEST_METHOD": "POST",
    "PATH_INFO": "/invitation/Ab-_9876543210",
    "QUERY_STRING": "q=Amina",
    "CONTENT_TYPE": "application/x-www-form-urlencoded",
    "CONTENT_LENGTH": str(len(form)),
    "wsgi.input": BytesIO(form),
    "wsgi.url_scheme": "https",
    "HTTP_HOST": "codebar.example",
    "HTTP_REFERER": "https://codebar.example/invitation/Ab-_9876543210",
    "HTTP_X_REQUEST_ID": "a1b2c3d4",
    "HTTP_COOKIE": "sessionid=secret-session",
}
setup_testing_defaults(request)
answers = []
application(request, lambda status, headers: answers.append(status)).close()
assert answers == ["500 Internal Server Error"], answers
logging.getLogger("invitations").error("entry %s: 550 no such amina@people.example", 12)
try:
    somebody = os.environ["SOMEBODY"]
    raise ValueError("Key (email)=(amina@people.example) already exists")
except ValueError:
    bind_contextvars(log_id=7)
    logging.getLogger("invitations").exception("log 7 could not be prepared")
import sentry_sdk
sentry_sdk.flush(5)
"""


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """The events that arrived at a Sentry on this machine, which is at `told.dsn`."""
    events: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            lines = [json.loads(line) for line in body.splitlines() if line.startswith(b"{")]
            events.extend(line for line in lines if "event_id" in line and "level" in line)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["SENTRY_DSN"] = f"http://key@127.0.0.1:{server.server_port}/1"
    yield events
    del os.environ["SENTRY_DSN"]
    server.shutdown()
    server.server_close()


def _mechanism(event: dict[str, Any]) -> str:
    """Who noticed that it broke."""
    values = event.get("exception", {}).get("values") or [{"mechanism": {"type": ""}}]
    return values[-1]["mechanism"]["type"]


def test_sentry_is_told_what_broke_and_nothing_about_people(told, tmp_path: Path):
    script = tmp_path / "breaks.py"
    script.write_text(BREAKS)
    done = subprocess.run(
        [sys.executable, script],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT),
            "DJANGO_SETTINGS_MODULE": "codebar.settings",
            "SENTRY_DSN": os.environ["SENTRY_DSN"],
            **GOOD,
            "DATABASE_URL": "postgres://codebar@127.0.0.1:1/codebar",
            "DEBUG": "on",  # static files need not be collected
            "RELEASE": "1.0+sentry",
            "SOMEBODY": "Tester",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    assert {event["release"] for event in told} == {"1.0+sentry"}
    (page,) = [event for event in told if _mechanism(event) == "django"]
    assert page["request"] == {"method": "POST", "url": "/invitation/…"}
    assert page["tags"]["request_id"] == "a1b2c3d4"
    (line,) = [event for event in told if "exception" not in event]
    assert line["logentry"]["formatted"] == "entry 12: 550 no such …"
    (broke,) = [event for event in told if _mechanism(event) == "logging"]
    assert broke["exception"]["values"][0]["value"] == "Key (email)=(…) already exists"
    assert broke["tags"]["log_id"] == "7"
    everything = json.dumps(told, ensure_ascii=False)
    for secret in ("people.example", "Ab-_9876543210", "Tester", "secret-session", "q=Amina"):
        assert secret not in everything, secret
