"""The load test: its pieces work, and the page tells what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bench import arriving, load_report, pages
from bench.sink import Sink
from codebar.local.paths import CHECKOUT
from tests.bench.test_bench import _send


def test_the_sink_knows_when_letters_came_to_whom():
    with Sink() as sink:
        _send(sink, "ann@people.example", "bob@people.example", "ann@people.example")

        first, second, third = sink.times()
        assert sink.arrivals() == {
            "ann@people.example": [first, third],
            "bob@people.example": [second],
        }


@pytest.mark.parametrize("report", [arriving, load_report])
def test_performance_md_shows_the_committed_results(report):
    found = json.loads(report.RESULTS.read_text())
    page = pages.PAGE.read_text()

    assert pages.with_section(page, report.MARK, report.written(found)) == page


def test_a_section_replaces_the_one_before_and_nothing_else():
    page = "Before.\n\n<!-- me writes this -->\n\nOld.\n\n<!-- me ends -->\n\nAfter.\n"

    assert pages.with_section(page, "me", "New.") == page.replace("Old.", "New.")


@pytest.mark.timeout(600)
def test_visitors_meet_no_error_and_every_answer_has_its_letter():
    """With a handful of people; how fast it is, is the bench's own to tell."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench", "--load", "--tiny"],
        cwd=CHECKOUT,
        env=variables | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "0 people got no letter, 0 got two" in said
    assert "stopped at the 61st was tried afterwards, and held." in said
    assert "Answers without a letter" not in said
    assert "Errors" not in said
