"""django-post_office: letters are rows, `send_queued_mail` sends them batch by batch."""

from __future__ import annotations

import os
from pathlib import Path

from bench.peers import Peer, act
from bench.sink import Sink

SETTINGS = "bench.peers.post_office_settings"
RECOMMENDED = {"BATCH_SIZE": "100", "THREADS": "5", "PROCESSES": "1"}  # what it does by itself
TUNED = {"BATCH_SIZE": "1000", "THREADS": "5", "PROCESSES": "2"}


def peer(folder: Path, sink: Sink, *, tuned: bool) -> Peer:
    variables = {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "LOCK_PATH": str(folder / "post_office"),
        **(TUNED if tuned else RECOMMENDED),
    }
    return Peer(
        name="django-post_office, tuned" if tuned else "django-post_office",
        module="bench.peers.post_office",
        folder=folder,
        sink=sink,
        variables=variables,
    )


def fill(folder: Path, letters: int) -> None:
    from post_office import mail
    from post_office.models import Email

    from bench.letters import Sample

    Email.objects.all().delete()
    sample = Sample.read(folder)
    mail.send_many(
        [
            {
                "recipients": [f"member{n}@people.example"],
                "sender": "hello@codebar.example",
                "subject": sample.subject,
                "message": sample.text,
                "html_message": sample.html,
            }
            for n in range(letters)
        ]
    )


def send() -> None:
    from django.core.management import call_command

    call_command(
        "send_queued_mail",
        processes=int(os.environ["PROCESSES"]),
        lockfile=os.environ["LOCK_PATH"],
    )


def recorded() -> int:
    """How many letters it knows to have sent."""
    from post_office.models import STATUS, Email

    return Email.objects.filter(status=STATUS.sent).count()


if __name__ == "__main__":
    act(fill=fill, send=send, recorded=recorded)
