"""The front of docker-compose.yml: a real Caddy with our Caddyfile, and what the web is told."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from codebar.local import ports
from codebar.local.paths import CHECKOUT
from codebar.local.service import accepts_connections
from tests.support.hosting import PROGRAMS
from tests.support.waiting import wait_until

SOMEBODY = "203.0.113.7"


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that reached it, again and again until the page is a long one."""

    def do_GET(self) -> None:
        told = json.dumps({name.lower(): value for name, value in self.headers.items()})
        page = told.encode().ljust(4096)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def do_POST(self) -> None:
        while self.rfile.read1(65_536):
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web_port() -> int:
    return ports.pick()


@pytest.fixture
def start_web(web_port: int) -> Iterator[Callable[[], None]]:
    started = []

    def start() -> None:
        server = ThreadingHTTPServer(("127.0.0.1", web_port), Echo)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture
def start_front(web_port: int, tmp_path: Path) -> Iterator[Callable[..., str]]:
    started = []
    text = (CHECKOUT / "deploy" / "Caddyfile").read_text()
    for_this_machine = tmp_path / "Caddyfile"
    for_this_machine.write_text(text.replace("{\n", "{\n\tdefault_bind 127.0.0.1\n", 1))

    def start(**variables: str) -> str:
        port = ports.pick()
        surroundings = {
            "FRONT_SITE": f"http://:{port}",
            "FRONT_WEB": f"127.0.0.1:{web_port}",
            "CADDY_ADMIN": f"127.0.0.1:{ports.pick()}",
            "HOME": str(tmp_path),
        }
        started.append(
            subprocess.Popen(
                [PROGRAMS / "caddy", "run", "--config", for_this_machine],
                env=os.environ | surroundings | variables,
                stderr=subprocess.DEVNULL,
            )
        )
        wait_until(lambda: accepts_connections(port), what="the front to listen")
        return f"http://127.0.0.1:{port}/"

    yield start
    for process in started:
        process.send_signal(signal.SIGKILL)
        process.wait()


def told(url: str, **headers: str) -> dict[str, str]:
    """What the web hears when somebody asks with these headers."""
    asked = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        heard: dict[str, str] = json.loads(answer.read())
        return heard


def forwarded(heard: dict[str, str]) -> tuple[str, str]:
    return heard["x-forwarded-for"], heard["x-forwarded-proto"]


def test_the_hosts_own_proxy_may_say_for_whom(start_web, start_front):
    start_web()

    heard = told(
        start_front(), **{"X-Forwarded-For": SOMEBODY, "X-Forwarded-Proto": "https", "Host": "a.b"}
    )

    assert forwarded(heard) == (SOMEBODY, "https")
    assert heard["host"] == "a.b"


def test_of_several_addresses_the_one_that_the_hosts_proxy_saw_is_told(start_web, start_front):
    """Whatever somebody claims comes first in the line, and is not believed."""
    start_web()

    heard = told(start_front(), **{"X-Forwarded-For": f"198.51.100.1, {SOMEBODY}"})

    assert heard["x-forwarded-for"] == SOMEBODY


def test_without_a_proxy_nobody_is_believed(start_web, start_front):
    start_web()
    front = start_front(FRONT_TRUSTS="192.0.2.1/32")

    heard = told(front, **{"X-Forwarded-For": SOMEBODY, "X-Forwarded-Proto": "https"})

    assert forwarded(heard) == ("127.0.0.1", "http")


def test_whoever_asks_while_the_web_starts_anew_waits_a_moment(start_web, start_front):
    front = start_front()
    began_at = time.monotonic()
    threading.Timer(1.5, start_web).start()

    assert told(front)["x-forwarded-proto"] == "http"

    assert time.monotonic() - began_at > 1


def test_a_page_is_squeezed(start_web, start_front):
    start_web()
    asked = urllib.request.Request(start_front(), headers={"Accept-Encoding": "gzip"})

    with urllib.request.urlopen(asked, timeout=30) as answer:
        body = answer.read()

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(body) < len(gzip.decompress(body)) == 4096


def test_more_than_any_form_of_ours_is_refused(start_web, start_front):
    start_web()
    asked = urllib.request.Request(start_front(), data=bytes(21 * 10**6), method="POST")

    assert _code_of_the_answer(asked) == 413


def _code_of_the_answer(asked: urllib.request.Request) -> int:
    """Asked again where the line was cut: whoever still sends may not hear why."""
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code
        except ConnectionError:
            continue
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise


def test_the_front_is_the_one_who_ends_a_line():
    """Else it would send an answer of somebody's into a line that the web has just closed."""
    caddyfile = (CHECKOUT / "deploy" / "Caddyfile").read_text()
    (of_the_front,) = re.findall(r"^\t+keepalive (\d+)s$", caddyfile, re.MULTILINE)
    gunicorn = (CHECKOUT / "gunicorn.conf.py").read_text()
    (of_the_web,) = re.findall(r"^keepalive = (\d+)", gunicorn, re.MULTILINE)

    assert int(of_the_front) < int(of_the_web)


@pytest.mark.parametrize("site", ["http://", "https://codebar.example"])
def test_caddy_takes_the_file_as_compose_gives_it(site: str, tmp_path: Path):
    done = subprocess.run(
        [PROGRAMS / "caddy", "validate", "--config", CHECKOUT / "deploy" / "Caddyfile"],
        env={"FRONT_SITE": site, "FRONT_TRUSTS": "private_ranges", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert (done.stdout.strip(), done.returncode) == ("Valid configuration", 0)
