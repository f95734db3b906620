"""R12: however many click at the same moment, it is one log, and the others are told which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Chapter, Role, Workshop
from logs.models import InvitationLog
from members.models import Member
from tests.factories import (
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)
from tests.support.here import send_here
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import Station
from tests.support.together import at_once


@pytest.mark.parametrize("how_many", [2, 20])
def test_r12_simultaneous_clicks_are_one_log(station: Station, how_many: int):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    organisers = organisers_of(workshop.chapter, how_many)

    pages = click_at_once(workshop, [(organiser, "students") for organiser in organisers])

    log = InvitationLog.objects.get()
    assert log.initiator in organisers
    assert {address for _, address, _ in pages} == {log_page(log)}
    told = [words for *_, words in pages if "are being invited already" in words]
    assert len(told) == how_many - 1
    assert all(f"{log.initiator.full_name} started that on" in words for words in told)
    send_here(log)
    assert_settled(station.sink, log, audience=3, faults=0)
    assert set(station.sink.recipients.values()) == {1}


def test_r12_a_double_click_is_one_log(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    organiser = organiser_of(workshop.chapter)

    pages = click_at_once(workshop, [(organiser, "everyone")] * 2)

    log = InvitationLog.objects.get()
    assert [(status, address) for status, address, _ in pages] == [(200, log_page(log))] * 2
    send_here(log)
    assert set(station.sink.recipients.values()) == {1}


def test_r12_different_buttons_at_once_are_one_letter_a_person(station: Station):
    chapter = chapter_with(students=10, coaches=10)
    for member in MemberFactory.create_batch(10):
        subscribe(member, chapter, Role.STUDENT, Role.COACH)
    workshop = WorkshopFactory(chapter=chapter)
    organisers = organisers_of(chapter, 6)
    station.start_beat()
    station.start_worker()
    station.start_worker()

    buttons = ["students", "coaches", "everyone"] * 2
    click_at_once(workshop, list(zip(organisers, buttons, strict=True)))

    logs = {log.audience: log for log in InvitationLog.objects.all()}
    assert InvitationLog.objects.count() == len(logs) == 3
    wait_until_quiet(*logs.values())
    for audience, people in {"students": 20, "coaches": 20, "everyone": 30}.items():
        assert_settled(station.sink, logs[audience], audience=people, faults=station.mishaps)
    everybody = Member.objects.filter(subscriptions__isnull=False).values_list("email", flat=True)
    if not station.mishaps:
        assert station.sink.recipients == Counter(set(everybody))


def organisers_of(chapter: Chapter, count: int) -> list[Member]:
    organisers: list[Member] = MemberFactory.create_batch(count)
    chapter.organisers.add(*organisers)
    return organisers


def log_page(log: InvitationLog) -> str:
    return reverse("invitation_log", args=[log.workshop_id, log.pk])


def click_at_once(
    workshop: Workshop, clicks: Sequence[tuple[Member, str]]
) -> list[tuple[int, str, str]]:
    """What each of them then sees: the status, the address and the words of the page."""

    def ready_to_click(organiser: Member, audience: str) -> Callable[[], tuple[int, str, str]]:
        browser = Client()
        browser.force_login(organiser)

        def click() -> tuple[int, str, str]:
            url = reverse("invite", args=[workshop.pk])
            address = browser.post(f"{url}?for={audience}").url
            page = browser.get(address)
            return page.status_code, address, " ".join(page.content.decode().split())

        return click

    return at_once(*[ready_to_click(organiser, audience) for organiser, audience in clicks])
