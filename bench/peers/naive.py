"""
How one would write it on a first day: a Celery task for each member, that gets or creates the
invitation, renders the letter and sends it over a new SMTP connection.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import Celery

from bench import services
from bench.sink import Sink

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codebar.settings")

app = Celery("naive", set_as_current=False)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = "naive"
app.conf.imports = ["invitations.mails"]


@app.task
def invite(workshop_id: int, member_id: int) -> None:
    from django.core.mail import EmailMultiAlternatives

    from chapters.models import Role, Workshop
    from invitations import mails, moulds
    from invitations.models import Invitation
    from logs.models import Action
    from members.models import Member

    workshop = Workshop.objects.select_related("chapter").get(pk=workshop_id)
    member = Member.objects.get(pk=member_id)
    invitation, _ = Invitation.objects.get_or_create(
        workshop=workshop, member=member, defaults={"role": Role.STUDENT}
    )
    draft = mails.draft(workshop, action=Action.INVITE, role=Role.STUDENT, other_role=None)
    recipient = moulds.Recipient(
        member_id=member.pk,
        address=member.email,
        name=member.name,
        token=invitation.token,
        message_id=f"{workshop_id}-{member_id}",
    )
    message = EmailMultiAlternatives(
        draft.subject, draft.text_for(recipient), draft.sender, [member.email]
    )
    message.attach_alternative(draft.html_for(recipient), "text/html")
    message.send()


def rates(folder: Path, sink: Sink, *, letters: int, runs: int) -> list[float]:
    """Letters a second of each run, from the first one accepted to the last."""
    from bench import people

    with services.worker(
        folder, app="bench.peers.naive", pool="prefork", concurrency=2, EMAIL_URL=sink.url
    ):
        people.workshop_for(letters)
        _send(sink, letters=min(letters, 50))  # everything is imported now
        return [_send(sink, letters=letters) for _ in range(runs)]


def _send(sink: Sink, *, letters: int) -> float:
    from bench import people
    from chapters.models import Workshop
    from members.models import Member

    people.forget_letters()
    sink.forget()
    workshop = Workshop.objects.get()
    for member_id in Member.objects.order_by("pk").values_list("pk", flat=True)[:letters]:
        invite.delay(workshop.pk, member_id)
    services.wait_until(lambda: sink.letters() >= letters)
    time.sleep(0.1)
    times = sink.times()
    return len(times) / (times[-1] - times[0])
