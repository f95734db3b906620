"""R1: everybody in exactly one state, and the page says what the database says."""

from __future__ import annotations

import re

from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from chapters.models import Role
from invitations.services.manager import InvitationManager
from logs.models import InvitationLog, LogStatus
from logs.queries import progress
from logs.services import steering
from members.models import Member
from tests.factories import (
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)
from tests.support.here import send_once_here
from tests.support.ledger import assert_invariants
from tests.support.processes import Station
from tests.support.smtp_sink import STORE_AND_DROP
from tests.support.waiting import wait_until

LEGEND = re.compile(r"<dt>([^<]+)</dt>\s*<dd>([\d,]+)</dd>")
SUM = re.compile(r"([\d,]+) letters? \+ ([\d,]+) not written to \+ ([\d,]+) cancelled = ([\d,]+) p")


def test_r01_every_outcome_is_counted_once_and_the_page_agrees(
    station: Station, settings: Settings
):
    settings.RETRY_DELAY_SECONDS = 5  # too long for eight tries, and short enough to wait for
    chapter = chapter_with(students=3)
    workshop = WorkshopFactory(chapter=chapter)
    people = {
        "refused": MemberFactory(),
        "in doubt": MemberFactory(),
        "deferred": MemberFactory(),
        "closed": MemberFactory(closed=True),
        "banned": MemberFactory(banned=True),
        "without terms": MemberFactory(without_terms=True),
        "unreachable": MemberFactory(unreachable=True),
        "answered": InvitationFactory(workshop=workshop, answer="declined").member,
        "invited as coach": MemberFactory(),
        "in doubt as coach": MemberFactory(),
        "waiting as coach": MemberFactory(),
    }
    for name, member in people.items():
        subscribe(member, chapter, Role.STUDENT)
        if name.endswith("as coach"):
            subscribe(member, chapter, Role.COACH)
    misfortunes = {
        ("rcpt", people["refused"].email): "550 5.2.1 disabled",
        ("rcpt", people["deferred"].email): "451 4.3.0 later",
        ("rcpt", people["waiting as coach"].email): "451 4.3.0 later",
        ("dot", people["in doubt"].email): STORE_AND_DROP,
        ("dot", people["in doubt as coach"].email): STORE_AND_DROP,
    }
    station.sink.script = lambda step, recipient: misfortunes.get((step, recipient))
    organiser = organiser_of(chapter)
    invite = InvitationManager().send_workshop_emails

    as_coaches = invite(workshop, "coaches", organiser)
    send_once_here(as_coaches)
    wait_for_doubt(as_coaches, people["in doubt as coach"])
    as_students = invite(workshop, "students", organiser)
    send_once_here(as_students)
    wait_for_doubt(as_students, people["in doubt"])
    steering.cancel(as_students, reason="The venue burnt down.")

    assert_invariants(station.sink)
    entries = {e.member_id: (e.status, e.reason) for e in as_students.entries.all()}
    found = {name: entries[member.pk] for name, member in people.items()}
    assert {name: status for name, (status, _) in found.items() if status != "skipped"} == {
        "refused": "failed",
        "in doubt": "unknown",
        "deferred": "cancelled",
    }
    assert {name: reason for name, (status, reason) in found.items() if status == "skipped"} == {
        "closed": "closed the account",
        "banned": "is banned",
        "without terms": "has not accepted the terms",
        "unreachable": "has an address we cannot use",
        "answered": "has already answered",
        "invited as coach": "is already invited as a coach",
        "in doubt as coach": f"has a letter in doubt in log {as_coaches.pk}",
        "waiting as coach": f"is being invited by log {as_coaches.pk}",
    }
    for log in (as_coaches, as_students):
        assert numbers_on_the_page(log, organiser) == numbers_in_sql(log)
    assert numbers_in_sql(as_students)["in all"] == len(entries) == 3 + len(people)
    assert progress(as_students).audience == len(entries)


def test_r01_the_page_agrees_while_letters_leave(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=60))
    organiser = organiser_of(workshop.chapter)
    station.sink.delay_seconds = 0.05
    station.start_beat()
    station.start_worker()
    log = InvitationManager().send_workshop_emails(workshop, "students", organiser)
    wait_until(lambda: station.sink.letters)

    while log.status != LogStatus.COMPLETED:
        seen = numbers_on_the_page(log, organiser)
        if seen:  # it is prepared
            assert seen["in all"] == 60
            assert sum(seen[word] for word in WORDS[:-1]) == 60
        log.refresh_from_db()

    assert numbers_on_the_page(log, organiser) == numbers_in_sql(log)


WORDS = (
    "sent",
    "being sent",
    "failed",
    "in doubt",
    "waiting",
    "not written to",
    "cancelled",
    "in all",
)
STATES = ("success", "sending", "failed", "unknown", "pending", "skipped", "cancelled")


def wait_for_doubt(log: InvitationLog, member: Member) -> None:
    """Until the letter was sent once more, and is in doubt again."""

    def is_unknown() -> bool:
        send_once_here()
        return log.entries.filter(member=member, status="unknown").exists()

    wait_until(is_unknown)


def numbers_in_sql(log: InvitationLog) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, count(*) FROM logs_invitationlogentry WHERE log_id = %s GROUP BY 1",
            [log.pk],
        )
        counts = dict(cursor.fetchall())
    by_word = {word: counts.get(state, 0) for word, state in zip(WORDS, STATES, strict=False)}
    return by_word | {"in all": sum(counts.values())}


def numbers_on_the_page(log: InvitationLog, organiser: Member) -> dict[str, int]:
    """Nothing while there is nobody in the log."""
    browser = Client()
    browser.force_login(organiser)
    page = browser.get(reverse("invitation_log", args=[log.workshop_id, log.pk]))
    words = " ".join(page.content.decode().split())
    found = {word: int(number.replace(",", "")) for word, number in LEGEND.findall(words)}
    if not found:
        return {}
    letters, skipped, cancelled, everybody = (
        int(number.replace(",", "")) for number in SUM.search(words).groups()
    )
    assert letters == sum(found[word] for word in WORDS[:5])
    return {word: found[word] for word in WORDS[:5]} | {
        "not written to": skipped,
        "cancelled": cancelled,
        "in all": everybody,
    }
