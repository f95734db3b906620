"""
The others, each in processes and a database of its own.

Their letters are written beforehand, so that only the sending is compared. That is generous:
ours are composed on the way.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import services
from bench.sink import Sink


@dataclass
class Peer:
    """A program with a queue in a database and a command that empties it."""

    name: str
    module: str
    folder: Path
    sink: Sink
    variables: dict[str, str]

    def __post_init__(self) -> None:
        database = services.new_database(self.module.rpartition(".")[2])
        self.variables |= {"PEER_DATABASE_URL": database, "EMAIL_URL": self.sink.url}
        self._do("migrate")

    def rate(self, *, letters: int) -> float:
        """Letters a second, from the first one accepted until all are recorded as sent."""
        self.sink.forget()
        done_at = self._do("fill and send", self.folder, letters)
        times = self.sink.times()
        assert len(times) == letters, f"{self.name} sent {len(times)} of {letters} letters"
        return letters / (done_at - times[0])

    def in_doubt_when_killed(self, *, letters: int, after: int) -> int:
        """
        Letters that the mail server holds and the queue does not know of, once all of it was
        killed: the next run sends them again.
        """
        self._do("fill", self.folder, letters)
        self.sink.forget()
        with services.started(self.module, "send", **self.variables):
            services.wait_until(lambda: self.sink.letters() >= after)
        time.sleep(0.2)
        return self.sink.letters() - int(self._do("recorded"))

    def _do(self, *arguments: object) -> float:
        return float(services.told_by(self.module, *arguments, **self.variables) or 0)


def act(
    *,
    fill: Callable[[Path, int], None],
    send: Callable[[], None],
    recorded: Callable[[], int],
) -> None:
    """In the peer's own process: what `Peer` asks for."""
    import django
    from django.core.management import call_command

    django.setup()
    match sys.argv[1:]:
        case ["migrate"]:
            call_command("migrate", verbosity=0)
        case ["fill", folder, letters]:
            fill(Path(folder), int(letters))
        case ["fill and send", folder, letters]:
            fill(Path(folder), int(letters))
            send()
            print(time.monotonic())
        case ["send"]:
            send()
        case ["recorded"]:
            print(recorded())
