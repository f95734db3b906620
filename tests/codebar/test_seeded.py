"""What `.ci/run` asks of the audit: a step that fails fails it, and none comes after."""

import subprocess
import sys

from codebar.local.paths import CHECKOUT

STEPS = (("migrate", "--verbosity", "0"), ("audit", "--workshop", "1"), ("no_such_step",))


def test_what_the_audit_finds_ends_it():
    program = f"from codebar.local import seeded; seeded.STEPS = {STEPS}; exit(seeded.main())"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "There is no workshop 1." in done.stderr
    assert "no_such_step" not in done.stderr


def test_every_change_must_pass_it():
    asked = (CHECKOUT / ".ci" / "run").read_text().splitlines()

    assert ".venv/bin/python -m codebar.local.seeded" in asked
