"""A web server of our own for tests: it keeps what is posted to it, and misbehaves on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Posted:
    path: str
    content_type: str
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class HttpSink:
    """Start it, give its `url` to whoever calls out, and read what was `posted`."""

    status: int = 200
    delay_seconds: float = 0
    location: str = ""
    meanwhile: Callable[[], object] = lambda: None
    posted: list[Posted] = field(default_factory=list)

    def start(self) -> HttpSink:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                content = self.rfile.read(length)
                kind = self.headers.get("Content-Type", "")
                sink.posted.append(Posted(self.path, kind, content))
                sink.meanwhile()
                time.sleep(sink.delay_seconds)
                self.send_response(sink.status)
                if sink.location:
                    self.send_header("Location", sink.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
