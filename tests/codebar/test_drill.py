"""`bin/drill`: its scenes, small; and that it says when a promise broke."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codebar.local import drill_scenes, ports
from codebar.local.drill_crew import Crew
from codebar.local.drill_scenes import Broken, Stage
from codebar.local.paths import CHECKOUT
from codebar.local.valkey import BROKER, Valkey
from tests.factories import MemberFactory

FEWEST = "20"


@pytest.mark.timeout(600)
def test_every_promise_is_kept():
    done = subprocess.run(
        [sys.executable, "-P", "-m", "codebar.local.drill", "--people", FEWEST],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )

    print(done.stdout, done.stderr)
    assert done.returncode == 0
    told = done.stdout.splitlines()
    assert [line for line in told if line.endswith("…")] == [
        "Kill …", "Broker loss …", "Stop …", "Purge …", "Audit …", "Apology …",
    ]  # fmt: skip
    assert told[-1] == "All 6 promises were kept."


def test_fewer_people_than_have_a_middle_are_refused():
    done = subprocess.run(
        [sys.executable, "-P", "-m", "codebar.local.drill", "--people", "3"],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert "at least 20" in done.stderr


@pytest.mark.django_db
def test_a_promise_that_broke_is_told_and_the_others_are_still_played(capsys, tmp_path: Path):
    def lies(stage: Stage) -> str:
        raise Broken("2 people have no letter.")

    broker = Valkey(tmp_path / "broker", port=ports.pick(), policy=BROKER)
    crew = Crew(tmp_path, mail=tmp_path)
    stage = Stage(crew, broker, people=2, organiser=MemberFactory())

    code = drill_scenes.play(stage, {"Lies": lies, "Tells": lambda stage: "All is well."})

    assert code == 1
    told = re.sub(r" \(\d+ s\)", "", capsys.readouterr().out).splitlines()
    assert told == [
        "2 scenes with 2 people each, on services that go away at the end."
        " docs/runbook.md, “Drill”, says what each must show.",
        "Lies …",
        "    BROKEN: 2 people have no letter.",
        "Tells …",
        "    All is well.",
        "Broken: Lies.",
    ]


def test_letters_are_counted_by_their_message_id(tmp_path: Path):
    for nr, name in enumerate(("a@codebar.example", "b@codebar.example", "a@relay.example")):
        (tmp_path / f"{nr}.eml").write_text(f"Message-ID: <{name}>\n\nBody")
    (tmp_path / "half.part").write_text("Message-ID: <c@codebar.example>\n\nBo")
    crew = Crew(tmp_path, mail=tmp_path)

    assert (crew.letters(), crew.letter_count()) == ({"a": 2, "b": 1}, 3)
