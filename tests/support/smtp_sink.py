"""
A mail server of our own for tests: it keeps what it takes, and misbehaves on request.

Plain asyncio in a thread. A test may give it a `script`: a function that is asked at each step of
each conversation and answers with a line to say instead of the usual one, or with an act.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from functools import cached_property

DROP = "drop"  # hang up without a word
STALL = "stall"  # say nothing and keep the line open
STORE_AND_DROP = "store and drop"  # at the dot: take the letter, then hang up
STORE_AND_STALL = "store and stall"  # at the dot: take the letter, then say nothing

Script = Callable[[str, str], "str | None"]


@dataclass(frozen=True)
class Caught:
    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.content, policy=default)
        assert isinstance(message, EmailMessage)
        return message

    @cached_property
    def message_id(self) -> str:
        """Read from the head of the letter alone, since invariants are read often."""
        return str(BytesHeaderParser().parsebytes(self.content)["Message-ID"]).strip()


@dataclass
class SmtpSink:
    """
    Start it, set EMAIL_URL to `url`, and read `letters`.

    `script(step, recipient)` is asked with the steps connect, ehlo, auth, mail, rcpt, data and dot.
    """

    script: Script | None = None
    delay_seconds: float = 0
    takes_commands_ahead: bool = True  # PIPELINING, as most servers do
    letters: list[Caught] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> Counter[str]:
        """How many letters each address got."""
        return Counter(letter.recipient for letter in list(self.letters))

    @property
    def message_ids(self) -> Counter[str]:
        return Counter(letter.message_id for letter in list(self.letters))

    @property
    def _greeting(self) -> str:
        return "250-sink\r\n250 PIPELINING" if self.takes_commands_ahead else "250 sink"

    def start(self) -> SmtpSink:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def serve() -> None:
            self._server = await asyncio.start_server(
                self._talk, "127.0.0.1", self.port, limit=2**24
            )
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(serve())
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def stop(self) -> None:
        async def close() -> None:
            self._server.close()
            tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(*_ENDS):
            await self._converse(reader, writer)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = recipient = ""
        await self._answer(writer, "connect", "", "220 sink")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            word = line.split(" ", 1)[0].upper().rstrip(":")
            match word:
                case "EHLO" | "HELO":
                    await self._answer(writer, "ehlo", "", self._greeting)
                case "MAIL":
                    sender = _address(line)
                    await self._answer(writer, "mail", sender, "250 ok")
                case "RCPT":
                    address = _address(line)
                    is_taken = await self._answer(writer, "rcpt", address, "250 ok")
                    recipient = address if is_taken else ""
                case "DATA":
                    usual = "354 go on" if recipient else "554 no valid recipients"
                    if await self._answer(writer, "data", recipient, usual) and recipient:
                        text = await reader.readuntil(b"\r\n.\r\n")
                        caught = Caught(sender, recipient, text[:-3].replace(b"\r\n..", b"\r\n."))
                        await self._take(writer, caught)
                case "AUTH":
                    await self._answer(writer, "auth", "", "235 2.7.0 welcome")
                case "QUIT":
                    await self._say(writer, "221 bye")
                    return
                case _:
                    await self._say(writer, "250 ok")

    async def _take(self, writer: asyncio.StreamWriter, caught: Caught) -> None:
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        act = self.script("dot", caught.recipient) if self.script else None
        if act is None or act in (STORE_AND_DROP, STORE_AND_STALL) or act.startswith("2"):
            self.letters.append(caught)
        await self._act(writer, act, "250 2.0.0 accepted")

    async def _answer(
        self, writer: asyncio.StreamWriter, step: str, about: str, usual: str
    ) -> bool:
        act = self.script(step, about) if self.script else None
        await self._act(writer, act, usual)
        return act is None

    async def _act(self, writer: asyncio.StreamWriter, act: str | None, usual: str) -> None:
        if act in (DROP, STORE_AND_DROP):
            raise _HangUp
        if act in (STALL, STORE_AND_STALL):
            await asyncio.sleep(3600)
        await self._say(writer, act or usual)
        if act and act.startswith("421"):
            raise _HangUp

    async def _say(self, writer: asyncio.StreamWriter, line: str) -> None:
        writer.write(line.encode() + b"\r\n")
        await writer.drain()


class _HangUp(Exception):
    pass


_ENDS = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, _HangUp)


def _address(line: str) -> str:
    return line[line.index("<") + 1 : line.index(">")]
