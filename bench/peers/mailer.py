"""django-mailer: letters are rows, `send_mail` sends one after the other. It takes one process."""

from __future__ import annotations

from pathlib import Path

from bench.peers import Peer, act
from bench.sink import Sink


def peer(folder: Path, sink: Sink) -> Peer:
    return Peer(
        name="django-mailer",
        module="bench.peers.mailer",
        folder=folder,
        sink=sink,
        variables={
            "DJANGO_SETTINGS_MODULE": "bench.peers.mailer_settings",
            "LOCK_PATH": str(folder / "mailer"),
        },
    )


def fill(folder: Path, letters: int) -> None:
    from django.core.mail import EmailMultiAlternatives, get_connection
    from mailer.models import Message, MessageLog

    from bench.letters import Sample

    Message.objects.all().delete()
    MessageLog.objects.all().delete()
    sample = Sample.read(folder)
    messages = [
        EmailMultiAlternatives(
            sample.subject,
            sample.text,
            "hello@codebar.example",
            [f"member{n}@people.example"],
            alternatives=[(sample.html, "text/html")],
        )
        for n in range(letters)
    ]
    get_connection().send_messages(messages)


def send() -> None:
    from django.core.management import call_command

    call_command("send_mail")


def recorded() -> int:
    from mailer.models import MessageLog

    return MessageLog.objects.count()


if __name__ == "__main__":
    act(fill=fill, send=send, recorded=recorded)
