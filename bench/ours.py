"""Our own pipeline: click, prepare, deliver, completed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.db import connection, transaction
from django.utils import timezone

from bench import people, services
from bench.sink import Sink
from chapters.models import Workshop
from invitations.services import inviting
from logs.models import Audience, InvitationLog, LogStatus


@dataclass(frozen=True)
class Run:
    """One batch: letters a second as the mail server saw it, and of the whole way."""

    letters: int
    rate: float  # from the first letter accepted until the log was completed
    whole: float  # from the click until the log was completed
    seconds: float


@contextmanager
def workers(
    folder: Path,
    sink: Sink,
    *,
    processes: int,
    threads: int = 1,
    connections: int | None = None,
    warm_up: int = 100,
    **variables: object,
) -> Iterator[list[psutil.Process]]:
    """Workers that have sent `warm_up` letters a connection: imported, planned and connected."""
    connections = connections or processes * threads + 1  # slot 1 is for single letters
    variables |= {"EMAIL_URL": sink.url, "MAIL_CONNECTIONS": connections}
    with ExitStack() as stack:
        started = [
            stack.enter_context(services.worker(folder, concurrency=threads, **variables))
            for _ in range(processes)
        ]
        send(people.workshop_for(warm_up * connections, connections=connections), sink)
        yield started


def send(workshop: Workshop, sink: Sink) -> Run:
    """Invite everybody of the workshop's chapter, and wait until that is done."""
    people.forget_letters()
    sink.forget()
    clicked_at = time.monotonic()
    log = click(workshop)
    done_at = services.wait_until(lambda: is_completed(log))
    times = sink.times()
    assert len(times) == sink.addresses(), "somebody got two letters"
    return Run(
        letters=len(times),
        rate=len(times) / (done_at - times[0]),
        whole=len(times) / (done_at - clicked_at),
        seconds=done_at - clicked_at,
    )


def click(
    workshop: Workshop, *, audience: Audience = Audience.STUDENTS, ring: bool = True
) -> InvitationLog:
    """Write the log, and ring for it unless it is prepared by hand."""
    with transaction.atomic():
        log = inviting.invite(
            workshop, audience=audience, initiator=people.organiser(), at=timezone.now()
        )
        if not ring:
            connection.run_on_commit.clear()
    return log


def is_completed(log: InvitationLog) -> bool:
    log.refresh_from_db(fields=["status"])
    return log.status == LogStatus.COMPLETED
