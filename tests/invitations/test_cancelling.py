"""Cancelling: no letter about the workshop leaves any more, and whoever reckons with it hears."""

from contextlib import suppress
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chapters.models import Workshop
from invitations.models import Answer
from invitations.services import cancelling, inviting, preparing
from logs.models import (
    Action,
    Activity,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
)
from tests.support.together import at_once
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db

CANCELLED = "The workshop was cancelled."


def cancel(workshop: Workshop, *, reason: str = "", include_unanswered: bool = False) -> bool:
    organiser = workshop.chapter.organisers.first() or organiser_of(workshop.chapter)
    is_new = cancelling.cancel(
        workshop,
        reason=reason,
        include_unanswered=include_unanswered,
        by=organiser,
        at=timezone.now(),
    )
    workshop.refresh_from_db()
    return is_new


def told(workshop: Workshop) -> list[tuple[str, str, str]]:
    logs = workshop.invitation_logs.filter(action=Action.CANCELLATION).order_by("pk")
    return list(logs.values_list("audience", "occasion", "note"))


def page(workshop: Workshop) -> str:
    return reverse("workshop_cancel", args=[workshop.pk])


@pytest.fixture
def organiser(client: Client):
    """Signed in, and of the chapter "Here"."""
    member = organiser_of(chapter_with(name="Here"))
    client.force_login(member)
    return member


def words(response) -> str:
    return " ".join(response.content.decode().split())


def a_workshop_of(member, **fields) -> Workshop:
    return WorkshopFactory(chapter=member.organised_chapters.get(), **fields)


def test_cancelling_is_written_down_with_its_reason():
    workshop = WorkshopFactory()

    assert cancel(workshop, reason="The venue is flooded.")

    assert (workshop.is_cancelled, workshop.sequence) == (True, 1)
    (line,) = Activity.objects.all()
    assert (line.did, line.remark, line.workshop) == (
        "cancelled the workshop",
        "The venue is flooded.",
        workshop,
    )


def test_waiting_letters_are_cancelled_and_everything_else_stays_as_it_was():
    workshop = WorkshopFactory()
    log = InvitationLogFactory(workshop=workshop)
    outcomes = (
        EntryStatus.PENDING,
        EntryStatus.SENDING,
        EntryStatus.SUCCESS,
        EntryStatus.FAILED,
        EntryStatus.SKIPPED,
    )
    entries = [InvitationLogEntryFactory(log=log, status=status) for status in outcomes]
    confirmation = InvitationLogEntryFactory(
        log=None, workshop=workshop, action=Action.CONFIRMATION
    )
    elsewhere = InvitationLogEntryFactory()

    cancel(workshop)

    assert [status_of(entry) for entry in entries] == [
        (EntryStatus.CANCELLED, CANCELLED),
        (EntryStatus.SENDING, ""),
        (EntryStatus.SUCCESS, ""),
        (EntryStatus.FAILED, ""),
        (EntryStatus.SKIPPED, ""),
    ]
    assert status_of(confirmation) == (EntryStatus.CANCELLED, CANCELLED)
    assert status_of(elsewhere) == (EntryStatus.PENDING, "")
    assert status_of_log(log) == LogStatus.CANCELLED
    assert status_of_log(elsewhere.log) == LogStatus.RUNNING


@pytest.mark.parametrize(
    "status", [LogStatus.SCHEDULED, LogStatus.PREPARING, LogStatus.RUNNING, LogStatus.PAUSED]
)
def test_every_live_log_is_cancelled(status):
    log = InvitationLogFactory(status=status)

    cancel(log.workshop)

    assert status_of_log(log) == LogStatus.CANCELLED


def test_a_finished_log_keeps_its_outcome():
    log = InvitationLogFactory(status=LogStatus.COMPLETED)

    cancel(log.workshop)

    assert status_of_log(log) == LogStatus.COMPLETED


def test_those_who_come_or_wait_are_told_always():
    workshop = with_answers(WorkshopFactory())

    cancel(workshop, reason="The venue is flooded.")

    assert told(workshop) == [
        (Audience.ATTENDING, "1", "The venue is flooded."),
        (Audience.WAITING, "1", "The venue is flooded."),
    ]


def test_the_unanswered_are_told_by_a_tick():
    workshop = with_answers(WorkshopFactory())

    cancel(workshop, include_unanswered=True)

    assert [audience for audience, _, _ in told(workshop)] == [
        Audience.ATTENDING,
        Audience.WAITING,
        Audience.UNANSWERED,
    ]


def test_cancelling_twice_changes_nothing():
    workshop = with_answers(WorkshopFactory())
    cancel(workshop, reason="The venue is flooded.")
    first = (workshop.cancelled_at, workshop.sequence, told(workshop))

    assert not cancel(workshop, reason="Nobody came.", include_unanswered=True)

    assert (workshop.cancelled_at, workshop.sequence, told(workshop)) == first
    assert Activity.objects.count() == 1


def test_what_has_begun_is_not_cancelled_any_more():
    workshop = WorkshopFactory(starts_at=timezone.now() - timedelta(minutes=5))

    with pytest.raises(cancelling.WorkshopBegun):
        cancel(workshop)

    workshop.refresh_from_db()
    assert not workshop.is_cancelled


def test_answers_stay_so_that_one_can_see_who_would_have_come():
    workshop = with_answers(WorkshopFactory())

    cancel(workshop)

    answers = workshop.invitations.order_by("pk").values_list("answer", flat=True)
    assert list(answers) == [Answer.ATTENDING, Answer.WAITING, Answer.NONE]


def test_a_failure_leaves_everything_as_it_was():
    workshop = with_answers(WorkshopFactory())
    log = InvitationLogFactory(workshop=workshop)
    entry = InvitationLogEntryFactory(log=log)

    with pytest.raises(ZeroDivisionError), transaction.atomic(), connection.execute_wrapper(fail):
        cancel(workshop, reason="The venue is flooded.")

    workshop.refresh_from_db()
    assert (workshop.is_cancelled, workshop.sequence) == (False, 0)
    assert (status_of(entry), status_of_log(log)) == (
        (EntryStatus.PENDING, ""),
        LogStatus.RUNNING,
    )
    assert (told(workshop), Activity.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_a_batch_prepared_at_the_same_moment_leaves_no_letter_waiting(attempt):
    workshop = WorkshopFactory(chapter=chapter_with(students=40))
    organiser = organiser_of(workshop.chapter)
    log = inviting.invite(
        workshop, audience=Audience.STUDENTS, initiator=organiser, at=timezone.now()
    )

    at_once(lambda: preparing.prepare(log.pk), lambda: cancel(workshop))

    assert status_of_log(log) == LogStatus.CANCELLED
    waiting = InvitationLogEntry.objects.filter(log=log, status=EntryStatus.PENDING)
    assert not waiting.exists()


@pytest.mark.django_db(transaction=True)
def test_a_log_that_ends_in_the_moment_of_cancelling_is_left_as_it_is():
    workshop = WorkshopFactory()
    organiser_of(workshop.chapter)
    log = InvitationLogFactory(workshop=workshop)
    is_held = Event()

    def end_it_slowly():
        with transaction.atomic():
            InvitationLog.objects.select_for_update().get(pk=log.pk)
            is_held.set()
            wait_until(somebody_waits_for_a_lock)
            InvitationLog.objects.filter(pk=log.pk).update(status=LogStatus.COMPLETED)

    def cancel_meanwhile():
        assert is_held.wait(20)
        cancel(workshop)

    at_once(end_it_slowly, cancel_meanwhile)

    workshop.refresh_from_db()
    assert (workshop.is_cancelled, status_of_log(log)) == (True, LogStatus.COMPLETED)


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_two_who_cancel_at_the_same_moment_tell_people_once():
    workshop = with_answers(WorkshopFactory())
    organiser_of(workshop.chapter)

    cancelled = at_once(*[lambda: cancel(Workshop.objects.get(pk=workshop.pk))] * 3)

    assert sorted(cancelled) == [False, False, True]
    assert [audience for audience, _, _ in told(workshop)] == [
        Audience.ATTENDING,
        Audience.WAITING,
    ]


@pytest.mark.django_db(transaction=True)
def test_an_invitation_clicked_at_the_same_moment_is_refused_or_stopped():
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    organiser = organiser_of(workshop.chapter)

    def invite() -> None:
        with suppress(inviting.WorkshopCancelled):
            inviting.invite(
                workshop, audience=Audience.STUDENTS, initiator=organiser, at=timezone.now()
            )

    at_once(invite, lambda: cancel(workshop))

    assert not workshop.invitation_logs.exclude(status=LogStatus.CANCELLED).exists()


def test_the_page_says_who_reckons_with_it_and_how_many_letters_wait(client, organiser):
    workshop = with_answers(a_workshop_of(organiser))
    log = InvitationLogFactory(workshop=workshop)
    InvitationLogEntryFactory.create_batch(3, log=log)

    text = words(client.get(page(workshop)))

    assert "The 2 people who are coming or waiting are told at once." in text
    assert "<dt>coming</dt> <dd>1</dd>" in text
    assert "<dt>on the waiting list</dt> <dd>1</dd>" in text
    assert "<dt>no answer yet</dt> <dd>1</dd>" in text
    assert "<dt>letters not sent yet, stopped with it</dt> <dd>3</dd>" in text
    assert "Also tell the one person who has not answered" in text
    assert "Cancel the workshop and tell the 2 who are coming or waiting" in text
    assert text.count("btn-primary") == 1


def test_who_cannot_be_written_to_is_counted_and_named(client, organiser):
    workshop = with_answers(a_workshop_of(organiser))
    InvitationFactory(
        workshop=workshop, answer=Answer.ATTENDING, member__address_unusable_at=timezone.now()
    )

    text = words(client.get(page(workshop)))

    assert "<dt>coming</dt> <dd>2</dd>" in text
    assert "The 2 people who are coming or waiting and can be written to are told" in text
    names = f'href="{reverse("left_out", args=[workshop.pk])}?for=attending"'
    assert f"People who are coming: <a {names}>1 of 2 cannot be written to</a>." in text
    assert "Cancel the workshop and tell the 2 who are coming or waiting" in text


def test_where_no_letter_reaches_anybody_the_organiser_is_asked_to_tell_them(client, organiser):
    workshop = a_workshop_of(organiser)
    InvitationFactory(
        workshop=workshop, answer=Answer.WAITING, member__address_unusable_at=timezone.now()
    )

    text = words(client.get(page(workshop)))

    assert "Nobody who is coming or waiting can be written to, so please tell them yourself" in text
    assert "Cancel the workshop </button>" in text


def test_looking_at_the_page_cancels_nothing(client, organiser):
    workshop = a_workshop_of(organiser)

    client.get(page(workshop))

    workshop.refresh_from_db()
    assert not workshop.is_cancelled


def test_the_button_cancels_and_tells(client, organiser):
    workshop = with_answers(a_workshop_of(organiser))
    form = {"reason": "The venue is flooded.", "include_unanswered": "on"}

    response = client.post(page(workshop), form)

    assert response.status_code == 302
    assert response.url == reverse("organiser_workshop", args=[workshop.pk])
    workshop.refresh_from_db()
    assert workshop.is_cancelled
    assert [note for _, _, note in told(workshop)] == ["The venue is flooded."] * 3

    client.post(page(workshop), form)
    assert len(told(workshop)) == 3


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("a" * 2_001, "That is 2001 characters. 2000 fit; please shorten."),
        ("a\x00b", "Null characters are not allowed."),
    ],
)
def test_a_reason_that_cannot_be_sent_comes_back(client, organiser, reason, sentence):
    workshop = a_workshop_of(organiser)

    response = client.post(page(workshop), {"reason": reason})

    assert response.status_code == 400
    assert sentence in words(response)
    assert reason[-3:] in response.content.decode()
    workshop.refresh_from_db()
    assert not workshop.is_cancelled


def test_what_has_begun_or_is_cancelled_offers_no_button(client, organiser):
    begun = a_workshop_of(organiser, starts_at=timezone.now() - timedelta(minutes=5))
    cancelled = a_workshop_of(organiser, cancelled=True, starts_at=in_days(3))

    assert "It cannot be cancelled any more." in words(client.get(page(begun)))
    assert "This workshop is cancelled" in words(client.get(page(cancelled)))
    assert client.post(page(begun), {"reason": ""}).status_code == 409


def test_what_nobody_knows_of_can_be_deleted_from_here(client, organiser):
    workshop = a_workshop_of(organiser)

    assert reverse("workshop_delete", args=[workshop.pk]) in words(client.get(page(workshop)))


def test_the_page_costs_the_same_for_any_number(client, organiser):
    workshop = a_workshop_of(organiser)
    log = InvitationLogFactory(workshop=workshop)
    statements = []
    for more in (1, 2):
        InvitationFactory.create_batch(more, workshop=workshop, answer=Answer.ATTENDING)
        InvitationLogEntryFactory.create_batch(more, log=log)
        with CaptureQueriesContext(connection) as captured:
            client.get(page(workshop))
        statements.append(len(captured))

    assert statements[0] == statements[1]


def test_somebody_elses_workshop_is_not_there(client, organiser):
    workshop = WorkshopFactory()

    assert client.get(page(workshop)).status_code == 404
    assert client.post(page(workshop), {"reason": "mine now"}).status_code == 404
    workshop.refresh_from_db()
    assert not workshop.is_cancelled


def with_answers(workshop: Workshop) -> Workshop:
    """One comes, one waits, one was invited and has not answered."""
    for answer in (Answer.ATTENDING, Answer.WAITING, Answer.NONE):
        invitation = InvitationFactory(workshop=workshop, answer=answer)
    log = InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED)
    InvitationLogEntryFactory(log=log, member=invitation.member, status=EntryStatus.SUCCESS)
    return workshop


def fail(execute, sql, params, many, context):
    """The logs of the letters that tell people are the last thing that is written."""
    if sql.startswith('INSERT INTO "logs_invitationlog"'):
        raise ZeroDivisionError
    return execute(sql, params, many, context)


def status_of(entry: InvitationLogEntry) -> tuple[str, str]:
    entry.refresh_from_db()
    return entry.status, entry.reason


def status_of_log(log: InvitationLog) -> str:
    log.refresh_from_db()
    return log.status
