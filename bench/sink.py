"""
A mail server to measure against: it counts and throws away.

In a process of its own, since it must not share an interpreter with what is measured, and on bare
asyncio protocols, since one made with aiosmtpd is itself the limit at some 800 letters a second.
It ends with whoever started it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from typing import Any, Self

LOOPBACK = "127.0.0.1"


class Sink:
    """
    The server, and what it has counted. A context manager.

    :param reply_ms: how long it thinks about each command
    :param accept_ms: how long it takes to accept a letter
    """

    def __init__(self, *, reply_ms: float = 0, accept_ms: float = 0) -> None:
        self._delays = [str(reply_ms), str(accept_ms)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bench.sink", *self._delays],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # it ends when nobody holds its standard input

    @property
    def url(self) -> str:
        return f"smtp://{LOOPBACK}:{self.port}"

    def forget(self) -> None:
        """Count from zero."""
        self._ask("XFORGET")

    def letters(self) -> int:
        """How many it has accepted."""
        return int(self._ask("XCOUNT"))

    def addresses(self) -> int:
        """How many different people it has accepted a letter for."""
        return int(self._ask("XADDRESSES"))

    def message_ids(self) -> list[str]:
        """The Message-ID of each letter, in the order in which they came."""
        found: list[str] = self._ask("XIDS")
        return found

    def times(self) -> list[float]:
        """When each letter was accepted, on the clock of `time.monotonic()`."""
        found: list[float] = self._ask("XTIMES")
        return found

    def arrivals(self) -> dict[str, list[float]]:
        """When letters for each person were accepted, on the same clock, by their address."""
        found: dict[str, list[float]] = self._ask("XARRIVALS")
        return found

    def _ask(self, question: str) -> Any:
        with socket.create_connection((LOOPBACK, self.port)) as line, line.makefile("rb") as answer:
            answer.readline()
            line.sendall(question.encode() + b"\r\n")
            return json.loads(answer.readline()[4:])


class _Counts:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.times: list[float] = []
        self.message_ids: list[str] = []
        self.recipients: list[bytes] = []

    def add(self, recipient: bytes, letter: bytes | bytearray, at: float) -> None:
        self.times.append(at)
        self.recipients.append(recipient)
        _, found, rest = letter.partition(b"Message-ID: ")
        self.message_ids.append(rest.partition(b"\r\n")[0].decode() if found else "")

    def tell(self, question: str) -> Any:
        match question:
            case "XCOUNT":
                return len(self.times)
            case "XADDRESSES":
                return len(set(self.recipients))
            case "XIDS":
                return self.message_ids
            case "XTIMES":
                return self.times
            case "XARRIVALS":
                return self._by_person()
            case _:
                return self.forget()

    def _by_person(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for recipient, at in zip(self.recipients, self.times, strict=True):
            found.setdefault(recipient.decode(), []).append(at)
        return found


class _Conversation(asyncio.Protocol):
    """One connection; commands may come several at once (RFC 2920)."""

    def __init__(self, counts: _Counts, *, reply: float, accept: float) -> None:
        self._counts = counts
        self._reply, self._accept = reply, accept
        self._got = bytearray()
        self._is_letter = False
        self._recipient = b""
        self._loop = asyncio.get_running_loop()
        self._free_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say(b"220 sink")

    def data_received(self, data: bytes) -> None:
        self._got += data
        while self._take_letter() if self._is_letter else self._take_command():
            pass

    def _take_command(self) -> bool:
        line, found, rest = self._got.partition(b"\r\n")
        if not found:
            return False
        self._got = rest
        word = bytes(line[:4]).upper()
        if word == b"EHLO":
            self._say(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME")
        elif word == b"RCPT":
            self._recipient = bytes(line[line.find(b"<") + 1 : line.find(b">")])
            self._say(b"250 ok")
        elif word == b"DATA":
            self._is_letter = True
            self._say(b"354 go on")
        elif word == b"QUIT":
            self._say(b"221 bye")
        elif word[:1] == b"X":
            self._say(b"250 " + json.dumps(self._counts.tell(line.decode())).encode())
        else:
            self._say(b"250 ok")
        return True

    def _take_letter(self) -> bool:
        letter, found, rest = self._got.partition(b"\r\n.\r\n")
        if not found:
            return False
        self._got, self._is_letter = rest, False
        at = self._say(b"250 accepted", after=self._accept)
        self._counts.add(self._recipient, letter, at)
        return True

    def _say(self, line: bytes, *, after: float | None = None) -> float:
        """Say it when all before it is said, and the time to think of it is over."""
        wait = self._reply if after is None else after
        now = self._loop.time()
        if not wait and self._free_at <= now:
            self._transport.write(line + b"\r\n")
            return now
        self._free_at = max(self._free_at, now) + wait
        self._loop.call_at(self._free_at, self._transport.write, line + b"\r\n")
        return self._free_at


async def _serve(reply_ms: float, accept_ms: float) -> None:
    loop = asyncio.get_running_loop()
    counts = _Counts()
    server = await loop.create_server(
        lambda: _Conversation(counts, reply=reply_ms / 1000, accept=accept_ms / 1000),
        LOOPBACK,
        0,
        backlog=200,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    is_left_alone = asyncio.Event()
    loop.add_reader(sys.stdin, is_left_alone.set)
    await is_left_alone.wait()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), float(sys.argv[2])))
