"""The page of a log that nobody started, and of a nudge: what it does, for whom, and who asked."""

import pytest
from django.urls import reverse

from logs.models import Action, Audience, EntryStatus, InvitationLog, LogStatus
from tests.factories import InvitationLogEntryFactory, WorkshopFactory, organiser_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("action", "audience", "heading"),
    [
        (Action.REMINDER, Audience.ATTENDING, "Reminding people who are coming"),
        (Action.REMINDER, Audience.WAITING, "Reminding the waiting list"),
        (Action.FEEDBACK, Audience.ATTENDED, "Asking students how it was"),
    ],
)
def test_the_pages_say_what_left_by_itself(client, action, audience, heading):
    workshop = WorkshopFactory()
    client.force_login(organiser_of(workshop.chapter))
    log = InvitationLog.objects.create(
        workshop=workshop,
        chapter=workshop.chapter,
        audience=audience,
        action=action,
        source=InvitationLog.Source.SCHEDULE,
        status=LogStatus.COMPLETED,
    )
    InvitationLogEntryFactory(log=log, action=action, status=EntryStatus.SUCCESS)
    InvitationLogEntryFactory(log=log, action=action, status=EntryStatus.FAILED)

    page = client.get(reverse("invitation_log", args=[workshop.pk, log.pk])).content.decode()
    logs = client.get(reverse("invitation_logs", args=[workshop.pk])).content.decode()
    start = client.get(reverse("portal")).content.decode()

    assert heading in page
    assert "Started by the schedule" in " ".join(page.split())
    assert "1</strong> of" in page
    assert heading in logs
    assert "The schedule" in logs
    assert heading in start
