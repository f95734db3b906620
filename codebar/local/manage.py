"""
What `bin/manage` runs: `manage.py` against the services of `bin/dev`, started for the call when
they do not run.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time

from codebar.local import environment, housing, leftovers, signals, tenancy
from codebar.local.paths import LOCAL, MANAGE
from codebar.local.service import NotStarted


def main() -> int:
    """The exit code of `manage.py`."""
    signals.exit_when_asked()
    with contextlib.ExitStack() as stack:
        try:
            surroundings = os.environ | _services(stack) | _with_programs()
        except NotStarted as reason:
            sys.exit(str(reason))
        process = subprocess.Popen([sys.executable, MANAGE, *sys.argv[1:]], env=surroundings)
        # Ctrl-C reaches it without us, and what it answers is its own decision.
        return signals.wait(
            process, pass_on={signal.SIGTERM: signal.SIGTERM, signal.SIGHUP: signal.SIGHUP}
        )


def _with_programs() -> dict[str, str]:
    """`dbshell` asks for `psql`, which comes with PostgreSQL's wheel."""
    return {"PATH": os.pathsep.join([os.environ.get("PATH", ""), str(housing.programs())])}


def _services(stack: contextlib.ExitStack) -> dict[str, str]:
    while True:
        try:
            stack.enter_context(tenancy.of_this_checkout("bin/manage"))
        except tenancy.Taken as taken:
            variables = tenancy.recorded_variables()
            if variables is not None:
                return variables
            _wait_for(taken)
        else:
            return _own_services(stack)


def _own_services(stack: contextlib.ExitStack) -> dict[str, str]:
    leftovers.stop(leftovers.marked(LOCAL))
    running = stack.enter_context(environment.services(LOCAL, first_port=environment.usual_port()))
    variables = (
        environment.development(port=int(os.environ.get("PORT") or 8000)) | running.variables
    )
    # When this fails it says why, and the call may be the one that mends it.
    subprocess.run(
        [sys.executable, MANAGE, "migrate", "--verbosity", "0"],
        env=os.environ | variables,
        check=False,
    )
    return variables


def _wait_for(taken: tenancy.Taken) -> None:
    print(f"bin/manage: waiting for {taken}", file=sys.stderr, flush=True)
    time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
