"""R22: broker and mail server accept and say nothing, the chapter is large, and a click answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from bench.people import add_members
from chapters.models import Role, Workshop
from invitations import tasks
from invitations.models import Invitation
from logs.models import InvitationLogEntry
from tests.factories import (
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

MEMBERS = 10_000
AT_MOST_SECONDS = 1


@pytest.fixture
def silence(settings: Settings) -> Iterator[None]:
    """Whoever calls the broker or the mail server is let in, and hears nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        port = server.getsockname()[1]
        before = current_app.conf.broker_url
        current_app.conf.broker_url = settings.BROKER_URL = f"redis://127.0.0.1:{port}/0"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        tasks.forget_failure()
        yield
        current_app.conf.broker_url = before
        tasks.forget_failure()


def seconds(ask: Callable[[], object]) -> float:
    began_at = time.monotonic()
    ask()
    return time.monotonic() - began_at


def invite(workshop: Workshop, audience: str, count: int) -> tuple[str, dict[str, object]]:
    """The click, by somebody whom nothing has warned yet that the broker is silent."""
    tasks.forget_failure()
    form = {"for": audience, "seen_count": count, f"{audience}-typed": count}
    return reverse("invite", args=[workshop.pk]), form


def yes(invitation: Invitation) -> tuple[str, dict[str, object]]:
    """As `invite`, by somebody who comes."""
    tasks.forget_failure()
    return reverse("accept", args=[invitation.token]), {"role": Role.STUDENT}


def test_r22_inviting_ten_thousand_and_answering_take_no_second(ledger: None, silence: None):
    chapter = chapter_with()
    add_members(chapter, MEMBERS)
    workshop = WorkshopFactory(chapter=chapter)
    invitations = [
        InvitationFactory(
            workshop=workshop, member=subscribe(MemberFactory(), chapter, Role.STUDENT)
        )
        for _ in range(3)
    ]
    organiser, member = Client(), Client()
    organiser.force_login(organiser_of(chapter))
    organiser.get(reverse("send_invites", args=[workshop.pk]))
    member.get(invitations[0].get_absolute_url())

    # The quickest of three: a machine that tests has other things to do.
    click = min(
        seconds(lambda: organiser.post(*invite(workshop, "students", MEMBERS))),
        seconds(lambda: organiser.post(*invite(workshop, "coaches", 0))),
        seconds(lambda: organiser.post(*invite(workshop, "everyone", MEMBERS))),
    )
    answer = min(seconds(lambda one=one: member.post(*yes(one))) for one in invitations)

    print(f"click {click:.2f} s, answer {answer:.2f} s")
    assert [log.seen_count for log in workshop.invitation_logs.order_by("pk")] == [
        MEMBERS, 0, MEMBERS,
    ]  # fmt: skip
    assert workshop.invitations.attending().count() == 3
    letters = InvitationLogEntry.objects.values_list("action", "status")
    assert list(letters) == [("confirmation", "pending")] * 3
    assert click < AT_MOST_SECONDS
    assert answer < AT_MOST_SECONDS
