"""The pieces of `bin/bench` work; how fast they are is its own to tell."""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.sink import LOOPBACK, Sink
from codebar.local.paths import CHECKOUT

LETTER = b"Message-ID: <1@codebar.example>\r\nSubject: Hello\r\n\r\n..Bye"


def _send(sink: Sink, *recipients: str) -> None:
    with smtplib.SMTP(LOOPBACK, sink.port) as smtp:
        for recipient in recipients:
            smtp.sendmail("hello@codebar.example", [recipient], LETTER)


def test_the_sink_counts_letters_and_people():
    with Sink() as sink:
        before = time.monotonic()
        _send(sink, "ann@people.example", "bob@people.example", "ann@people.example")

        assert (sink.letters(), sink.addresses()) == (3, 2)
        assert sink.message_ids() == ["<1@codebar.example>"] * 3
        assert all(before < at < time.monotonic() for at in sink.times())
        sink.forget()
        assert (sink.letters(), sink.addresses(), sink.times()) == (0, 0, [])


def test_the_sink_takes_several_commands_at_once():
    with Sink() as sink, smtplib.SMTP(LOOPBACK, sink.port) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("pipelining")
        smtp.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")

        assert [smtp.getreply()[0] for _ in range(3)] == [250, 250, 354]
        smtp.send(LETTER + b"\r\n.\r\n")
        assert smtp.getreply()[0] == 250
        assert sink.letters() == 1


def test_a_slow_sink_takes_its_time():
    with Sink(reply_ms=20, accept_ms=100) as sink:
        began_at = time.monotonic()
        _send(sink, "ann@people.example")

        assert time.monotonic() - began_at > 0.2


def test_the_sink_ends_with_whoever_started_it():
    with Sink() as sink:
        pid = sink._process.pid
        assert psutil.pid_exists(pid)

    assert not psutil.pid_exists(pid)


def test_all_of_our_rows_with_a_handful_of_people(tmp_path: Path):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench", "--tiny", "--only", "killed: ours"],
        cwd=CHECKOUT,
        env=variables | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "in doubt for each connection" in done.stdout
