"""
The processes as they are hosted: the commands of docker-compose.yml, of the systemd units and of
the Procfile, run by somebody who may write nowhere in the checkout.
"""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codebar.local import housing, ports
from codebar.local.paths import CHECKOUT
from invitations.services.manager import InvitationManager
from logs.queries import progress
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support import hosting
from tests.support.hosting import Hosted
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import Station, database_url
from tests.support.waiting import wait_until

PEOPLE = 60
GRACE_SECONDS = 40
SITE = "https://codebar.example"
TIMES = {  # so long that a busy machine makes nobody late
    "EMAIL_TIMEOUT": "3",
    "LETTER_SECONDS": "4",
    "TASK_SECONDS": "5",
    "LEASE_SECONDS": "15",
    "WORKER_CONCURRENCY": "4",
}
SOURCES = [hosting.of_compose, hosting.of_systemd, hosting.of_procfile]


class House:
    """Web, worker and beat of one file."""

    def __init__(self, commands: dict[str, list[str]], *, station: Station, tmp: Path) -> None:
        self.port = ports.pick()
        self.tmp = tmp
        self.variables = station.variables | {
            "DATABASE_URL": database_url(),
            "EMAIL_URL": station.sink.url,
            "SITE_URL": SITE,
            "DEBUG": "off",
            "ALLOWED_HOSTS": "codebar.example",
            "PORT": str(self.port),
            # PORT alone would let the world in; this machine is enough.
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{self.port}",
        }
        self._commands = commands
        self.processes: dict[str, Hosted] = {}

    def start(self) -> None:
        for part in ("web", "worker", "beat"):
            self.processes[part] = Hosted(
                self._commands[part], variables=self.variables, tmp=self.tmp
            )
        wait_until(lambda: self.ready() == (200, "ok"), seconds=120, what="the house to be ready")

    def start_web_behind(self, door: socket.socket) -> Hosted:
        """The web alone, upon a port that somebody holds, as codebar-web.socket does."""
        self.processes["web"] = Hosted(
            self._commands["web"], variables=self.variables, tmp=self.tmp, door=door.fileno()
        )
        return self.processes["web"]

    def ready(self, *, seconds: float = 10) -> tuple[int, str]:
        """What /readyz answers, and the broker's state once a sweep came to its end."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/readyz", headers={"Host": "codebar.example"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=seconds) as answer:
                said = json.load(answer)
                return answer.status, said["broker"] if "ago" in said["sweep"] else said["sweep"]
        except urllib.error.HTTPError as error:
            return error.code, error.reason
        except OSError as error:
            return 0, str(error)

    def end(self) -> dict[str, int]:
        """SIGTERM to each; their exit codes once they have gone, each within its grace period."""
        for process in self.processes.values():
            process.ask_to_stop()
        return {part: process.wait(GRACE_SECONDS) for part, process in self.processes.items()}

    def says(self, words: list[str]) -> int:
        """The exit code of a health check."""
        return subprocess.run(
            hosting.as_reader(words, tmp=self.tmp),
            **hosting.surroundings(self.variables, tmp=self.tmp),
            timeout=60,
        ).returncode

    def stop(self) -> None:
        for process in self.processes.values():
            process.stop()


@pytest.fixture
def house(station: Station, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable]:
    houses = []
    station.variables |= TIMES

    def build(commands: dict[str, list[str]]) -> House:
        # Not below pytest's own folder, which nobody else may enter.
        with_room = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        housing.give(with_room)
        houses.append(House(commands, station=station, tmp=with_room))
        return houses[-1]

    yield build
    for one in houses:
        one.stop()


def test_the_same_commands_wherever_they_stand():
    of_systemd = hosting.of_systemd()
    assert of_systemd["worker"][-2:] == ["--hostname", "worker1@%h"]  # several on one machine

    assert hosting.of_compose() == hosting.of_procfile()
    assert hosting.of_procfile() == of_systemd | {"worker": of_systemd["worker"][:-2]}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_hosted_stopped_in_the_middle_of_a_batch_and_started_again(
    source: Callable[[], dict[str, list[str]]],
    house: Callable[[dict[str, list[str]]], House],
    station: Station,
):
    built = house(source())
    built.start()
    station.sink.delay_seconds = 0.5
    workshop = WorkshopFactory(chapter=chapter_with(students=PEOPLE))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until(lambda: len(station.sink.letters) > 2)

    assert built.end() == {"web": 0, "worker": 0, "beat": 0}

    counted = progress(log)
    assert counted.sending == 0, "a connection was not given back"
    assert counted.success == len(station.sink.letters) < PEOPLE
    station.sink.delay_seconds = 0
    built.start()
    wait_until_quiet(log)
    assert_settled(station.sink, log, audience=PEOPLE, faults=0)
    complaints = [line for line in built.processes["web"].output.splitlines() if '"error"' in line]
    assert complaints == []


def test_the_health_checks_tell_who_is_there_from_who_is_not(
    house: Callable[[dict[str, list[str]]], House],
):
    checks = {
        "web": hosting.health_check_of_the_image(),
        "worker": hosting.health_check("worker"),
        "beat": hosting.health_check("beat"),
    }
    built = house(hosting.of_compose())
    assert {part: bool(built.says(check)) for part, check in checks.items()} == {
        "web": True, "worker": True, "beat": True,
    }  # fmt: skip

    built.start()

    assert {part: built.says(check) for part, check in checks.items()} == {
        "web": 0, "worker": 0, "beat": 0,
    }  # fmt: skip


def test_whoever_asks_while_the_web_starts_anew_waits(
    house: Callable[[dict[str, list[str]]], House],
):
    built = house(hosting.of_systemd())
    with socket.create_server(("127.0.0.1", built.port)) as door, ThreadPoolExecutor() as somebody:
        old = built.start_web_behind(door)
        wait_until(lambda: built.ready()[0] == 200, seconds=120, what="the web to be ready")

        old.ask_to_stop()
        assert old.wait(GRACE_SECONDS) == 0
        asked = somebody.submit(built.ready, seconds=120)
        built.start_web_behind(door)

        assert asked.result()[0] == 200


@pytest.mark.skipif(not hosting.CAN_BE_READER, reason="only root can be somebody else")
def test_whoever_runs_it_may_write_nowhere_in_the_checkout(tmp_path: Path):
    asked = subprocess.run(hosting.as_reader(["test", "-w", str(CHECKOUT)], tmp=tmp_path))

    assert asked.returncode == 1
