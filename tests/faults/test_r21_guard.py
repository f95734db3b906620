"""
R21: not too many. Each layer is broken as Forem's PR #14121 broke its own (one filter missing from
one query), and the next one stops the batch before its first letter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.db.models import OuterRef

from chapters.models import Chapter, Role, Subscription, Workshop
from invitations.models import Answer, Invitation
from invitations.queries import audiences
from invitations.services import guarding, preparing
from invitations.services.manager import InvitationManager
from logs.models import Alert, Audience, InvitationLog, InvitationLogEntry, LogStatus, Tally
from members.models import Member
from tests.factories import (
    ChapterFactory,
    GroupFactory,
    InvitationFactory,
    MemberFactory,
    SubscriptionFactory,
    WorkshopFactory,
    chapter_with,
)
from tests.regressions import test_planner as regressions
from tests.support.here import send_here, send_once_here
from tests.support.processes import Station

TRIGGER = "letters_stay_in_their_chapter"


def of_every_chapter(chapter: Chapter, *roles: Role):
    """`audiences._subscription` without its chapter: the query of PR #14121."""
    return Subscription.objects.filter(member=OuterRef("pk"), group__role__in=roles)


def of_every_role(chapter: Chapter, *roles: Role):
    """`audiences._subscription` without its roles."""
    return Subscription.objects.filter(member=OuterRef("pk"), group__chapter=chapter)


def joined(chapter: Chapter, *roles: Role):
    """`audiences.subscribed` as planner had it: a row for each group that a member is in."""
    return Member.objects.filter(groups__chapter=chapter, groups__role__in=roles)


def nothing_to_object(log: InvitationLog, *, letters: int) -> None:
    """`guarding.check`, asleep."""


@contextmanager
def without_trigger() -> Iterator[None]:
    """PostgreSQL itself asleep."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE logs_invitationlog DISABLE TRIGGER {TRIGGER}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE logs_invitationlog ENABLE TRIGGER {TRIGGER}")


@pytest.fixture
def workshop() -> Workshop:
    """Of one of two chapters."""
    chapter_with(students=3, coaches=1, name="Elsewhere")
    workshop: Workshop = WorkshopFactory(chapter=chapter_with(students=2, coaches=2, name="Here"))
    return workshop


def invite(workshop: Workshop, audience: str = "students") -> InvitationLog:
    return InvitationManager().send_workshop_emails(workshop, audience, MemberFactory())


def addresses_of_students(workshop: Workshop) -> Counter[str]:
    groups = workshop.chapter.groups.filter(role=Role.STUDENT)
    return Counter(Member.objects.filter(groups__in=groups).values_list("email", flat=True))


def assert_nobody_was_written_to(station: Station, log: InvitationLog) -> None:
    assert station.sink.letters == []
    assert log.status == LogStatus.FAILED
    assert not InvitationLogEntry.objects.exists()
    assert not Invitation.objects.exists()


# ---- One function makes an audience, and never of nothing ----------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ask",
    [
        lambda: audiences.subscribed(None, Role.STUDENT),
        lambda: audiences.subscribed(Chapter(), Role.STUDENT),
        lambda: audiences.subscribed(ChapterFactory()),
        lambda: audiences.audience_of(None, Audience.EVERYONE),
        lambda: audiences.audience_of(Workshop(), Audience.EVERYONE),
        lambda: audiences.audience_of(WorkshopFactory(), Audience.PEOPLE),
        lambda: audiences.audience_of(WorkshopFactory(), ""),
        lambda: audiences.audience_of(WorkshopFactory(), None),
    ],
    ids=[
        *("no chapter", "a chapter never saved", "no role", "no workshop"),
        *("a workshop never saved", "named people", "an empty audience", "no audience"),
    ],
)
def test_r21_an_audience_of_nothing_is_a_mistake_and_not_everybody(ask: Callable[[], object]):
    with pytest.raises(audiences.NobodyNamed):
        ask()


# ---- The chapter is missing from the query -------------------------------------------------


@pytest.mark.parametrize("audience", ["students", "coaches", "everyone"])
@pytest.mark.parametrize("asleep", ["nothing", "the second query", "the database"])
def test_r21_without_the_chapter_in_the_query_nobody_is_written_to(
    station: Station, workshop: Workshop, monkeypatch, audience: str, asleep: str
):
    log = invite(workshop, audience)
    monkeypatch.setattr(audiences, "_subscription", of_every_chapter)
    if asleep == "the second query":
        monkeypatch.setattr(guarding, "check", nothing_to_object)

    with without_trigger() if asleep == "the database" else nullcontext():
        send_once_here(log)

    assert_nobody_was_written_to(station, log)
    assert "are not subscribed to this chapter" in log.reason


def test_r21_with_all_of_them_asleep_the_claim_still_leaves_strangers_out(
    station: Station, workshop: Workshop, monkeypatch
):
    """So it was they who stopped the batch above; and what a claim reads is written apart, too."""
    monkeypatch.setattr(audiences, "_subscription", of_every_chapter)
    monkeypatch.setattr(guarding, "check", nothing_to_object)

    with without_trigger():
        log = invite(workshop)
        send_here(log)

    assert Counter(log.entries.values_list("status", "reason")) == {
        ("success", ""): 2,
        ("skipped", "is no longer subscribed"): 3,
    }
    assert station.sink.recipients == addresses_of_students(workshop)


def test_r21_somebody_is_told_with_the_numbers_once(
    station: Station, workshop: Workshop, monkeypatch
):
    log = invite(workshop)
    monkeypatch.setattr(audiences, "_subscription", of_every_chapter)

    preparing.prepare(log.pk)
    preparing.prepare(log.pk)

    alert = Alert.objects.get()
    assert (alert.kind, alert.log, alert.severity) == ("guard", log, "page")
    assert alert.numbers == {"letters": 5, "seen": 0}
    assert [(each.name, each.count) for each in Tally.objects.all()] == [("guard", 1)]
    log.refresh_from_db()
    assert log.reason.startswith("3 of 5 people are not subscribed to this chapter")


def test_r21_once_the_query_is_mended_the_same_button_invites_exactly_the_chapter(
    station: Station, workshop: Workshop, monkeypatch
):
    with monkeypatch.context() as broken:
        broken.setattr(audiences, "_subscription", of_every_chapter)
        send_once_here(invite(workshop))

    log = invite(workshop)
    send_here(log)

    assert station.sink.recipients == addresses_of_students(workshop)


def test_r21_without_the_role_in_the_query_nobody_is_written_to(
    station: Station, workshop: Workshop, monkeypatch
):
    log = invite(workshop, "coaches")
    monkeypatch.setattr(audiences, "_subscription", of_every_role)

    send_once_here(log)

    assert_nobody_was_written_to(station, log)


# ---- PostgreSQL's own rule -----------------------------------------------------------------


@pytest.mark.django_db
def test_r21_the_database_lets_no_log_run_that_writes_to_strangers(workshop: Workshop):
    log = invite(workshop)
    InvitationLogEntry.objects.create(
        log=log, workshop=workshop, member=MemberFactory(), action="invite"
    )

    with pytest.raises(IntegrityError, match="whom its chapter does not have"):
        InvitationLog.objects.filter(pk=log.pk).update(status=LogStatus.RUNNING)


@pytest.mark.django_db
def test_r21_whoever_gets_no_letter_may_be_a_stranger_to_the_database(workshop: Workshop):
    """Somebody who left is named in a log with the reason, and a pause may outlast a group."""
    log = invite(workshop)
    InvitationLogEntry.objects.create(
        log=log, workshop=workshop, member=MemberFactory(), action="invite", status="skipped"
    )
    InvitationLog.objects.filter(pk=log.pk).update(status=LogStatus.RUNNING)
    preparing_was_over = InvitationLog.objects.filter(pk=log.pk)
    preparing_was_over.update(status=LogStatus.PAUSED)
    InvitationLogEntry.objects.filter(log=log).update(status="pending")

    assert preparing_was_over.update(status=LogStatus.RUNNING) == 1


# ---- EXISTS is missing from the query ------------------------------------------------------


def doubled_chapter() -> Chapter:
    """Two groups of students, and everybody in both."""
    chapter = chapter_with(students=3)
    another = GroupFactory(chapter=chapter, role=Role.STUDENT)
    for member in Member.objects.filter(groups__chapter=chapter):
        SubscriptionFactory(member=member, group=another)
    return chapter


def test_r21_without_exists_nobody_gets_a_second_letter(station: Station, monkeypatch):
    """The invitation's own constraint refuses a row twice, so nobody gets even one."""
    workshop = WorkshopFactory(chapter=doubled_chapter())
    log = invite(workshop)
    monkeypatch.setattr(audiences, "subscribed", joined)

    for _ in range(preparing.MOST_TRIES):
        with pytest.raises(DatabaseError, match="cannot affect row a second time"):
            preparing.prepare(log.pk)
    send_once_here(log)

    assert_nobody_was_written_to(station, log)


def test_r21_an_audience_with_people_twice_is_one_letter_each(station: Station, monkeypatch):
    """Of a message, which makes no invitation: the live index carries it."""
    workshop = WorkshopFactory(chapter=doubled_chapter())
    coming = [
        InvitationFactory(workshop=workshop, member=member, answer=Answer.ATTENDING).member
        for member in Member.objects.filter(groups__chapter=workshop.chapter).distinct()
    ]
    log = InvitationManager().send_message(
        workshop, "attending", MemberFactory(), subject="Scarf", text="It is cold."
    )
    once = audiences.audience_of

    def twice(workshop: Workshop, audience: Audience):
        return once(workshop, audience).filter(subscriptions__isnull=False)

    monkeypatch.setattr(audiences, "audience_of", twice)
    send_here(log)

    assert len(twice(workshop, Audience.ATTENDING)) == 2 * len(coming) == 6
    assert station.sink.recipients == Counter(member.email for member in coming)


@pytest.mark.django_db
def test_r21_without_exists_the_querys_own_test_fails(monkeypatch):
    regressions.test_a_member_in_several_groups_is_one_person()
    monkeypatch.setattr(audiences, "subscribed", joined)

    with pytest.raises(AssertionError):
        regressions.test_a_member_in_several_groups_is_one_person()
