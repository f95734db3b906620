"""`docs/proofs.md` names a proof of every requirement, and each of them is there."""

from __future__ import annotations

import re

from codebar.local.paths import CHECKOUT

PAGE = CHECKOUT / "docs" / "proofs.md"
ROW = re.compile(r"^\| ([RCX]\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
NUMBERED = {"R": 39, "C": 14, "X": 24}
WITHOUT_A_TEST = ["R37", "C7"]


def test_every_requirement_has_a_row():
    wanted = [f"{letter}{nr}" for letter, last in NUMBERED.items() for nr in range(1, last + 1)]

    assert [row[0] for row in ROW.findall(PAGE.read_text())] == wanted


def test_every_proof_is_there():
    proofs = {nr: re.findall(r"`([^`]+)`", files) for nr, _, files in ROW.findall(PAGE.read_text())}

    assert [nr for nr, files in proofs.items() if not files] == WITHOUT_A_TEST
    named = {file for files in proofs.values() for file in files}
    assert {file for file in named if not (CHECKOUT / file).is_file()} == set()


def test_every_test_that_is_numbered_is_named():
    """So that a new proof of a requirement does not stay out of the list."""
    page = PAGE.read_text()
    numbered = [
        path.relative_to(CHECKOUT).as_posix()
        for folder, pattern in (("faults", "test_r??_*.py"), ("security", "test_x??_*.py"))
        for path in (CHECKOUT / "tests" / folder).glob(pattern)
    ]

    assert numbered
    assert [path for path in numbered if f"`{path}`" not in page] == []
