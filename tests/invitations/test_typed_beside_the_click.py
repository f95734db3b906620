"""R21: wherever one click invites, the number of very many is typed beside it."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role
from logs.models import InvitationLog, LogStatus
from tests.factories import (
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

PEOPLE = 3
INPUT = re.compile(r'<input type="(?:hidden|text)"\s+name="([^"]+)"(?:\s+value="([^"]*)")?')


def log_of(audience: str) -> InvitationLog:
    """An invitation that is over, and people who joined afterwards."""
    workshop = WorkshopFactory(chapter=chapter_with())
    log: InvitationLog = InvitationLogFactory(
        workshop=workshop, audience=audience, status=LogStatus.COMPLETED
    )
    for _ in range(PEOPLE):
        subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    return log


PLACES = {
    "the audit of the workshop": ("workshop_audit", "students", False),
    "the workshop's page": ("organiser_workshop", "everyone", False),
    "the log's page": ("log_top_up", "students", True),
}


@pytest.fixture(params=PLACES.values(), ids=PLACES)
def place(request) -> tuple[Client, str, InvitationLog]:
    name, audience, is_of_log = request.param
    log = log_of(audience)
    client = Client()
    client.force_login(organiser_of(log.chapter))
    arguments = [log.workshop_id, log.pk] if is_of_log else [log.workshop_id]
    return client, reverse(name, args=arguments), log


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """Where the button that invites leads, and what its form sends along."""
    found = re.search(r'<form[^>]*action="([^"]*/invite\?for=[^"]*)".*?</form>', page, re.DOTALL)
    assert found
    return found[1], dict(INPUT.findall(found[0]))


def test_few_are_invited_by_a_click(place):
    client, address, log = place

    button, form = form_of(client.get(address).content.decode())
    assert not any(name.endswith("typed") for name in form)
    client.post(button, form)

    assert log.workshop.invitation_logs.latest("pk").seen_count == PEOPLE


def test_very_many_are_invited_once_their_number_is_typed_beside_the_button(place, settings):
    settings.GUARD_SIZE = PEOPLE - 1
    client, address, log = place
    page = client.get(address).content.decode()
    button, form = form_of(page)
    typed = f"{log.audience}-typed"
    assert "Type 3 to confirm" in page
    assert form[typed] == ""

    for number in ("", "2"):
        assert client.post(button, form | {typed: number}).status_code == 409
    answer = client.post(button, form | {typed: "3"})

    new = log.workshop.invitation_logs.latest("pk")
    assert new != log
    assert answer.url == reverse("invitation_log", args=[new.workshop_id, new.pk])
    assert (new.audience, new.seen_count) == (log.audience, PEOPLE)
    assert log.workshop.invitation_logs.count() == 2
