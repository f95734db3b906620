"""R29: the page that says who is missing repairs that with one click; the second one is nothing."""

from __future__ import annotations

import re
from collections import Counter

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from chapters.models import Role, Workshop
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog
from tests.factories import MemberFactory, WorkshopFactory, chapter_with, organiser_of, subscribe
from tests.support.here import send_here
from tests.support.processes import Station

EVERYONE = "Every eligible student has been invited"


def the_button(page: HttpResponse) -> tuple[str, dict[str, str]]:
    """Where the form of the page leads, and what goes with it."""
    (form,) = re.findall(r"<form[^>]*/invite\?for=.*?</form>", page.content.decode(), re.S)
    (action,) = re.findall(r'action="([^"]*)"', form)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    return action, fields


def test_r29_one_click_writes_to_exactly_the_missing_and_twice_changes_nothing(station: Station):
    workshop: Workshop = WorkshopFactory(chapter=chapter_with(students=6))
    students = workshop.chapter.groups.get(role=Role.STUDENT).members
    unlucky = set(students.order_by("pk").values_list("email", flat=True)[:2])
    station.sink.script = lambda step, recipient: (
        "550 5.2.1 disabled" if step == "rcpt" and recipient in unlucky else None
    )
    send_here(InvitationManager().send_workshop_emails(workshop, "students", MemberFactory()))
    station.sink.script = None
    station.sink.letters.clear()
    newcomer = subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    missing = Counter([newcomer.email, *unlucky])
    client = Client()
    client.force_login(organiser_of(workshop.chapter))
    audit = reverse("workshop_audit", args=[workshop.pk])

    button, fields = the_button(client.get(audit))
    for _ in range(2):
        client.post(button, fields)
    send_here(*InvitationLog.objects.filter(status="preparing"))

    assert station.sink.recipients == missing
    assert EVERYONE in client.get(audit).content.decode()

    client.post(button, fields)
    client.post(button, fields | {"request_key": "11111111-2222-4333-8444-555555555555"})
    send_here(*InvitationLog.objects.filter(status="preparing"))

    assert station.sink.recipients == missing
    assert EVERYONE in client.get(audit).content.decode()
