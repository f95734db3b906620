"""
What no program on this machine can exceed: messages built beforehand, two processes with
`smtplib`, each on a connection that is kept, and no ledger at all.
"""

from __future__ import annotations

import smtplib
import sys
from pathlib import Path

from bench import services
from bench.letters import Sample
from bench.sink import LOOPBACK, Sink


def rate(folder: Path, sink: Sink, *, letters: int, processes: int = 2) -> float:
    """Letters a second, from the first one accepted to the last."""
    from contextlib import ExitStack

    sink.forget()
    with ExitStack() as stack:
        senders = [
            stack.enter_context(
                services.started("bench.ceiling", folder, sink.port, letters // processes, nr)
            )
            for nr in range(processes)
        ]
        for sender in senders:
            sender.wait()
    times = sink.times()
    return len(times) / (times[-1] - times[0])


def _send(folder: Path, port: int, letters: int, nr: int) -> None:
    sample = Sample.read(folder)
    messages = [
        (address, sample.message_to(address))
        for address in (f"member{nr}of{n}@people.example" for n in range(letters))
    ]
    with smtplib.SMTP(LOOPBACK, port) as smtp:
        for address, message in messages:
            smtp.sendmail("hello@codebar.example", [address], message)


if __name__ == "__main__":
    _send(Path(sys.argv[1]), *map(int, sys.argv[2:]))
