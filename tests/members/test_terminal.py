"""Long commands show a bar to people and plain lines to files."""

import os
import pty
import select
import sys

import pytest

from members.terminal import progress


def test_elsewhere_there_is_a_line_for_every_tenth(capsys):
    with progress("Making tea", total=25) as advance:
        for _ in range(25):
            advance(1)

    lines = [f"Making tea: {done} of 25" for done in (3, 5, 8, 10, 13, 15, 18, 20, 23, 25)]
    assert capsys.readouterr().err.splitlines() == lines


def test_many_at_once_are_one_line(capsys):
    with progress("Making tea", total=2500) as advance:
        advance(1000)
        advance(1500)

    assert capsys.readouterr().err.splitlines() == [
        "Making tea: 1000 of 2500",
        "Making tea: 2500 of 2500",
    ]


def test_standard_output_stays_clean(capsys):
    with progress("Making tea", total=1) as advance:
        advance(1)

    assert capsys.readouterr().out == ""


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "80")
        with progress("Making tea", total=3) as advance:
            advance(3)
        monkeypatch.undo()
        shown = _read_until(ours, "3/3")
    os.close(ours)

    assert "━" in shown


def _read_until(terminal: int, words: str) -> str:
    """A terminal hands on what was written to it in pieces, and when it likes."""
    shown = b""
    while words.encode() not in shown:
        assert select.select([terminal], [], [], 10)[0], f"no “{words}” in {shown.decode()}"
        shown += os.read(terminal, 65536)
    return shown.decode()
