"""What an organiser decides about a log, from its page, and what is written down of it."""

import csv
import re
from collections import Counter
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse

from chapters.models import Role
from logs.models import (
    Action,
    Activity,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from logs.services import slots, steering
from members.models import Member
from tests.factories import (
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
)
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

DECISIONS = ("log_pause", "log_resume", "log_cancel", "log_retry", "log_send_again", "log_arrived")
QUERIES_OF_A_FULL_PAGE = 18
QUERIES_OF_THE_LIST = 5


def log_with(*statuses: EntryStatus, **fields):
    log = InvitationLogFactory(**fields)
    for status in statuses:
        InvitationLogEntryFactory(log=log, status=status, doubts=2 if status == "unknown" else 0)
    return log


def address(name: str, log: InvitationLog) -> str:
    return reverse(name, args=[log.workshop_id, log.pk])


def organising(log: InvitationLog) -> Client:
    client = Client()
    client.force_login(organiser_of(log.chapter))
    return client


def decide(name: str, log: InvitationLog, client: Client | None = None, **data: object) -> str:
    """Click, and read the page one is led to."""
    client = client or organising(log)
    return words(client.post(address(name, log), data, follow=True))


def page_of(log: InvitationLog, **query: str) -> str:
    return words(organising(log).get(address("invitation_log", log), query))


def words(response) -> str:
    text = " ".join(response.content.decode().split())
    return re.sub(r"(?<=\w) (?=[.,])", "", text)


def state_of(log: InvitationLog) -> tuple[str, Counter[str]]:
    log.refresh_from_db()
    return log.status, Counter(log.entries.values_list("status", flat=True))


def history() -> list[tuple[str, Member | None, str]]:
    return [(a.did, a.member, a.remark) for a in Activity.objects.order_by("pk")]


# ---- Pause and resume ----------------------------------------------------------------------


def test_pause_and_resume_and_a_second_tap_changes_nothing():
    log = log_with(EntryStatus.PENDING)
    client = organising(log)

    assert "Paused. The letters that wait" in decide("log_pause", log, client)
    decide("log_pause", log, client)
    assert state_of(log) == (LogStatus.PAUSED, {"pending": 1})

    assert "The letters leave again." in decide("log_resume", log, client)
    decide("log_resume", log, client)
    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1})
    assert history() == [
        (f"paused log {log.pk}", None, ""),
        (f"carried on with log {log.pk}", None, ""),
    ]
    assert {activity.by.full_name for activity in Activity.objects.all()} == {"Olu Organiser"}
    assert {activity.workshop for activity in Activity.objects.all()} == {log.workshop}


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        (LogStatus.SCHEDULED, ["log_cancel"]),
        (LogStatus.PREPARING, ["log_cancel"]),
        (LogStatus.RUNNING, ["log_pause", "log_cancel"]),
        (LogStatus.PAUSED, ["log_resume", "log_cancel"]),
        (LogStatus.COMPLETED, []),
        (LogStatus.CANCELLED, []),
        (LogStatus.FAILED, []),
    ],
)
def test_only_what_can_be_done_is_offered(status, offered):
    log = log_with(status=status)

    page = page_of(log)

    assert [name for name in DECISIONS if address(name, log) in page] == offered


def test_what_cannot_be_done_any_more_is_said():
    log = log_with(EntryStatus.SUCCESS, status=LogStatus.COMPLETED)

    assert "This log is completed, so it cannot be paused now." in decide("log_pause", log)
    assert "This log is completed, so it cannot be cancelled now." in decide("log_cancel", log)
    assert state_of(log) == (LogStatus.COMPLETED, {"success": 1})
    assert history() == []


# ---- Cancel --------------------------------------------------------------------------------


def test_before_cancelling_one_sees_how_many_letters_would_not_leave():
    log = log_with(EntryStatus.SUCCESS, *[EntryStatus.PENDING] * 3)
    client = organising(log)

    page = words(client.get(address("log_cancel", log)))

    assert "1 letter is sent and cannot be called back. 3 still wait and would never leave." in page
    assert "Cancel the 3 letters that still wait" in page
    assert page.count("btn-primary") == 1
    assert state_of(log) == (LogStatus.RUNNING, {"success": 1, "pending": 3})


def test_cancelling_says_why_beside_each_letter_and_in_the_history():
    log = log_with(EntryStatus.SUCCESS, *[EntryStatus.PENDING] * 3)

    page = decide("log_cancel", log, reason="The venue burnt down.")

    assert "Cancelled. 3 letters are not sent." in page
    assert "The venue burnt down." in page
    assert state_of(log) == (LogStatus.CANCELLED, {"success": 1, "cancelled": 3})
    assert history() == [(f"cancelled 3 letters of log {log.pk}", None, "The venue burnt down.")]


def test_cancelling_without_a_reason_and_twice():
    log = log_with(EntryStatus.PENDING)
    client = organising(log)

    decide("log_cancel", log, client)
    decide("log_cancel", log, client, reason="Again")

    assert log.entries.get().reason == "An organiser cancelled it."
    assert len(history()) == 1


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("x" * 201, "That is 201 characters. 200 fit; please shorten."), ("a\x00", "Null characters")],
)
def test_a_reason_that_does_not_fit_comes_back_and_nothing_is_cancelled(reason, sentence):
    log = log_with(EntryStatus.PENDING)

    response = organising(log).post(address("log_cancel", log), {"reason": reason})

    assert response.status_code == 400
    assert sentence in words(response)
    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1})


def test_a_log_that_waits_for_its_moment_is_cancelled_as_a_whole():
    log = log_with(status=LogStatus.SCHEDULED)
    client = organising(log)

    assert "Cancel this log" in words(client.get(address("log_cancel", log)))
    decide("log_cancel", log, client)

    assert state_of(log) == (LogStatus.CANCELLED, {})


def test_there_is_no_page_to_cancel_what_is_over():
    log = log_with(EntryStatus.SUCCESS, status=LogStatus.COMPLETED)

    response = organising(log).get(address("log_cancel", log))

    assert response["Location"] == address("invitation_log", log)


# ---- Retry ---------------------------------------------------------------------------------


def test_all_who_failed_are_tried_again_and_nobody_else():
    log = log_with(
        *[EntryStatus.FAILED] * 3,
        EntryStatus.SUCCESS,
        EntryStatus.UNKNOWN,
        EntryStatus.SKIPPED,
        status=LogStatus.COMPLETED,
    )
    client = organising(log)
    assert "Retry 3 failed" in page_of(log)

    assert "3 letters are tried again." in decide("log_retry", log, client)

    assert state_of(log) == (
        LogStatus.RUNNING,
        {"pending": 3, "success": 1, "unknown": 1, "skipped": 1},
    )
    assert "Nothing is left to try again." in decide("log_retry", log, client)
    assert history() == [(f"tried 3 letters of log {log.pk} again", None, "")]


def test_one_person_is_tried_again_from_their_row_and_the_page_stays_narrowed():
    log = log_with(EntryStatus.FAILED, EntryStatus.FAILED, status=LogStatus.COMPLETED)
    chosen = log.entries.latest("pk")

    response = organising(log).post(
        address("log_retry", log) + "?show=failed", {"entry": chosen.pk}
    )

    assert response["Location"] == address("invitation_log", log) + "?show=failed"
    chosen.refresh_from_db()
    assert chosen.status == EntryStatus.PENDING
    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1, "failed": 1})


def test_whoever_another_log_wrote_to_since_is_left_out_and_named():
    log = log_with(EntryStatus.FAILED, status=LogStatus.COMPLETED)
    since = InvitationLogEntryFactory(
        log=InvitationLogFactory(workshop=log.workshop, audience=Audience.EVERYONE),
        member=InvitationLogEntryFactory(
            log=log,
            status=EntryStatus.FAILED,
            member=MemberFactory(name="Priya", surname="Raman"),
        ).member,
    )

    before = page_of(log)
    after = decide("log_retry", log)

    assert "Retry 1 failed" in before
    assert "1 can be tried again, the others have a letter by another log since." in before
    assert "1 letter is tried again." in after
    assert f"Priya Raman was written to since by log {since.log_id}." in after
    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1, "failed": 1})


def test_of_many_who_are_left_out_some_are_named_and_the_rest_counted():
    log = log_with(*[EntryStatus.FAILED] * 8, status=LogStatus.COMPLETED)
    other = InvitationLogFactory(workshop=log.workshop, audience=Audience.EVERYONE)
    for entry in log.entries.all():
        InvitationLogEntryFactory(log=other, member=entry.member, status=EntryStatus.SUCCESS)

    page = decide("log_retry", log)

    assert page.count(f"was written to since by log {other.pk}.") == 5
    assert "So were 3 more; the list names them." in page
    assert state_of(log) == (LogStatus.COMPLETED, {"failed": 8})


def test_it_is_refused_while_another_log_writes_to_the_same_people():
    log = log_with(EntryStatus.FAILED, status=LogStatus.COMPLETED)
    live = InvitationLogFactory(workshop=log.workshop, audience=log.audience)

    assert f"Log {live.pk} writes to the same people now." in decide("log_retry", log)

    assert state_of(log) == (LogStatus.COMPLETED, {"failed": 1})
    assert history() == []


# ---- In doubt ------------------------------------------------------------------------------


def test_a_letter_in_doubt_is_sent_again_when_somebody_says_so():
    log = log_with(EntryStatus.UNKNOWN, status=LogStatus.COMPLETED)
    entry = log.entries.get()
    client = organising(log)
    assert "Send again" in page_of(log)

    page = decide("log_send_again", log, client, entry=entry.pk)
    again = decide("log_send_again", log, client, entry=entry.pk)

    assert f"The letter to {entry.member.full_name} is sent again." in page
    assert f"The letter to {entry.member.full_name} is not in doubt any more." in again
    entry.refresh_from_db()
    assert (entry.status, entry.tries, entry.doubts) == (EntryStatus.PENDING, 0, 2)
    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1})
    assert history() == [(f"sent a letter in doubt of log {log.pk} again", entry.member, "")]


def test_a_letter_in_doubt_is_settled_when_somebody_knows_that_it_arrived():
    log = log_with(EntryStatus.UNKNOWN, status=LogStatus.CANCELLED)
    entry = log.entries.get()
    client = organising(log)
    assert "Send again" not in page_of(log)

    page = decide("log_arrived", log, client, entry=entry.pk)
    decide("log_arrived", log, client, entry=entry.pk)

    assert f"Noted: the letter to {entry.member.full_name} arrived." in page
    entry.refresh_from_db()
    assert (entry.status, entry.is_settled) == (EntryStatus.SUCCESS, True)
    assert "Somebody knows that it arrived." in page
    assert state_of(log) == (LogStatus.CANCELLED, {"success": 1})
    assert history() == [(f"said that a letter in doubt of log {log.pk} arrived", entry.member, "")]


def test_in_a_cancelled_log_nothing_is_sent_again():
    log = log_with(EntryStatus.UNKNOWN, status=LogStatus.CANCELLED)

    page = decide("log_send_again", log, entry=log.entries.get().pk)

    assert "This log is cancelled, so nothing in it is tried again." in page
    assert state_of(log) == (LogStatus.CANCELLED, {"unknown": 1})


@pytest.mark.parametrize("name", ["log_retry", "log_send_again", "log_arrived"])
def test_somebody_of_another_log_is_refused(name):
    log = log_with(EntryStatus.FAILED, EntryStatus.UNKNOWN, status=LogStatus.COMPLETED)
    other = log_with(EntryStatus.FAILED, EntryStatus.UNKNOWN, status=LogStatus.COMPLETED)

    for foreign in [*other.entries.values_list("pk", flat=True), "somebody", "9" * 30, "\x00"]:
        assert "This person is not in this log." in decide(name, log, entry=foreign)

    for each in (log, other):
        assert state_of(each) == (LogStatus.COMPLETED, {"failed": 1, "unknown": 1})


# ---- At the same moment --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_organisers_who_send_again_send_once(ledger):
    log = log_with(EntryStatus.UNKNOWN, status=LogStatus.COMPLETED)
    entry = log.entries.get()

    said = at_once(*[lambda: steering.send_again(entry)] * 4)

    assert sorted(said) == [False, False, False, True]
    assert Activity.objects.count() == 1
    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1})


@pytest.mark.django_db(transaction=True)
def test_of_it_arrived_and_send_again_one_is_true(ledger):
    for arrived_first in (True, False) * 5:
        log = log_with(EntryStatus.UNKNOWN, status=LogStatus.COMPLETED)
        entry = log.entries.get()
        steps = [
            lambda entry=entry: steering.take_as_arrived(entry),
            lambda entry=entry: steering.send_again(entry),
        ]

        said = at_once(*(steps if arrived_first else reversed(steps)))

        assert sorted(said) == [False, True]
        assert state_of(log) in [
            (LogStatus.COMPLETED, {"success": 1}),
            (LogStatus.RUNNING, {"pending": 1}),
        ]


@pytest.mark.django_db(transaction=True)
def test_a_log_that_ends_meanwhile_does_not_lose_what_is_sent_again(ledger):
    for _ in range(10):
        log = log_with(EntryStatus.UNKNOWN)
        entry = log.entries.get()

        at_once(
            lambda entry=entry: steering.send_again(entry),
            lambda log=log: steering.finish(log.pk),
        )

        assert state_of(log) == (LogStatus.RUNNING, {"pending": 1})
        assert log.finished_at is None


@pytest.mark.django_db(transaction=True)
def test_of_cancel_and_retry_nothing_is_left_waiting_in_a_cancelled_log(ledger):
    for _ in range(10):
        log = log_with(EntryStatus.FAILED, EntryStatus.PENDING)

        def retry(log=log) -> None:
            try:
                steering.retry_failed(log)
            except steering.Refused:
                return

        at_once(retry, lambda log=log: steering.cancel(log, reason="Enough."))

        status, entries = state_of(log)
        assert status == LogStatus.CANCELLED
        assert entries in ({"cancelled": 2}, {"cancelled": 1, "failed": 1})


# ---- Invite those who are missing ----------------------------------------------------------


def test_whoever_became_eligible_since_is_invited_with_one_click():
    workshop = WorkshopFactory(chapter=chapter_with(students=2))
    log = log_with(workshop=workshop, status=LogStatus.COMPLETED)
    client = organising(log)

    assert address("log_top_up", log) in words(client.get(address("invitation_log", log)))
    page = words(client.get(address("log_top_up", log)))
    form = re.search(r'action="([^"]+invite\?for=students)"', page)
    assert "2 eligible members are not invited yet" in page
    assert "Invite these 2" in page
    assert form
    response = client.post(form.group(1), {"seen_count": 2})

    made = InvitationLog.objects.latest("pk")
    assert response["Location"] == address("invitation_log", made)
    assert (made.audience, made.seen_count, made.status) == ("students", 2, LogStatus.PREPARING)
    assert client.get(address("log_top_up", log)).content == b""
    assert address("log_top_up", log) not in words(client.get(address("invitation_log", log)))


@pytest.mark.parametrize(
    ("workshop", "log"),
    [
        ({"cancelled": True}, {}),
        ({"past": True}, {}),
        ({"host": None}, {}),
        ({}, {"action": Action.MESSAGE}),
        ({}, {"audience": Audience.ATTENDING, "action": Action.CANCELLATION}),
        ({}, {"status": LogStatus.RUNNING}),
    ],
)
def test_nobody_is_offered_where_nobody_can_be_invited(workshop, log):
    workshop = WorkshopFactory(chapter=chapter_with(students=2), **workshop)
    log = InvitationLogFactory(workshop=workshop, **({"status": LogStatus.COMPLETED} | log))

    assert address("log_top_up", log) not in page_of(log)
    assert organising(log).get(address("log_top_up", log)).content == b""


# ---- Whatever a log is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "audience", "heading"),
    [
        (Action.INVITE, Audience.EVERYONE, "Inviting everybody"),
        (Action.MESSAGE, Audience.ATTENDING, "Message to people who are coming"),
        (Action.MESSAGE, Audience.WAITING, "Message to the waiting list"),
        (Action.CHANGE, Audience.ATTENDING, "Telling people who are coming of the change"),
        (Action.CANCELLATION, Audience.WAITING, "Telling the waiting list of the cancellation"),
        (Action.TEST, Audience.PEOPLE, "Test letter"),
    ],
)
def test_a_log_says_what_it_does_and_for_whom(action, audience, heading):
    log = log_with(EntryStatus.SUCCESS, action=action, audience=audience)

    assert f"<h1>{heading}</h1>" in page_of(log)
    assert heading in words(organising(log).get(reverse("invitation_logs", args=[log.workshop_id])))


def test_a_message_is_shown_as_text():
    log = log_with(
        EntryStatus.SUCCESS,
        action=Action.MESSAGE,
        audience=Audience.ATTENDING,
        subject="Bring a <charger>",
        note="The sockets\n\nare <b>few</b>.",
    )

    page = page_of(log)

    assert "Read “Bring a &lt;charger&gt;”" in page
    assert "<p>The sockets</p> <p>are &lt;b&gt;few&lt;/b&gt;.</p>" in page


def test_a_log_for_later_says_when_in_the_chapters_time():
    log = InvitationLogFactory(
        workshop__chapter=ChapterFactory(time_zone="Europe/Berlin"),
        workshop__starts_at=datetime(2031, 6, 9, 16, tzinfo=UTC),
        status=LogStatus.SCHEDULED,
        send_at=datetime(2031, 6, 2, 16, tzinfo=UTC),
    )
    client = organising(log)

    page = words(client.get(address("invitation_log", log)))
    poll = words(client.get(address("log_progress", log), {"empty": "yes"}))

    assert "The letters will be sent Monday 2 June at 18:00 (CEST)." in page
    assert "Counting" not in poll


def test_while_a_log_waits_for_its_moment_the_page_is_not_loaded_again_and_again():
    log = log_with(status=LogStatus.SCHEDULED)

    assert "HX-Refresh" not in organising(log).get(address("log_progress", log), {"empty": "yes"})


def test_the_other_logs_of_the_workshop_are_one_click_away():
    log = log_with(EntryStatus.SUCCESS)
    other = log_with(workshop=log.workshop, audience=Audience.COACHES)
    foreign = InvitationLogFactory()

    page = page_of(log)

    assert address("invitation_log", other) in page
    assert address("invitation_log", foreign) not in page


# ---- The numbers, while one looks ----------------------------------------------------------


def test_when_the_state_changes_the_buttons_follow():
    log = log_with(EntryStatus.PENDING)
    client = organising(log)
    poll = client.get(address("invitation_log", log)).context["poll"]

    same = words(client.get(f"{address('log_progress', log)}?{poll}"))
    steering.pause(log)
    changed = words(client.get(f"{address('log_progress', log)}?{poll}"))

    assert 'id="steering"' not in same
    assert 'id="steering"' in changed
    assert address("log_resume", log) in changed


def test_when_the_session_ends_the_whole_page_goes_to_sign_in():
    log = log_with(EntryStatus.PENDING)
    sign_in = f"{reverse('account_login')}?next={address('invitation_log', log)}"

    asked_by_htmx = Client().get(address("log_progress", log), headers={"HX-Request": "true"})
    opened = Client().get(address("log_progress", log))

    assert (asked_by_htmx.status_code, asked_by_htmx["HX-Redirect"]) == (200, sign_in)
    assert asked_by_htmx.content == b""
    assert (opened.status_code, opened["Location"]) == (302, sign_in)


# ---- The list to take along ----------------------------------------------------------------


def rows_of(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


def test_the_list_tells_each_outcome_in_the_chapters_time_without_an_address():
    log = InvitationLogFactory(
        workshop__chapter=ChapterFactory(time_zone="Europe/Berlin"), audience=Audience.EVERYONE
    )
    at = datetime(2026, 6, 2, 16, 5, tzinfo=UTC)
    evil = MemberFactory(name="=HYPERLINK(1)", surname="")
    coach = InvitationFactory(workshop=log.workshop, role=Role.COACH, member=evil)
    InvitationLogEntryFactory(
        log=log, member=coach.member, status=EntryStatus.SUCCESS, doubts=1, changed_at=at
    )
    skipped = InvitationLogEntryFactory(
        log=log,
        member=MemberFactory(name="Zoe", surname="Last"),
        status=EntryStatus.SKIPPED,
        reason="is banned",
        changed_at=at,
    )

    response = organising(log).get(address("log_csv", log))
    rows = rows_of(response)

    assert rows == [
        ["Name", "Role", "Outcome", "Reason", "Moment (Europe/Berlin)"],
        ["'=HYPERLINK(1)", "coach", "sent, possible duplicate", "", "2026-06-02 18:05"],
        ["Zoe Last", "", "not written to", "is banned", "2026-06-02 18:05"],
    ]
    assert response["Content-Disposition"] == f'attachment; filename="log-{log.pk}.csv"'
    assert skipped.member.email not in str(rows)


def test_the_list_is_narrowed_as_the_page_is():
    log = log_with(EntryStatus.FAILED, EntryStatus.SUCCESS)

    rows = rows_of(organising(log).get(address("log_csv", log), {"show": "failed"}))

    assert [row[2] for row in rows[1:]] == ["failed"]


# ---- 10,000 people -------------------------------------------------------------------------


def test_ten_thousand_people_ask_as_often_as_ten(django_assert_num_queries):
    log = log_with(status=LogStatus.COMPLETED, audience=Audience.EVERYONE)
    members = Member.objects.bulk_create(
        Member(name="Many", surname=f"{n:05}", email=f"many{n}@people.example", password="!")
        for n in range(10_000)
    )
    statuses = (EntryStatus.SUCCESS, EntryStatus.FAILED, EntryStatus.UNKNOWN, EntryStatus.SKIPPED)
    InvitationLogEntry.objects.bulk_create(
        InvitationLogEntry(
            log=log,
            workshop=log.workshop,
            member=member,
            status=statuses[n % 4],
            reason=slots.DOUBTED_TWICE,
            answer_code=250,
        )
        for n, member in enumerate(members)
    )
    client = organising(log)

    with django_assert_num_queries(QUERIES_OF_A_FULL_PAGE):
        page = client.get(address("invitation_log", log))
    with django_assert_num_queries(QUERIES_OF_THE_LIST):
        rows = rows_of(client.get(address("log_csv", log)))
    small = log_with(*statuses, workshop=log.workshop, status=LogStatus.COMPLETED)
    InvitationLog.objects.filter(pk=log.pk).update(workshop=WorkshopFactory())
    with django_assert_num_queries(QUERIES_OF_A_FULL_PAGE):
        client.get(address("invitation_log", small))

    assert len(page.context["page"]) == 50
    assert len(rows) == 10_001


# ---- Who may -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*DECISIONS, "log_csv"])
def test_who_may(name):
    log = log_with(EntryStatus.PENDING)
    helper = MemberFactory()
    log.workshop.organisers.add(helper)
    may, may_not, admin = Client(), Client(), Client()
    may.force_login(helper)
    may_not.force_login(organiser_of(ChapterFactory()))
    admin.force_login(MemberFactory(superuser=True))

    assert may_not.get(address(name, log)).status_code == 404
    assert may_not.post(address(name, log)).status_code in (404, 405)
    assert Client().post(address(name, log))["Location"].startswith(reverse("account_login"))
    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1})
    for client in (may, admin):
        assert client.get(address(name, log)).status_code in (200, 302)


@pytest.mark.parametrize("name", DECISIONS)
def test_looking_decides_nothing(name):
    log = log_with(EntryStatus.PENDING, EntryStatus.FAILED, EntryStatus.UNKNOWN)

    organising(log).get(address(name, log), {"entry": log.entries.latest("pk").pk})

    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1, "failed": 1, "unknown": 1})


@pytest.mark.parametrize("name", DECISIONS)
def test_a_click_without_the_key_of_the_form_is_refused(name):
    log = log_with(EntryStatus.PENDING)
    client = Client(enforce_csrf_checks=True)
    client.force_login(organiser_of(log.chapter))

    assert client.post(address(name, log)).status_code == 403
    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1})


def test_the_log_of_another_workshop_is_not_decided_about():
    log, other = log_with(EntryStatus.PENDING), InvitationLogFactory()
    client = Client()
    client.force_login(organiser_of(log.chapter, other.chapter))

    for name in DECISIONS:
        path = reverse(name, args=[other.workshop_id, log.pk])
        assert client.post(path).status_code == 404

    assert state_of(log) == (LogStatus.RUNNING, {"pending": 1})
