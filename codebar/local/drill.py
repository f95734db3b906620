"""
What `bin/drill` runs: kill, broker loss, stop, purge, audit and apology, with real workers.

Everything is its own and goes away at the end: PostgreSQL, broker, mail catcher, people. It prints
one line for each scene, and exits with 1 when a promise of docs/delivery.md was broken.
"""

import argparse
import os
import sys
import warnings

from codebar.local import environment, signals
from codebar.local.drill_crew import Crew
from codebar.local.service import NotStarted
from codebar.local.testing import throw_away_folder
from codebar.local.valkey import Valkey

SERVICES = ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "EMAIL_URL")
FEWEST = 20  # a third of them must be more than what is in hand
PEOPLE = 200
SECONDS_A_SCENE = 4  # so long its letters take, so that there is a middle to interrupt

# The protocol's times, shortened: whoever is killed is missed after ten seconds.
TIMES = {
    "EMAIL_TIMEOUT": "2",
    "LETTER_SECONDS": "4",
    "TASK_SECONDS": "2",
    "LEASE_SECONDS": "10",
    "SWEEP_SECONDS": "1",
    "PREPARE_GRACE_SECONDS": "2",
    "DOUBT_DELAY_SECONDS": "1",
    "RETRY_DELAY_SECONDS": "1",
    "HOLD_PROBE_SECONDS": "1",
    "VISIBILITY_TIMEOUT": "30",
    "LOG_LEVEL": "WARNING",
}


def main() -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="bin/drill", description=__doc__)
    parser.add_argument(
        "--people", type=_people, default=PEOPLE, help=f"in each scene; {PEOPLE} if nothing is said"
    )
    people: int = parser.parse_args().people
    signals.exit_when_asked()
    for name in SERVICES:
        os.environ.pop(name, None)
    try:
        with throw_away_folder() as folder, environment.services(folder) as running:
            rate = {"MAIL_RATE_PER_SECOND": f"{people / SECONDS_A_SCENE:g}"}
            os.environ.update(environment.testing() | running.variables | TIMES | rate)
            _set_up_django()
            from codebar.local import drill_scenes  # models can be imported only now

            broker = next(one for one in running.services if isinstance(one, Valkey))
            with Crew(folder, mail=folder / "mail") as crew:
                stage = drill_scenes.stage_for(crew, broker, people=people)
                return drill_scenes.play(stage, drill_scenes.SCENES)
    except NotStarted as reason:
        sys.exit(str(reason))


def _people(typed: str) -> int:
    people = int(typed)
    if people < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}")
    return people


def _set_up_django() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    warnings.filterwarnings("ignore", "No directory at:", UserWarning)
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
