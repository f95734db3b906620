"""X16: who wrote to whom, and how many, is kept; whoever was refused leaves a line."""

from __future__ import annotations

import logging

import pytest
from django.test import Client
from django.urls import reverse

from logs.models import Activity, InvitationLog
from tests.access.test_who_may import NO, ORGANISER, PEOPLE, ROWS, WORKSHOP
from tests.factories import WorkshopFactory, chapter_with, organiser_of

pytestmark = pytest.mark.django_db

SOME = ("send_invites", "invitation_log", "chapters", "attendance")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "codebar.refusing"]


@pytest.mark.parametrize("name", SOME)
def test_x16_each_refusal_leaves_one_line_with_who_and_what(
    name: str, people: dict[str, Client], paths: dict[str, str], caplog
):
    assert ROWS[name] in (WORKSHOP, ORGANISER)
    caplog.set_level(logging.WARNING)

    for person in PEOPLE:
        people[person].get(paths[name])

    refused = [who for who, answer in zip(PEOPLE, ROWS[name], strict=True) if answer == NO]
    ids = [int(people[who].session["_auth_user_id"]) for who in refused]
    assert lines(caplog) == [f"member {pk} was refused GET {paths[name]}" for pk in ids]


def test_x16_a_refused_click_leaves_a_line_and_no_log(client, caplog):
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    stranger = organiser_of(WorkshopFactory().chapter)
    client.force_login(stranger)
    invite = reverse("invite", args=[workshop.pk])

    client.post(f"{invite}?for=students%0Amember 1 was refused")

    assert lines(caplog) == [f"member {stranger.pk} was refused POST {invite}"]
    assert not InvitationLog.objects.exists()


def test_x16_a_click_is_kept_with_who_and_how_many(client):
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    organiser = organiser_of(workshop.chapter)
    client.force_login(organiser)

    client.post(f"{reverse('invite', args=[workshop.pk])}?for=students", {"seen_count": "2"})

    log = InvitationLog.objects.get()
    assert (log.initiator, log.audience, log.seen_count) == (organiser, "students", 2)
    done = Activity.objects.get()
    assert (done.by, done.did, done.workshop) == (organiser, "invited students", workshop)
