"""What one SMTP conversation tells: taken, not now, never, in doubt, or that we are refused."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from invitations.services.smtp import (
    Accepted,
    Connection,
    Deferred,
    InDoubt,
    Outcome,
    Refused,
    Rejected,
)
from tests.support.smtp_sink import DROP, STALL, STORE_AND_DROP, STORE_AND_STALL, SmtpSink

PATIENT, IMPATIENT = 5, 0.3  # seconds; the mail server is a thread of the same process
TO = "ann@people.example"
LETTER = b"Message-ID: <1@codebar.example>\r\nSubject: Hello\r\n\r\n.\r\n..two dots\r\nBye"


@pytest.fixture(params=[True, False], ids=["pipelining", "step by step"])
def connection(
    sink: SmtpSink, settings: Settings, request: pytest.FixtureRequest
) -> Iterator[Connection]:
    sink.takes_commands_ahead = request.param
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = PATIENT
    connection = Connection()
    yield connection
    connection.close()


def _send(connection: Connection, letter: bytes = LETTER, *, seconds: float = 5) -> Outcome:
    return connection.send(letter, to=TO, deadline=time.monotonic() + seconds)


def test_a_letter_arrives_as_it_was_written(connection: Connection, sink: SmtpSink):
    assert _send(connection) == Accepted(250)
    assert _send(connection, b"Again\r\n") == Accepted(250)

    first, second = sink.letters
    assert (first.recipient, first.content) == (TO, LETTER + b"\r\n")
    assert second.content == b"Again\r\n"
    assert sink.connections == 1


def test_each_letter_may_name_another_sender_on_one_connection(
    connection: Connection, sink: SmtpSink, settings: Settings
):
    settings.DEFAULT_FROM_EMAIL = "codebar <hello@codebar.example>"
    deadline = time.monotonic() + 5
    for sender in ("bounces+1@bounces.example", "", "bounces+2@bounces.example"):
        assert connection.send(LETTER, to=TO, sender=sender, deadline=deadline) == Accepted(250)

    assert [letter.sender for letter in sink.letters] == [
        "bounces+1@bounces.example",
        "hello@codebar.example",
        "bounces+2@bounces.example",
    ]
    assert sink.connections == 1


@pytest.mark.parametrize("step", ["rcpt", "data", "dot"])
@pytest.mark.parametrize("code", [421, 432, 451, 452, 454])
def test_4xx_to_a_letter_means_not_now(
    connection: Connection, sink: SmtpSink, step: str, code: int
):
    sink.script = lambda at, _: f"{code} 4.0.0 wait, <{TO}>" if at == step else None
    assert _send(connection) == Deferred(f"“{code} 4.0.0 wait, …”", code)

    sink.script = None
    assert _send(connection) == Accepted(250)


@pytest.mark.parametrize("step", ["rcpt", "data", "dot"])
@pytest.mark.parametrize(
    ("answer", "is_bad"),
    [
        ("550 5.1.1 no such mailbox", True),
        ("550 5.1.10 no mail here", True),
        ("550-5.1.1 no such\r\n550 5.1.1 mailbox", True),
        ("553 5.1.7 your own address is bad", False),
        ("501 5.1.8 your own domain is bad", False),
        ("552 5.2.2 mailbox full", False),
        ("554 no", False),
    ],
)
def test_5xx_to_a_letter_means_never(
    connection: Connection, sink: SmtpSink, step: str, answer: str, is_bad: bool
):
    sink.script = lambda at, _: answer if at == step else None
    outcome = _send(connection)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.is_bad_address) == (int(answer[:3]), is_bad)
    sink.script = None
    assert _send(connection) == Accepted(250)
    assert sink.connections == 1


def test_a_server_that_wants_the_text_although_nobody_gets_it_is_left(
    connection: Connection, sink: SmtpSink
):
    answers = {"rcpt": "550 5.1.1 no such mailbox", "data": "354 go on"}
    sink.script = lambda at, _: answers.get(at)
    assert isinstance(_send(connection), Rejected)

    sink.script = None
    assert _send(connection) == Accepted(250)
    assert [letter.content for letter in sink.letters] == [LETTER + b"\r\n"]
    assert sink.connections == (2 if sink.takes_commands_ahead else 1)


@pytest.mark.parametrize(
    ("step", "act", "reason"),
    [
        ("connect", "421 4.3.2 closing", "“421 4.3.2 closing”"),
        ("connect", "554 no", "“554 no”"),
        ("connect", DROP, "The mail server closed the connection."),
        ("connect", STALL, "The mail server did not answer in time."),
        ("ehlo", DROP, "The mail server closed the connection."),
        ("ehlo", STALL, "The mail server did not answer in time."),
        ("mail", "451 later", "“451 later”"),
        ("mail", "530 5.7.0 sign in first", "“530 5.7.0 sign in first”"),
        ("mail", "550 <me@codebar.example> no", "“550 … no”"),
        ("mail", DROP, "The mail server closed the connection."),
        ("mail", STALL, "The mail server did not answer in time."),
    ],
)
def test_no_to_whoever_we_write_means_that_we_are_refused(
    connection: Connection,
    sink: SmtpSink,
    settings: Settings,
    step: str,
    act: str,
    reason: str,
):
    sink.script = lambda at, _: act if at == step else None
    settings.EMAIL_TIMEOUT = IMPATIENT if act == STALL else PATIENT

    assert _send(connection) == Refused(reason)
    assert connection.probe(deadline=time.monotonic() + 5) == Refused(reason)
    sink.script, settings.EMAIL_TIMEOUT = None, PATIENT
    assert connection.probe(deadline=time.monotonic() + 5) is None
    assert _send(connection) == Accepted(250)
    assert len(sink.letters) == 1


def test_nobody_listens(connection: Connection, sink: SmtpSink):
    sink.stop()
    assert _send(connection) == Refused("The mail server refused the connection.")

    sink.start()
    assert _send(connection) == Accepted(250)


def test_wrong_password(connection: Connection, sink: SmtpSink, settings: Settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "codebar", "secret"
    answers = {"ehlo": "250-sink\r\n250 AUTH PLAIN", "auth": "535 5.7.8 who are you"}
    sink.script = lambda at, _: answers.get(at)
    assert _send(connection) == Refused("“535 5.7.8 who are you”")

    del answers["auth"]
    assert _send(connection) == Accepted(250)


def test_no_encryption(connection: Connection, settings: Settings):
    settings.EMAIL_USE_TLS = True
    outcome = _send(connection)

    assert isinstance(outcome, Refused)
    assert "encryption" in outcome.reason


def test_encryption_from_the_start_with_a_server_that_has_none(
    connection: Connection, settings: Settings
):
    settings.EMAIL_USE_SSL = True

    assert _send(connection) == Refused("We and the mail server cannot agree on encryption.")


@pytest.mark.parametrize("step", ["rcpt", "data"])
@pytest.mark.parametrize("act", [DROP, STALL])
def test_broken_once_before_the_dot_it_is_tried_again_at_once(
    connection: Connection, sink: SmtpSink, settings: Settings, step: str, act: str
):
    settings.EMAIL_TIMEOUT = 1 if act == STALL else PATIENT
    struck: list[str] = []

    def strike(at: str, _: str) -> str | None:
        if at != step or struck:
            return None
        struck.append(at)
        return act

    sink.script = strike
    assert _send(connection) == Accepted(250)
    assert (len(sink.letters), sink.connections) == (1, 2)


@pytest.mark.parametrize("step", ["rcpt", "data"])
@pytest.mark.parametrize("act", [DROP, STALL])
def test_broken_twice_before_the_dot_it_waits(
    connection: Connection, sink: SmtpSink, settings: Settings, step: str, act: str
):
    settings.EMAIL_TIMEOUT = IMPATIENT if act == STALL else PATIENT
    sink.script = lambda at, _: act if at == step else None
    outcome = _send(connection)

    assert isinstance(outcome, Deferred)
    assert outcome.code is None
    assert (sink.letters, sink.connections) == ([], 2)


@pytest.mark.parametrize("act", [DROP, STALL, STORE_AND_DROP, STORE_AND_STALL, "199 what"])
def test_broken_after_the_dot_it_is_in_doubt(
    connection: Connection, sink: SmtpSink, settings: Settings, act: str
):
    settings.EMAIL_TIMEOUT = IMPATIENT if act in (STALL, STORE_AND_STALL) else PATIENT
    sink.script = lambda at, _: act if at == "dot" else None
    assert _send(connection) == InDoubt()
    assert sink.connections == 1

    sink.script, settings.EMAIL_TIMEOUT = None, PATIENT
    assert _send(connection) == Accepted(250)
    assert sink.connections == 2


def test_a_kept_connection_that_was_closed_meanwhile_is_opened_anew(
    connection: Connection, sink: SmtpSink
):
    assert _send(connection) == Accepted(250)
    sink.script = lambda at, _: "421 4.4.2 idle" if at == "mail" and sink.connections == 1 else None

    assert _send(connection) == Accepted(250)
    assert sink.connections == 2


def test_a_connection_long_unused_is_not_trusted(
    connection: Connection, sink: SmtpSink, settings: Settings
):
    settings.CONNECTION_IDLE_SECONDS = 0.05
    assert _send(connection) == Accepted(250)
    time.sleep(0.1)

    assert _send(connection) == Accepted(250)
    assert sink.connections == 2


def test_a_letter_whose_time_is_over_is_not_handed_over(connection: Connection, sink: SmtpSink):
    sink.script = lambda at, _: time.sleep(0.2) if at == "data" else None
    assert isinstance(_send(connection, seconds=0.15), Deferred)

    time.sleep(0.2)
    assert sink.letters == []


class _TimeIsUp(Exception):
    pass


@pytest.mark.parametrize("step", ["connect", "mail", "rcpt", "data", "dot"])
def test_an_interrupted_conversation_is_not_carried_on(
    connection: Connection, sink: SmtpSink, step: str
):
    """As by Celery's time limit; else the next letter would take this one's answers for its own."""

    def interrupt(*_: object) -> None:
        raise _TimeIsUp

    sink.script = lambda at, _: STALL if at == step else None
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(_TimeIsUp):
            _send(connection)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert not connection.is_open
    sink.script = None
    assert _send(connection) == Accepted(250)
