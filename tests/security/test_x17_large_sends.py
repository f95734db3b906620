"""X17: very many people are never written to by one click (tests/invitations: what is usual)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from invitations.services import preparing
from logs.models import InvitationLog
from tests.factories import WorkshopFactory, chapter_with, organiser_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "status", "logs"), [("", 409, 0), ("3", 409, 0), ("2", 409, 0), ("4", 302, 1)]
)
def test_x17_beyond_the_size_the_number_is_typed_first(client, settings, typed, status, logs):
    settings.GUARD_SIZE = 3
    workshop = WorkshopFactory(chapter=chapter_with(students=4))
    client.force_login(organiser_of(workshop.chapter))

    response = client.post(
        f"{reverse('invite', args=[workshop.pk])}?for=students",
        {"seen_count": "4", "students-typed": typed},
    )

    assert (response.status_code, InvitationLog.objects.count()) == (status, logs)


@pytest.mark.parametrize("told", ["0", "3"])
def test_x17_whoever_tells_a_smaller_number_than_there_is_writes_to_nobody(client, settings, told):
    """The click passes, and the batch is stopped before its first letter."""
    settings.GUARD_SIZE = 3
    workshop = WorkshopFactory(chapter=chapter_with(students=9))
    client.force_login(organiser_of(workshop.chapter))

    client.post(f"{reverse('invite', args=[workshop.pk])}?for=students", {"seen_count": told})

    log = InvitationLog.objects.get()
    preparing.prepare(log.pk)
    log.refresh_from_db()
    assert (log.status, log.entries.count()) == ("failed", 0)
