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

# The system may wait for the final dot and send it in the packet of the text's last words.
_MORE_TO_COME = getattr(socket, "MSG_MORE", 0)

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


class Connection:
    """
    A connection to the mail server that stays open between letters.

    Not shared between threads.
    """

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._used_at = 0.0
        self._said_ahead: list[str] = []  # commands whose answers are still to come

    @property
    def is_open(self) -> bool:
        return self._smtp is not None

    def send(self, letter: bytes, *, to: str, deadline: float) -> Outcome:
        """
        Hand one letter over.

        :param letter: a whole message with CRLF line ends
        :param deadline: the moment of `time.monotonic()` after which the final dot is not sent
        """
        was_open = self.is_open
        outcome = self._try(letter, to=to, deadline=deadline)
        # A kept connection that the server closed meanwhile says nothing about the server, and
        # one that broke before the final dot has burnt nothing: both get one new connection.
        broke = isinstance(outcome, Deferred) and outcome.code is None
        is_stale = was_open and isinstance(outcome, Refused)
        if (broke or is_stale) and time.monotonic() + settings.EMAIL_TIMEOUT / 2 < deadline:
            outcome = self._try(letter, to=to, deadline=deadline)
        return outcome

    def probe(self, *, deadline: float) -> Refused | None:
        """Ask the server whether it would take a letter from us, without sending one."""
        self.close()
        try:
            return self._introduce(deadline)
        finally:
            self.close()

    def close(self) -> None:
        """Hang up. A second call changes nothing."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None
        self._said_ahead = []

    def _try(self, letter: bytes, *, to: str, deadline: float) -> Outcome:
        try:
            refused = self._introduce(deadline, ahead=[_rcpt_to(to), "DATA"])
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

    def _introduce(self, deadline: float, *, ahead: list[str] | None = None) -> Refused | None:
        try:
            return self._open(deadline) or self._mail_from(deadline, ahead=ahead or [])
        except _Broken as error:
            return Refused(str(error))

    def _open(self, deadline: float) -> Refused | None:
        if self._smtp is not None:
            if time.monotonic() - self._used_at < settings.CONNECTION_IDLE_SECONDS:
                return None
            self.close()
        try:
            self._smtp = _connect(_rest(deadline))
        except smtplib.SMTPResponseException as error:
            return Refused(_quote(error.smtp_code, error.smtp_error))
        except (OSError, smtplib.SMTPException) as error:
            return Refused(_describe(error))
        return None

    def _mail_from(self, deadline: float, *, ahead: list[str]) -> Refused | None:
        code, text = self._say(f"MAIL FROM:<{_sender()}>", deadline, ahead=ahead)
        return None if code == 250 else Refused(_quote(code, text))

    def _hand_over(self, letter: bytes, *, to: str, deadline: float) -> Outcome:
        code, text = self._say(_rcpt_to(to), deadline)
        if code not in (250, 251):
            return self._not_taken(code, text, deadline)
        code, text = self._say("DATA", deadline)
        if code != 354:
            return self._not_taken(code, text, deadline)
        self._write(_dot_stuffed(letter), deadline, flags=_MORE_TO_COME)
        if time.monotonic() >= deadline:
            raise _Broken("The mail server was too slow.")
        try:
            self._write(b".\r\n", deadline)
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
            if ahead and self._ready(deadline).has_extn("pipelining"):
                self._said_ahead = ahead
            lines = [command, *self._said_ahead, ""]
            self._write("\r\n".join(lines).encode("ascii"), deadline)
        return self._reply(deadline)

    def _write(self, data: bytes, deadline: float, *, flags: int = 0) -> None:
        sock = self._ready(deadline).sock
        try:
            if isinstance(sock, ssl.SSLSocket):  # knows no flags
                sock.sendall(data)
            else:
                sock.sendall(data, flags)
        except OSError as error:
            raise _Broken(_describe(error)) from error

    def _reply(self, deadline: float) -> tuple[int, bytes]:
        smtp = self._ready(deadline)
        try:
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise _Broken(_describe(error)) from error
        self._used_at = time.monotonic()
        return code, text

    def _ready(self, deadline: float) -> smtplib.SMTP:
        """The open connection, allowed to wait until the letter's time is over and no longer."""
        if self._smtp is None or self._smtp.sock is None:
            raise _Broken("The mail server closed the connection.")
        rest = _rest(deadline)
        if self._smtp.sock.gettimeout() != rest:  # seldom, and setting it is a system call
            self._smtp.sock.settimeout(rest)
        return self._smtp


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
        # The text goes out in two writes; waiting to fill a packet would cost 40 ms a letter.
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


def _rest(deadline: float) -> float:
    """Seconds that one step may take; never zero, which would mean "do not block"."""
    return max(min(float(settings.EMAIL_TIMEOUT), deadline - time.monotonic()), 0.001)


def _dot_stuffed(letter: bytes) -> bytes:
    """The text as DATA wants it (RFC 5321, 4.5.2), without the final dot."""
    stuffed = letter.replace(b"\r\n.", b"\r\n..")
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
        return "The mail server closed the connection."
    return f"The mail server cannot be reached ({type(error).__name__})."
