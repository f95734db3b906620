"""Somebody who knows a link and nothing else: a mail scanner, a mail program, a stranger."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit

MOST_REDIRECTS = 5


@dataclass(frozen=True)
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def location(self) -> str:
        return self.header("Location")

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def cookies(self) -> set[str]:
        """The names of what it wants to be remembered by."""
        said = [value for name, value in self.headers if name.lower() == "set-cookie"]
        return {value.split("=", 1)[0] for value in said}

    def header(self, wanted: str) -> str:
        return next((value for name, value in self.headers if name.lower() == wanted.lower()), "")


def ask(link: str, *, method: str = "GET", form: dict[str, str] | None = None) -> Response:
    """One request without any cookie, over a connection of its own; redirects are not followed."""
    address = urlsplit(link)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        connection.request(
            method,
            f"{address.path}?{address.query}" if address.query else address.path,
            body=urlencode(form) if form is not None else None,
            headers={"Content-Type": "application/x-www-form-urlencoded"} if form else {},
        )
        response = connection.getresponse()
        return Response(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def follow(link: str, *, method: str = "GET") -> list[Response]:
    """What each step answers, on the way to where redirects end; still without any cookie."""
    responses = [ask(link, method=method)]
    while responses[-1].location and len(responses) <= MOST_REDIRECTS:
        link = urljoin(link, responses[-1].location)
        responses.append(ask(link, method=method))
    return responses
