"""
What `bin/dev` runs: codebar on this machine, as in production, with everything it needs.

PORT is the port of the pages, 8000 if not given. Services named in the environment (DATABASE_URL,
BROKER_URL, CACHE_URL, EMAIL_URL) are used; the others are started, with their data under .local/.
"""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time

from honcho import manager

from codebar.local import environment, leftovers, ports, signals, tenancy
from codebar.local.paths import CHECKOUT, LOCAL, MANAGE
from codebar.local.service import NotStarted, Service, accepts_connections

# People of the demo data (manage.py seed_demo).
PEOPLE = {
    "organiser": "asha@codebar.example",
    "member": "amina@codebar.example",
    "superuser": "admin@codebar.example",
}


def main() -> int:
    """Run until Ctrl-C, SIGTERM or the end of any process, and stop all that was started."""
    signals.exit_when_asked()
    try:
        with tenancy.of_this_checkout("bin/dev"):
            leftovers.stop(leftovers.marked(LOCAL))
            return _run(port=_choose_port())
    except tenancy.Taken as taken:
        sys.exit(f"{taken} is already running in this checkout. Stop it first.")
    except NotStarted as reason:
        sys.exit(str(reason))


def _run(*, port: int) -> int:
    say("Starting PostgreSQL, Valkey and the mail catcher")
    with environment.services(LOCAL, first_port=environment.usual_port()) as running:
        variables = environment.development(port=port) | running.variables
        surroundings = os.environ | variables | leftovers.mark(LOCAL)
        try:
            _prepare_database(surroundings)
            with tenancy.recorded(
                variables, {service.directory.name: service.pid for service in running.services}
            ):
                threading.Thread(target=_welcome, args=[port, surroundings], daemon=True).start()
                return _supervise(_commands(port), running.services, surroundings)
        finally:
            signals.ignore()
            leftovers.stop(leftovers.marked(LOCAL))
            say("Stopping the services")


def _choose_port() -> int:
    wanted = os.environ.get("PORT") or "8000"
    if not wanted.isdecimal() or not 0 < int(wanted) < 65_536:
        sys.exit(f"PORT must be a number from 1 to 65535, not {wanted!r}.")
    port = ports.next_free(int(wanted))
    if port != int(wanted):
        say(f"Port {wanted} is busy: using {port}")
    return port


def _prepare_database(surroundings: dict[str, str]) -> None:
    _manage(
        "migrate", "--verbosity", "0", surroundings=surroundings, doing="Migrating the database"
    )
    if _has_no_chapter(surroundings):
        _manage("seed_demo", surroundings=surroundings, doing="First run: making the demo data")


def _manage(*arguments: str, surroundings: dict[str, str], doing: str) -> None:
    say(doing)
    done = subprocess.run([sys.executable, MANAGE, *arguments], env=surroundings)
    if done.returncode:
        sys.exit(done.returncode)


def _has_no_chapter(surroundings: dict[str, str]) -> bool:
    question = "from chapters.models import Chapter; print(Chapter.objects.exists())"
    answer = subprocess.run(
        [sys.executable, MANAGE, "shell", "--verbosity", "0", "--command", question],
        env=surroundings,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return answer.stdout.strip() == "False"


def _commands(port: int) -> dict[str, list[str]]:
    python = sys.executable
    celery = [python, "-m", "celery", "--quiet", "-A", "codebar"]
    return {
        "web": [python, str(MANAGE), "runserver", f"{ports.LOOPBACK}:{port}"],
        "worker": [*celery, "worker", "--loglevel", "info"],
        "beat": [
            *celery,
            "beat",
            "--loglevel",
            "info",
            "--schedule",
            str(LOCAL / "beat"),
            "--pidfile=",
        ],
    }


def _welcome(port: int, surroundings: dict[str, str]) -> None:
    while not accepts_connections(port):
        time.sleep(0.2)
    site = surroundings["SITE_URL"]
    is_caught = "MAIL_CATCHER_DIRECTORY" in surroundings
    letters = f"{site}/mail/" if is_caught else surroundings["EMAIL_URL"].rpartition("@")[2]
    lines = [
        f"codebar is at {site}/ and letters arrive at {letters}",
        f"Sign in at {site}/accounts/login/ ; the code arrives as a letter:",
        *(f"  as {part:<10} {address}" for part, address in PEOPLE.items()),
        "Ctrl-C stops everything.",
    ]
    print("", *lines, "", sep="\n", flush=True)


def _supervise(
    commands: dict[str, list[str]], services: list[Service], surroundings: dict[str, str]
) -> int:
    manager.KILL_WAIT = 40  # seconds: a worker ends by itself, after its letter (DESIGN §8)
    processes = manager.Manager()
    for name, command in commands.items():
        environ = surroundings | {"PYTHONUNBUFFERED": "1"}
        processes.add_process(name, f"exec {shlex.join(command)}", env=environ, cwd=str(CHECKOUT))
    ended = threading.Event()
    threading.Thread(target=_stop_when_one_is_gone, args=[services, ended], daemon=True).start()
    processes.loop()
    ended.set()
    return int(processes.returncode or 0)


def _stop_when_one_is_gone(services: list[Service], ended: threading.Event) -> None:
    while not ended.wait(1):
        for service in services:
            if not service.is_running:
                say(f"{service.name} ({service.directory.name}) ended by itself")
                os.kill(os.getpid(), signal.SIGTERM)
                return


def say(sentence: str) -> None:
    """One line about what happens now."""
    print(f"bin/dev: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
