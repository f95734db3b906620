"""R38: once people are forgotten nobody is written to again, and pages and audit still add up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, Workshop
from invitations.models import Answer
from invitations.queries import auditing
from invitations.services import auditing as audits
from invitations.services import (
    hello,
    inviting,
    planning,
    preparing,
    reminding,
    subscribing,
)
from logs.models import (
    Action,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from logs.services import steering
from tests.factories import (
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support.past import forget, long_past, single

pytestmark = pytest.mark.django_db


# ---- Nobody is written to again ------------------------------------------------------------


def test_the_button_of_an_old_workshop_writes_to_nobody():
    log = long_past()
    forget()

    with pytest.raises(inviting.WorkshopBegun):
        inviting.invite(
            log.workshop, audience="everyone", initiator=MemberFactory(), at=timezone.now()
        )

    assert InvitationLog.objects.count() == 1
    assert not InvitationLogEntry.objects.exists()


def test_a_forgotten_workshop_stays_in_the_past():
    log = long_past()
    forget()
    workshop = log.workshop
    plan = planning.plan_of(workshop)
    moved = planning.Plan(
        **vars(plan) | {"starts_at": in_days(9), "ends_at": in_days(9) + timedelta(hours=2)}
    )

    with pytest.raises(planning.Forgotten, match="Copy it to plan another one"):
        planning.change(workshop, moved, by=MemberFactory(), at=timezone.now())

    assert Workshop.objects.get(pk=workshop.pk).starts_at == workshop.starts_at


def test_a_failed_letter_is_not_tried_again():
    log = long_past()
    forget()

    with pytest.raises(steering.Refused, match="forgotten"):
        steering.retry_failed(log, by=MemberFactory())


def test_nobody_is_greeted_or_welcomed_twice():
    member = subscribe(MemberFactory(), chapter_with(), Role.STUDENT)
    group = member.subscriptions.get().group
    came = WorkshopFactory(chapter=group.chapter, starts_at=in_days(-300))
    InvitationFactory(
        workshop=came, member=member, answer=Answer.ATTENDING, attended_at=came.starts_at
    )
    single(Action.HELLO, member=member)
    single(Action.WELCOME, member=member, occasion="student")
    forget()

    hello.say_hello(timezone.now())
    subscribing.leave(member, at=timezone.now())
    subscribing.join(member, group)

    letters = InvitationLogEntry.objects.order_by("action").values_list("action", "status")
    assert list(letters) == [("hello", "success"), ("welcome", "success")]


def test_the_sweep_writes_nothing_about_a_forgotten_workshop():
    long_past()
    forget()

    reminding.remind_where_due(timezone.now())
    preparing.prepare(InvitationLog.objects.get().pk)

    assert InvitationLog.objects.count() == 1
    assert not InvitationLogEntry.objects.exists()


# ---- The audit -----------------------------------------------------------------------------


def test_the_audit_finds_nothing_before_or_after():
    long_past()
    assert list(audits.breaches()) == []

    forget()

    assert list(audits.breaches()) == []


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"status": LogStatus.PAUSED}, "is live, and whom it writes to is forgotten"),
        ({"counts": None}, "is forgotten, and its numbers are, too"),
        (
            {"forgotten_at": in_days(-3)},
            "is forgotten, and two days later there are still letters in it",
        ),
    ],
    ids=["live", "without numbers", "half done"],
)
def test_the_audit_finds_what_is_forgotten_wrongly(how, reason):
    log = long_past()
    InvitationLog.objects.update(**{"counts": {}, "forgotten_at": timezone.now()} | how)

    found = [(b.kind, b.is_open, b.reason, b.log) for b in auditing.breaches()]

    assert ("forgotten", False, reason, log.pk) in found
    assert {kind for kind, *_ in found} == {"forgotten"}


def test_the_audit_finds_a_forgotten_workshop_that_is_still_to_come():
    log = long_past()
    forget()
    Workshop.objects.update(starts_at=in_days(3), ends_at=in_days(4))

    found = [(b.kind, b.reason, b.log) for b in auditing.breaches() if b.kind == "forgotten"]

    assert found == [("forgotten", "is forgotten, and its workshop is still to come", log.pk)]


# ---- What organisers see -------------------------------------------------------------------


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_page_of_a_forgotten_log_keeps_its_numbers_and_says_why_names_are_gone():
    log = long_past()
    asha = organiser_of(log.chapter)
    names = [entry.member.full_name for entry in log.entries.select_related("member")]
    client = Client()
    client.force_login(asha)
    address = reverse("invitation_log", args=[log.workshop_id, log.pk])
    assert all(name in words(client.get(address)) for name in names)

    forget()

    page = client.get(address, {"show": "failed", "name": "A"})
    assert page.status_code == 200
    assert "4 letters + 1 not written to + 0 cancelled = 5 people in all." in words(page)
    assert "Their names were forgotten on" in words(page)
    assert "needs a look" not in words(page)
    assert not [name for name in names if name in words(page)]


def test_the_list_of_logs_keeps_its_numbers(django_assert_num_queries):
    log = long_past()
    client = Client()
    client.force_login(organiser_of(log.chapter))
    address = reverse("invitation_logs", args=[log.workshop_id])
    line = "3 sent, 0 being sent, 0 waiting,"
    assert line in words(client.get(address))

    forget()

    assert line in words(client.get(address))
    assert "1 not written to: 5 people." in words(client.get(address))


def test_the_file_of_a_forgotten_log_has_nobody_in_it():
    log = long_past()
    client = Client()
    client.force_login(organiser_of(log.chapter))
    forget()

    page = client.get(reverse("log_csv", args=[log.workshop_id, log.pk]))

    assert b"".join(page.streaming_content).decode().count("\n") == 1
