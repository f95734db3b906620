"""
One SMTP conversation, step by step.

Django's e-mail back end and `smtplib.sendmail` hide where a conversation broke, and everything
depends on it: refused before the final dot is a letter that never left, broken after it is a
letter that may have arrived (RFC 1047).
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@,;]+>?")
_MOST_TEXT = 300

_FINAL_DOT = b".\r\n"
_CLOSED = "The mail server closed the connection."
_TOO_SLOW = "The mail server was too slow."
_LONGEST_ANSWER = 100_000
_SHORTEST_WAIT = 0.001  # zero would mean "do not wait at all"
# What says that a mailbox is gone. 5.1.7 and 5.1.8 speak about the sender's address, ours.
_BAD_ADDRESS = re.compile(rb"5\.1\.(?![78]\b)")


@dataclass(frozen=True)
class Accepted:
    """The mail server took the letter."""

    code: int


@dataclass(frozen=True)
class Deferred:
    """Not now: the server said 4xx, or the connection broke before the final dot."""

    reason: str
    code: int | None = None


@dataclass(frozen=True)
class Rejected:
    """Never: the server said 5xx to this recipient or this letter."""

    reason: str
    code: int
    is_bad_address: bool


@dataclass(frozen=True)
class InDoubt:
    """The connection broke after the final dot."""


@dataclass(frozen=True)
class Refused:
    """The server refuses us, whoever the letter is for."""

    reason: str


Outcome = Accepted | Deferred | Rejected | InDoubt | Refused


class _Broken(Exception):
    """The connection is gone, or silent."""


class _Line:
    """
    Bytes out and answers in, once both sides have introduced themselves.

    Each step may take until `deadline`, and no longer than EMAIL_TIMEOUT; then it is `_Broken`.
    """

    def __init__(self, smtp: smtplib.SMTP) -> None:
        if smtp.sock is None:
            raise _Broken(_CLOSED)
        self._smtp = smtp
        self._sock = smtp.sock
        self._heard = b""
        self._longest_wait = float(settings.EMAIL_TIMEOUT)
        self.takes_commands_ahead = smtp.has_extn("pipelining")

    def write(self, data: bytes, deadline: float) -> None:
        """All of it."""
        self._wait_no_longer_than(deadline)
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise _Broken(_describe(error)) from error

    def write_some(self, data: bytes, deadline: float) -> int:
        """As much as the system takes in one go: how many bytes. None of it if it is broken."""
        if isinstance(self._sock, ssl.SSLSocket):  # takes all, and may wait in the middle
            return 0
        self._wait_no_longer_than(deadline)
        try:
            return self._sock.send(data)
        except OSError as error:
            raise _Broken(_describe(error)) from error

    def reply(self, deadline: float) -> tuple[int, bytes]:
        """The next answer, of one line or several (RFC 5321, 4.2.1); its code is -1 without any."""
        said = []
        while True:
            line = self._next_line(deadline)
            said.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]) if line[:3].isdigit() else -1, b"\n".join(said)

    def close(self) -> None:
        self._smtp.close()

    def _next_line(self, deadline: float) -> bytes:
        while b"\n" not in self._heard:
            if len(self._heard) > _LONGEST_ANSWER:
                raise _Broken("The mail server does not end its answer.")
            self._heard += self._hear_more(deadline)
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _hear_more(self, deadline: float) -> bytes:
        self._wait_no_longer_than(deadline)
        try:
            heard = self._sock.recv(8192)
        except OSError as error:
            raise _Broken(_describe(error)) from error
        if not heard:
            raise _Broken(_CLOSED)
        return heard

    def _wait_no_longer_than(self, deadline: float) -> None:
        wait = max(min(self._longest_wait, deadline - time.monotonic()), _SHORTEST_WAIT)
        if self._sock.gettimeout() != wait:  # seldom, and setting it is a system call
            self._sock.settimeout(wait)


class Connection:
    """
    A connection to the mail server that stays open between letters.

    Not shared between threads.
    """

    def __init__(self) -> None:
        self._line: _Line | None = None
        self._used_at = 0.0
        self._said_ahead: list[str] = []  # commands whose answers are still to come

    @property
    def is_open(self) -> bool:
        return self._line is not None

    def send(self, letter: bytes, *, to: str, deadline: float, sender: str = "") -> Outcome:
        """
        Hand one letter over.

        :param letter: a whole message with CRLF line ends
        :param sender: whom the envelope names, where that is not DEFAULT_FROM_EMAIL
        :param deadline: the moment of `time.monotonic()` after which the final dot is not sent
        """
        was_open = self.is_open
        outcome = self._try(letter, to=to, sender=sender, deadline=deadline)
        # A kept connection that the server closed meanwhile says nothing about the server, and
        # one that broke before the final dot has burnt nothing: both get one new connection.
        broke = isinstance(outcome, Deferred) and outcome.code is None
        is_stale = was_open and isinstance(outcome, Refused)
        if (broke or is_stale) and time.monotonic() + settings.EMAIL_TIMEOUT / 2 < deadline:
            outcome = self._try(letter, to=to, sender=sender, deadline=deadline)
        return outcome

    def probe(self, *, deadline: float, sender: str = "") -> Refused | None:
        """Ask the server whether it would take a letter from us, without sending one."""
        self.close()
        try:
            return self._introduce(deadline, sender=sender)
        finally:
            self.close()

    def close(self) -> None:
        """Hang up. A second call changes nothing."""
        if self._line is not None:
            self._line.close()
            self._line = None
        self._said_ahead = []

    def _try(self, letter: bytes, *, to: str, sender: str, deadline: float) -> Outcome:
        try:
            refused = self._introduce(deadline, sender=sender, ahead=[_rcpt_to(to), "DATA"])
            if refused:
                self.close()
                return refused
            return self._hand_over(letter, to=to, deadline=deadline)
        except _Broken as error:
            self.close()
            return Deferred(str(error))
        except BaseException:
            # As a time limit raises it. What the server says next would answer the next letter.
            self.close()
            raise

    def _introduce(
        self, deadline: float, *, sender: str, ahead: list[str] | None = None
    ) -> Refused | None:
        try:
            return self._open(deadline) or self._mail_from(
                deadline, sender=sender, ahead=ahead or []
            )
        except _Broken as error:
            return Refused(str(error))

    def _open(self, deadline: float) -> Refused | None:
        if self._line is not None:
            if time.monotonic() - self._used_at < settings.CONNECTION_IDLE_SECONDS:
                return None
            self.close()
        try:
            wait = min(float(settings.EMAIL_TIMEOUT), deadline - time.monotonic())
            self._line = _Line(_connect(max(wait, _SHORTEST_WAIT)))
        except smtplib.SMTPResponseException as error:
            return Refused(_quote(error.smtp_code, error.smtp_error))
        except (OSError, smtplib.SMTPException) as error:
            return Refused(_describe(error))
        return None

    def _mail_from(self, deadline: float, *, sender: str, ahead: list[str]) -> Refused | None:
        code, text = self._say(f"MAIL FROM:<{sender or _sender()}>", deadline, ahead=ahead)
        return None if code == 250 else Refused(_quote(code, text))

    def _hand_over(self, letter: bytes, *, to: str, deadline: float) -> Outcome:
        code, text = self._say(_rcpt_to(to), deadline)
        if code not in (250, 251):
            return self._not_taken(code, text, deadline)
        code, text = self._say("DATA", deadline)
        if code != 354:
            return self._not_taken(code, text, deadline)
        rest = self._all_but_the_dot(_dot_stuffed(letter), deadline)
        try:
            if rest:
                self._talk().write(rest, deadline)
            code, text = self._reply(deadline)
        except _Broken:
            self.close()
            return InDoubt()
        self._used_at = time.monotonic()
        if 200 <= code <= 299:
            return Accepted(code)
        if 400 <= code <= 599:
            return self._not_taken(code, text, deadline, reset=False)
        self.close()
        return InDoubt()

    def _all_but_the_dot(self, text: bytes, deadline: float) -> bytes:
        """
        Write the text. What is left of the final dot is returned, mostly nothing: the dot goes with
        a text that the system takes in one go.
        """
        line = self._talk()
        if time.monotonic() >= deadline:
            raise _Broken(_TOO_SLOW)
        whole = text + _FINAL_DOT
        taken = line.write_some(whole, deadline)
        if taken < len(text):
            line.write(whole[taken : len(text)], deadline)
            taken = len(text)
            if time.monotonic() >= deadline:
                raise _Broken(_TOO_SLOW)
        return whole[taken:]

    def _not_taken(
        self, code: int, text: bytes, deadline: float, *, reset: bool = True
    ) -> Deferred | Rejected:
        if code == 421:
            self.close()
        elif reset:
            self._start_over(deadline)
        reason = _quote(code, text)
        if 500 <= code <= 599:
            return Rejected(reason, code, is_bad_address=bool(_BAD_ADDRESS.match(text)))
        return Deferred(reason, code)

    def _start_over(self, deadline: float) -> None:
        """Be ready for the next letter; on a new connection where this one wants the text."""
        try:
            while self._said_ahead:
                code, _ = self._say(self._said_ahead[0], deadline)
                if code == 354:
                    self.close()  # even a lone dot could be taken for a letter
                    return
            self._say("RSET", deadline)
        except _Broken:
            self.close()

    def _say(
        self, command: str, deadline: float, *, ahead: list[str] | None = None
    ) -> tuple[int, bytes]:
        """
        The answer to this command.

        Those that are said `ahead` go out with it where the server allows that (RFC 2920). Their
        answers are read one by one, when they are said themselves.
        """
        if self._said_ahead and self._said_ahead[0] == command:
            self._said_ahead.pop(0)
        else:
            line = self._talk()
            if ahead and line.takes_commands_ahead:
                self._said_ahead = ahead
            lines = [command, *self._said_ahead, ""]
            line.write("\r\n".join(lines).encode("ascii"), deadline)
        return self._reply(deadline)

    def _reply(self, deadline: float) -> tuple[int, bytes]:
        answer = self._talk().reply(deadline)
        self._used_at = time.monotonic()
        return answer

    def _talk(self) -> _Line:
        if self._line is None:
            raise _Broken(_CLOSED)
        return self._line


def _connect(timeout: float) -> smtplib.SMTP:
    """Greeted, introduced, encrypted and signed in as EMAIL_URL asks; raises what smtplib does."""
    we = urlsplit(settings.SITE_URL).hostname
    if settings.EMAIL_USE_SSL:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            local_hostname=we, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        smtp = smtplib.SMTP(local_hostname=we, timeout=timeout)
    try:
        smtp._host = settings.EMAIL_HOST  # type: ignore[attr-defined]  # starttls checks this name
        code, text = smtp.connect(settings.EMAIL_HOST, settings.EMAIL_PORT)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        # Waiting to fill a packet would cost 40 ms a letter.
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _sender() -> str:
    return _address_in(settings.DEFAULT_FROM_EMAIL)


@lru_cache(maxsize=1)
def _address_in(name_and_address: str) -> str:
    return parseaddr(name_and_address)[1]


def _rcpt_to(address: str) -> str:
    return f"RCPT TO:<{address}>"


def _dot_stuffed(letter: bytes) -> bytes:
    """The text as DATA wants it (RFC 5321, 4.5.2), without the final dot."""
    stuffed = letter.replace(b"\r\n.", b"\r\n..") if b"\r\n." in letter else letter
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _quote(code: int, text: bytes | str) -> str:
    """The server's answer in its own words, without the addresses it repeats."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    words = " ".join(words.replace("\x00", " ").split())
    return f"“{code} {_ADDRESS.sub('…', words)[:_MOST_TEXT]}”"


def _describe(error: Exception) -> str:
    # smtplib says "disconnected" of a silent server as well.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "The mail server did not answer in time."
    if isinstance(error, ConnectionRefusedError):
        return "The mail server refused the connection."
    if isinstance(error, ssl.SSLError):
        return "We and the mail server cannot agree on encryption."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "The mail server lacks the encryption or the sign-in that EMAIL_URL asks for."
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError):
        return _CLOSED
    return f"The mail server cannot be reached ({type(error).__name__})."
