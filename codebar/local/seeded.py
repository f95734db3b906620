"""
What `.ci/run` asks besides the tests: `manage.py audit` on a database that was just filled, as any
new one is, by `migrate` and `seed_demo` (R32).

The database is its own and goes away at the end.
"""

import os
import subprocess
import sys

from codebar.local import environment, signals
from codebar.local.paths import MANAGE
from codebar.local.service import NotStarted
from codebar.local.testing import throw_away_folder

SERVICES = ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "EMAIL_URL")
STEPS = (
    ("migrate", "--verbosity", "0"),
    ("seed_demo", "--force", "--chapters", "6", "--members", "1000"),
    ("audit",),
)


def main() -> int:
    """0 when the audit finds nothing; else what the first step says that fails."""
    signals.exit_when_asked()
    for name in SERVICES:
        os.environ.pop(name, None)
    try:
        with throw_away_folder() as folder, environment.services(folder, durable=False) as running:
            surroundings = os.environ | environment.testing() | running.variables
            for step in STEPS:
                done = subprocess.run(
                    [sys.executable, MANAGE, *step], env=surroundings, check=False
                )
                if done.returncode:
                    return done.returncode
    except NotStarted as reason:
        sys.exit(str(reason))
    return 0


if __name__ == "__main__":
    sys.exit(main())
