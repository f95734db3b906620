"""
R30: an apology reaches exactly the affected, at most once, whoever is killed while it leaves.

Any other letter in doubt is sent again by itself; a second apology would be one mistake more.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta

import pytest

from chapters.models import Role
from invitations.queries.repairing import Whom
from invitations.services import preparing
from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, InvitationLog, LogStatus
from logs.queries import progress
from logs.services import steering
from logs.services.slots import DOUBTED_TWICE
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    subscribe,
)
from tests.support.here import crowd, send_here
from tests.support.ledger import assert_invariants, wait_until_quiet
from tests.support.processes import PATIENT, STEADY, Station, kill_one
from tests.support.smtp_sink import STORE_AND_DROP, Caught
from tests.support.waiting import wait_until

THOSE_SENT = Whom(statuses=(EntryStatus.SUCCESS,))
WORDS = "The address in our letter was wrong."
PEOPLE = 160
SENT = 120


@pytest.fixture
def about(station: Station) -> InvitationLog:
    """A log that is over: 120 of 160 people got their letter, the others' failed."""
    workshop = WorkshopFactory(chapter=chapter_with(students=0))
    log: InvitationLog = InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED)
    for number, member in enumerate(crowd(workshop.chapter, PEOPLE)):
        got_it = number < SENT
        log.entries.create(
            member=member,
            workshop=workshop,
            status=EntryStatus.SUCCESS if got_it else EntryStatus.FAILED,
            answer_code=250 if got_it else 550,
            reason="" if got_it else "“550 no”",
        )
    subscribe(MemberFactory(), workshop.chapter, Role.STUDENT)
    return log


def affected(about: InvitationLog) -> Counter[str]:
    members = about.entries.filter(status=EntryStatus.SUCCESS)
    return Counter(members.values_list("member__email", flat=True))


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_r30_exactly_the_affected_and_nobody_twice_whoever_is_killed(
    station: Station, about: InvitationLog, pool: str
):
    chance = random.Random(30)
    station.variables |= STEADY
    station.sink.delay_seconds = 0.4
    station.start_beat()
    worker = station.start_worker(pool=pool)
    log = InvitationManager().send_apology(about, MemberFactory(), text=WORDS, whom=THOSE_SENT)

    wait_until(lambda: station.sink.letters, seconds=30)

    killed = kills = 0
    while kills < 6:
        time.sleep(chance.uniform(0.2, 0.7))
        assert_invariants(station.sink)
        worker = station.revive(worker)
        if worker.senders:
            kills += 1
            killed += kill_one(worker.senders, chance)
    assert log.entries.filter(status="pending").exists(), "the kills came too late to matter"
    station.wait_until_quiet(log)

    counted = progress(log)
    assert counted.success + counted.unknown == counted.audience == SENT
    assert counted.unknown <= killed + station.mishaps
    in_doubt = log.entries.filter(status=EntryStatus.UNKNOWN)
    assert {(e.doubts, e.reason) for e in in_doubt} <= {(1, DOUBTED_TWICE)}
    copies = station.sink.recipients
    assert set(copies.values()) == {1}, "somebody has two apologies"
    may_have_none = set(in_doubt.values_list("member__email", flat=True))
    everybody = set(affected(about))
    assert everybody - may_have_none <= set(copies) <= everybody


def test_r30_a_broken_answer_is_a_doubt_for_a_person_and_no_second_letter(
    station: Station, about: InvitationLog
):
    unlucky = Member.objects.get(pk=about.entries.filter(status="success").values("member")[:1])
    station.sink.script = lambda step, recipient: (
        STORE_AND_DROP if (step, recipient) == ("dot", unlucky.email) else None
    )
    station.variables |= PATIENT
    station.start_beat()
    station.start_worker()

    log = InvitationManager().send_apology(about, MemberFactory(), text=WORDS, whom=THOSE_SENT)

    wait_until_quiet(log)
    assert station.sink.recipients == affected(about)
    entry = log.entries.get(member=unlucky)
    assert (entry.status, entry.doubts) == (EntryStatus.UNKNOWN, 1)
    assert steering.take_as_arrived(entry)
    assert progress(log).success == SENT


def test_r30_a_letter_that_did_not_leave_is_still_tried_again(
    station: Station, about: InvitationLog
):
    """Not taken is not in doubt: there is no second copy to fear."""
    refused: Counter[str] = Counter()

    def say_later_once(step: str, recipient: str) -> str | None:
        if step == "rcpt":
            refused[recipient] += 1
        return "451 later" if step == "rcpt" and refused[recipient] == 1 else None

    station.sink.script = say_later_once
    log = InvitationManager().send_apology(about, MemberFactory(), text=WORDS, whom=THOSE_SENT)

    send_here(log, seconds=60)

    assert station.sink.recipients == affected(about)


def test_r30_twice_reaches_only_those_whom_the_first_did_not(
    station: Station, about: InvitationLog
):
    manager, organiser = InvitationManager(), MemberFactory()
    send_here(manager.send_apology(about, organiser, text=WORDS, whom=THOSE_SENT))
    first = station.sink.recipients
    station.sink.letters.clear()

    send_here(manager.send_apology(about, organiser, text=WORDS, whom=Whom()))

    everybody = Counter(about.entries.values_list("member__email", flat=True))
    assert first == affected(about)
    assert station.sink.recipients == everybody - first


def test_r30_what_changed_between_the_click_and_the_letter_counts(
    station: Station, about: InvitationLog
):
    log = InvitationManager().send_apology(about, MemberFactory(), text=WORDS, whom=THOSE_SENT)
    preparing.prepare(log.pk)
    banned, closed, unreachable, left = (
        e.member for e in log.entries.order_by("pk").select_related("member")[:4]
    )
    BanFactory(member=banned)
    Member.objects.filter(pk=closed.pk).update(closed_at=log.created_at)
    Member.objects.filter(pk=unreachable.pk).update(address_unusable_at=log.created_at)
    group = about.chapter.groups.get(role=Role.STUDENT)
    left.departures.create(group=group)
    left.subscriptions.all().delete()

    send_here(log)

    reasons = dict(log.entries.filter(status="skipped").values_list("member", "reason"))
    assert reasons == {
        banned.pk: "is banned",
        closed.pk: "closed the account",
        unreachable.pk: "has an address we cannot use",
        left.pk: "is no longer subscribed",
    }
    assert station.sink.recipients == affected(about) - Counter(
        {member.email: 1 for member in (banned, closed, unreachable, left)}
    )


def test_r30_it_answers_the_first_letter_and_speaks_of_the_evening(station: Station):
    workshop = WorkshopFactory(chapter=chapter_with(students=3, coaches=2))
    manager, organiser = InvitationManager(), MemberFactory()
    about = manager.send_workshop_emails(workshop, "everyone", organiser)
    send_here(about)
    first = {letter.recipient: letter for letter in station.sink.letters}
    station.sink.letters.clear()

    send_here(manager.send_apology(about, organiser, text=WORDS))

    assert station.sink.recipients == Counter(first.keys())
    for letter in station.sink.letters:
        message = letter.message
        earlier = first[letter.recipient].message_id
        assert (message["In-Reply-To"], message["References"]) == (earlier, earlier)
        assert message["Message-ID"] != earlier
        assert message["Subject"] == f"Sorry for our letter about {workshop.local_start:%A %-d %B}"
        assert text_of(letter).count(WORDS) == 1
        assert "/invitation/" not in text_of(letter)


def test_r30_a_stranger_without_an_invitation_gets_one_and_no_link_that_leads_nowhere(
    station: Station, about: InvitationLog
):
    """Whoever was written to by mistake has nothing else with us; to them an apology matters."""
    stranger = MemberFactory()
    about.entries.create(
        member=stranger, workshop=about.workshop, status="success", answer_code=250
    )

    send_here(
        InvitationManager().send_correction(
            about, MemberFactory(), text=WORDS, whom=Whom(members=(stranger.pk,))
        )
    )

    (letter,) = station.sink.letters
    assert letter.recipient == stranger.email
    assert f"/workshops/{about.workshop_id}" in text_of(letter)
    assert "/invitation/" not in text_of(letter)
    assert "List-Unsubscribe" in letter.message


def test_r30_long_after_the_evening_is_not_too_late(station: Station, about: InvitationLog):
    workshop = about.workshop
    assert workshop
    type(workshop).objects.filter(pk=workshop.pk).update(
        starts_at=workshop.starts_at.replace(year=2020),
        ends_at=workshop.ends_at.replace(year=2020),
        cancelled_at=workshop.starts_at.replace(year=2020) - timedelta(days=300),
    )
    put_off: set[str] = set()

    def first_time_later(step: str, recipient: str) -> str | None:
        if step != "data" or recipient in put_off:
            return None
        put_off.add(recipient)
        return "451 later" if len(put_off) % 2 else None

    station.sink.script = first_time_later

    send_here(
        InvitationManager().send_apology(about, MemberFactory(), text=WORDS, whom=THOSE_SENT),
        seconds=60,
    )

    assert station.sink.recipients == affected(about)


def text_of(letter: Caught) -> str:
    part = letter.message.get_body(("plain",))
    assert part
    return str(part.get_content())
