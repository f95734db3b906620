"""What a killed sender leaves in doubt."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from django.db import connection

from bench import ours, people, services
from bench.sink import Sink
from logs.models import InvitationLogEntry
from logs.services import slots

THREADS = 5


def per_killed_sender(folder: Path, sink: Sink, *, letters: int) -> float:
    """
    A worker with all its connections is killed in the middle of a batch at full speed.

    :returns: letters in doubt for each connection, once the sweep has settled their leases
    """
    with ours.workers(folder, sink, processes=1, threads=THREADS) as [worker]:
        workshop = people.workshop_for(letters, connections=THREADS + 1)
        sink.forget()
        ours.click(workshop)
        services.wait_until(lambda: sink.letters() > letters // 2)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    time.sleep(0.2)
    _let_leases_run_out()
    killed = slots.settle_expired()
    in_doubt = InvitationLogEntry.objects.filter(doubts__gt=0).count()
    accepted = set(sink.message_ids())
    known = InvitationLogEntry.objects.filter(status="success").count()
    assert known <= len(accepted) <= known + in_doubt, "the ledger and the mail server disagree"
    return in_doubt / max(killed, 1)


def _let_leases_run_out() -> None:
    """What a minute of waiting would do."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE logs_slot SET until = now() - interval '1 second'")
