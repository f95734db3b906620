"""R38: whom we wrote to is forgotten after a while; the numbers, and whoever came, are not."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from invitations.models import FeedbackRequest, Invitation
from invitations.queries import auditing, overviews, statistics
from invitations.services import (
    forgetting,
)
from logs.models import (
    Action,
    Activity,
    Alert,
    Audience,
    AuditRun,
    Bounce,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Severity,
    Tally,
)
from logs.queries import progress
from logs.services.logger import InvitationLogger
from tests.factories import (
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    in_days,
)
from tests.support.past import KEPT, LONG_AGO, NUMBERS, forget, long_past, single
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


# ---- Logs and their people -----------------------------------------------------------------


def test_the_numbers_stay_and_the_people_go():
    log = long_past()

    assert forget() is False

    log.refresh_from_db()
    assert progress(log) == NUMBERS
    assert log.forgotten_at is not None
    assert not InvitationLogEntry.objects.exists()
    assert log.counts["unanswered"] == {"student": 3}


def test_whoever_answered_stays_and_the_answers_add_up():
    log = long_past()
    before = overviews.overviews([log.workshop])

    forget()

    assert sorted(log.workshop.invitations.values_list("answer", flat=True)) == [
        "attending",
        "declined",
    ]
    assert overviews.overviews([log.workshop]) == before
    assert before[0].invitations == 5


def test_the_figures_of_the_year_stay_as_they_were():
    log = long_past()
    before = statistics.last_year(log.chapter, at=timezone.now())

    forget()

    assert statistics.last_year(log.chapter, at=timezone.now()) == before
    assert before.answers[0].invited == 5


def test_forgetting_twice_changes_nothing_more():
    log = long_past()
    forget()
    after_once = list(InvitationLog.objects.values())

    assert forget() is False

    assert list(InvitationLog.objects.values()) == after_once
    assert progress(InvitationLog.objects.get(pk=log.pk)) == NUMBERS


@pytest.mark.parametrize("finished", [LogStatus.COMPLETED, LogStatus.CANCELLED, LogStatus.FAILED])
def test_a_log_that_ended_in_whatever_way_is_forgotten(finished):
    log = long_past(status=finished)

    forget()

    log.refresh_from_db()
    assert log.forgotten_at is not None
    assert log.status == finished


@pytest.mark.parametrize(
    "not_yet",
    [
        {"days": -(KEPT - 1)},
        {"finished_at": in_days(-(KEPT - 1))},
        {"status": LogStatus.RUNNING, "finished_at": None},
        {"status": LogStatus.PAUSED, "finished_at": None},
    ],
    ids=["workshop over too lately", "log over too lately", "running", "paused"],
)
def test_what_may_still_be_needed_stays(not_yet):
    log = long_past(**not_yet)

    forget()

    log.refresh_from_db()
    assert (log.forgotten_at, log.counts) == (None, None)
    assert (log.entries.count(), log.workshop.invitations.count()) == (5, 5)


def test_a_log_with_a_letter_to_go_stays_as_it_is():
    log = long_past()
    log.entries.filter(status=EntryStatus.FAILED).update(status=EntryStatus.PENDING)

    forget()

    log.refresh_from_db()
    assert (log.forgotten_at, log.entries.count()) == (None, 5)


def test_while_one_log_of_the_workshop_stays_so_do_its_invitations():
    log = long_past()
    InvitationLogFactory(
        workshop=log.workshop,
        audience=Audience.ATTENDING,
        action=Action.MESSAGE,
        status=LogStatus.COMPLETED,
        finished_at=in_days(-1),
    )

    forget()

    assert (log.entries.count(), log.workshop.invitations.count()) == (0, 5)


def test_an_apology_outlives_what_it_is_about_by_a_night():
    """It says who has had it; as long as there are people to say sorry to, that counts."""
    log = long_past()
    apology = InvitationLogFactory(
        workshop=log.workshop,
        audience=Audience.PEOPLE,
        action=Action.APOLOGY,
        about=log,
        recipients={"people": [1, 2]},
        status=LogStatus.COMPLETED,
        finished_at=log.finished_at,
    )

    forget()
    apology.refresh_from_db()
    assert apology.forgotten_at is None

    forget()
    apology.refresh_from_db()
    assert apology.forgotten_at is not None
    assert apology.recipients == {}


@pytest.mark.parametrize("days", [0, 500])
def test_the_organisation_decides_how_long(settings, days):
    settings.RETENTION_DAYS = days
    long_past()

    assert forget() is False

    assert InvitationLogEntry.objects.count() == 5


def test_whoever_is_stopped_in_the_middle_carries_on(settings, monkeypatch):
    monkeypatch.setattr(forgetting, "ROWS", 2)
    log = long_past()

    nights = 0
    while forget(seconds=0):
        nights += 1
        log.refresh_from_db()
        assert progress(log) == NUMBERS
        assert sum(overview.invitations for overview in overviews.overviews([log.workshop])) == 5
        assert list(auditing.breaches()) == []

    assert nights > 5
    assert not InvitationLogEntry.objects.exists()
    assert InvitationLog.objects.get().counts["unanswered"] == {"student": 3}


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_count_nobody_twice(monkeypatch):
    monkeypatch.setattr(forgetting, "ROWS", 1)
    long_past()

    at_once(*[forget] * 4)

    log = InvitationLog.objects.get()
    assert progress(log) == NUMBERS
    assert log.counts["unanswered"] == {"student": 3}
    assert not InvitationLogEntry.objects.exists()


@pytest.mark.parametrize("kept", ["attended", "answered before", "asked how it was"])
def test_an_invitation_that_says_more_stays(kept):
    log = long_past()
    silent = log.workshop.invitations.filter(answer="").earliest("pk")
    if kept == "attended":
        Invitation.objects.filter(pk=silent.pk).update(attended_at=log.workshop.starts_at)
    elif kept == "answered before":
        Invitation.objects.filter(pk=silent.pk).update(answer_number=2)
    else:
        FeedbackRequest.objects.create(invitation=silent)

    forget()

    assert log.workshop.invitations.filter(answer="").get() == silent
    assert list(auditing.breaches()) == []


# ---- Single letters ------------------------------------------------------------------------


def test_single_letters_of_old_workshops_go_and_others_stay():
    old = WorkshopFactory(starts_at=in_days(LONG_AGO))
    single(Action.CONFIRMATION, workshop=old, occasion="1")
    waits = single(Action.FEEDBACK, workshop=old, status=EntryStatus.PENDING)
    lately = single(Action.CONFIRMATION, workshop=WorkshopFactory(past=True), occasion="1")
    single(Action.BAN, occasion="7")
    single(Action.WARNING, occasion="8")

    forget()

    assert set(InvitationLogEntry.objects.all()) == {waits, lately}


@pytest.mark.parametrize("action", [Action.HELLO, Action.WELCOME])
def test_what_is_written_once_in_a_life_is_remembered_while_the_account_is_open(action):
    theirs = single(action, occasion="student" if action == Action.WELCOME else "")
    single(action, member=MemberFactory(closed=True))

    forget()

    assert list(InvitationLogEntry.objects.all()) == [theirs]


# ---- Whatever else -------------------------------------------------------------------------


def test_records_of_how_things_went_go_and_history_stays_longer():
    old, new, before_history = in_days(LONG_AGO), in_days(-KEPT + 1), in_days(-3 * 365 - 1)
    member = MemberFactory()
    for at in (old, new):
        AuditRun.objects.create(asked_at=at, started_at=at, finished_at=at)
        Tally.objects.create(name="server_errors", minute=at, count=1)
        Alert.objects.create(kind="guard", severity=Severity.MAIL, began_at=at, ended_at=at)
        Bounce.objects.create(
            member=member, kind=Bounce.Kind.SOFT, told_by="dsn", event=str(at), at=at
        )
    Alert.objects.create(kind="held", severity=Severity.MAIL, began_at=old)
    for at in (before_history, old):
        Activity.objects.create(at=at, did="planned the workshop")
    for name, at in (("over", in_days(-1)), ("open", in_days(1))):
        Session.objects.create(session_key=name, session_data="", expire_date=at)

    forget()

    assert AuditRun.objects.get().finished_at == new
    assert Tally.objects.get().minute == new
    assert Bounce.objects.get().at == new
    alerts = Alert.objects.order_by("pk").values_list("kind", "ended_at")
    assert list(alerts) == [("guard", new), ("held", None)]
    assert Activity.objects.get().at == old
    assert Session.objects.get().session_key == "open"


def test_a_bounce_outlives_its_letter():
    log = long_past()
    entry = log.entries.earliest("pk")
    bounce = Bounce.objects.create(
        member=entry.member, entry=entry, kind=Bounce.Kind.HARD, told_by="dsn", event="1"
    )

    forget()

    bounce.refresh_from_db()
    assert bounce.entry is None


# ---- An import -----------------------------------------------------------------------------


def test_letters_that_came_with_an_import_are_forgotten_like_ours():
    log = long_past(source=InvitationLog.Source.IMPORT, initiator=None)

    forget()

    log.refresh_from_db()
    assert progress(log) == NUMBERS
    assert InvitationLogger().open_log(
        WorkshopFactory(chapter=log.chapter), audience=Audience.STUDENTS, initiator=MemberFactory()
    )[1]
