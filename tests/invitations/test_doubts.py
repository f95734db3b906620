"""Letters in doubt: who sees them, what can be decided, one by one and for a whole log."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Workshop
from logs.models import Action, Activity, EntryStatus, InvitationLog, InvitationLogEntry, LogStatus
from logs.services import steering
from members.models import Member
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    in_days,
    organiser_of,
)

pytestmark = pytest.mark.django_db

QUERIES_OF_THE_LIST = 8


def in_doubt(
    letters: int = 1, *, status: LogStatus = LogStatus.COMPLETED, **fields: object
) -> InvitationLog:
    """A log of which so many letters may have arrived."""
    log: InvitationLog = InvitationLogFactory(status=status, **fields)
    for _ in range(letters):
        letter_in_doubt(log=log)
    return log


def letter_in_doubt(**fields: object) -> InvitationLogEntry:
    entry: InvitationLogEntry = InvitationLogEntryFactory(
        status=EntryStatus.UNKNOWN, doubts=2, reason="the connection broke twice", **fields
    )
    return entry


def single_in_doubt(**fields: object) -> InvitationLogEntry:
    return letter_in_doubt(log=None, action=Action.CONFIRMATION, occasion="1", **fields)


def client_of(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def admin() -> Client:
    return client_of(MemberFactory(superuser=True))


def page_of(client: Client, **query: str) -> str:
    return words(client.get(reverse("in_doubt"), query))


def words(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


def decide(client: Client, entry: InvitationLogEntry, decision: str) -> str:
    address = reverse("doubt_decide", args=[entry.pk])
    return words(client.post(address, {"decision": decision}, follow=True))


def address_of_all(log: InvitationLog, decision: str) -> str:
    return reverse("doubts_decide", args=[log.pk, decision])


def statuses(log: InvitationLog) -> Counter[str]:
    return Counter(log.entries.values_list("status", flat=True))


# ---- The list ---------------------------------------------------------------------------------


def test_nothing_is_in_doubt(admin):
    page = page_of(admin)

    assert "Of each letter it is known what became of it." in page
    assert "Nothing is in doubt" in page


def test_an_admin_sees_the_newest_log_first_and_single_letters_last(admin):
    older, newer = in_doubt(2), in_doubt(1)
    without_workshop = single_in_doubt(workshop=None)

    page = page_of(admin)

    assert "4 letters may have arrived" in page
    places = [page.index(text) for text in (f"Log {newer.pk}", f"Log {older.pk}", "one person")]
    assert places == sorted(places)
    assert without_workshop.member.full_name in page
    assert "The connection broke twice." in page
    assert "Send all 2 again…" in page
    assert "Send all 1 again…" not in page


def test_an_organiser_sees_what_is_about_their_workshops():
    theirs, others = in_doubt(), in_doubt()
    single = single_in_doubt(workshop=theirs.workshop)
    welcome = single_in_doubt(workshop=None)

    page = page_of(client_of(organiser_of(theirs.chapter)))

    assert "2 letters may have arrived" in page
    assert f"Log {theirs.pk}" in page
    assert single.member.full_name in page
    assert f"Log {others.pk}" not in page
    assert welcome.member.full_name not in page


def test_ten_of_a_log_are_shown_and_where_the_others_are(admin):
    log = in_doubt(11)

    page = page_of(admin)

    assert page.count("It arrived<") == 10
    assert "These are the first 10 of 11." in page
    assert reverse("invitation_log", args=[log.workshop_id, log.pk]) + "?show=unknown" in page


def test_ten_logs_a_page(admin):
    for _ in range(11):
        in_doubt()

    assert page_of(admin).count("It arrived<") == 10
    assert page_of(admin, page="2").count("It arrived<") == 1
    assert page_of(admin, page="x").count("It arrived<") == 10


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_as_often_whatever_its_length(rows, django_assert_num_queries):
    organiser = organiser_of(*[in_doubt(rows).chapter for _ in range(rows)])
    for chapter in organiser.organised_chapters.all():
        single_in_doubt(workshop=WorkshopFactory(chapter=chapter))
    client = client_of(organiser)

    with django_assert_num_queries(QUERIES_OF_THE_LIST):
        client.get(reverse("in_doubt"))


WHY_NOT = {
    "cancelled": "This log is cancelled, so nothing in it is tried again.",
    "workshop cancelled": "The workshop is cancelled, so no such letter leaves any more.",
    "workshop begun": "The workshop has begun, so no such letter leaves any more.",
}


def beyond_help(how: str, letters: int = 2) -> InvitationLog:
    """A log of invitations that are not sent again."""
    log = in_doubt(letters, status=LogStatus.CANCELLED if how == "cancelled" else "completed")
    if how == "workshop cancelled":
        Workshop.objects.update(cancelled_at=timezone.now())
    if how == "workshop begun":
        Workshop.objects.update(starts_at=in_days(-1), ends_at=in_days(1))
    return log


@pytest.mark.parametrize("how", WHY_NOT)
def test_what_is_not_sent_again_can_only_have_arrived_and_the_page_says_why(admin, how):
    log = beyond_help(how)

    page = page_of(admin)

    assert page.count(WHY_NOT[how]) == 1

    assert "Send again" not in page
    assert "Send all" not in page
    assert page.count("It arrived<") == 2
    assert WHY_NOT[how] in words(admin.get(address_of_all(log, "again")))
    of_log = words(admin.get(reverse("invitation_log", args=[log.workshop_id, log.pk])))
    assert "Send again" not in of_log
    assert WHY_NOT[how] in of_log


@pytest.mark.parametrize("action", [Action.MESSAGE, Action.FEEDBACK])
def test_what_is_written_after_the_workshop_too_can_be_sent_again(admin, action):
    workshop = WorkshopFactory(starts_at=in_days(-1), ends_at=in_days(-1) + timedelta(hours=2))
    log = InvitationLogFactory(workshop=workshop, status=LogStatus.COMPLETED, action=action)
    letter_in_doubt(log=log, action=action)

    assert "Send again" in page_of(admin)


def test_of_single_letters_each_says_why_it_is_not_sent_again(admin):
    over = WorkshopFactory(starts_at=in_days(-1), ends_at=in_days(-1) + timedelta(hours=2))
    single_in_doubt(workshop=over)
    single_in_doubt(workshop=WorkshopFactory())

    page = page_of(admin)

    assert page.count(WHY_NOT["workshop begun"]) == 1
    assert page.count("Send again<") == 1


# ---- One letter -------------------------------------------------------------------------------


def test_one_is_sent_again(admin):
    log = in_doubt(2)
    entry, other = log.entries.order_by("pk")

    page = decide(admin, entry, "again")

    assert f"The letter to {entry.member.full_name} is sent again." in page
    assert statuses(log) == {"pending": 1, "unknown": 1}
    log.refresh_from_db()
    assert log.status == LogStatus.RUNNING
    (activity,) = Activity.objects.all()
    assert activity.did == f"sent a letter in doubt of log {log.pk} again"
    assert activity.member == entry.member
    assert other.member.full_name in page


def test_one_has_arrived(admin):
    log = in_doubt()

    page = decide(admin, log.entries.get(), "arrived")

    assert "Noted: the letter to" in page
    assert "Nothing is in doubt" in page
    assert statuses(log) == {"success": 1}


@pytest.mark.parametrize(
    ("decision", "status", "did"),
    [
        ("again", EntryStatus.PENDING, "sent a single letter in doubt again"),
        ("arrived", EntryStatus.SUCCESS, "said that a single letter in doubt arrived"),
    ],
)
@pytest.mark.parametrize("is_about_a_workshop", [True, False])
def test_a_letter_of_no_log_is_decided_about_too(admin, decision, status, did, is_about_a_workshop):
    workshop = WorkshopFactory() if is_about_a_workshop else None
    entry = single_in_doubt(workshop=workshop)

    for _ in range(2):
        decide(admin, entry, decision)

    entry.refresh_from_db()
    assert entry.status == status
    activity = Activity.objects.get()
    assert (activity.did, activity.member, activity.workshop) == (did, entry.member, workshop)


@pytest.mark.parametrize("decision", ["again", "arrived"])
def test_a_double_tap_decides_once(admin, decision):
    entry = in_doubt().entries.get()
    decide(admin, entry, decision)

    page = decide(admin, entry, decision)

    assert f"The letter to {entry.member.full_name} is not in doubt any more." in page
    assert Activity.objects.count() == 1


def test_a_refusal_says_why(admin):
    log = in_doubt(status=LogStatus.CANCELLED)

    page = decide(admin, log.entries.get(), "again")

    assert "This log is cancelled, so nothing in it is tried again." in page
    assert statuses(log) == {"unknown": 1}


@pytest.mark.parametrize("decision", ["", "burn it"])
def test_a_decision_that_cannot_be_read_changes_nothing(admin, decision):
    log = in_doubt()

    page = decide(admin, log.entries.get(), decision)

    assert "We could not read what you decided" in page
    assert statuses(log) == {"unknown": 1}


def test_a_get_decides_nothing(admin):
    log = in_doubt()

    response = admin.get(
        reverse("doubt_decide", args=[log.entries.get().pk]), {"decision": "again"}
    )

    assert response.url == reverse("in_doubt")
    assert statuses(log) == {"unknown": 1}


def test_nobody_decides_about_what_is_not_theirs():
    log, elsewhere = in_doubt(), organiser_of(WorkshopFactory().chapter)
    client = client_of(elsewhere)

    answers = [
        client.post(reverse("doubt_decide", args=[log.entries.get().pk]), {"decision": "again"}),
        client.post(address_of_all(log, "again"), {"typed": "1"}),
        client.post(
            reverse("doubt_decide", args=[single_in_doubt(workshop=None).pk]), {"decision": "again"}
        ),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert statuses(log) == {"unknown": 1}


# ---- All of a log -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "question", "button", "after", "did"),
    [
        (
            "again",
            "Send 3 letters again?",
            "Send these 3 again",
            {"pending": 3, "failed": 1},
            "sent 3 letters in doubt of log {} again",
        ),
        (
            "arrived",
            "Did 3 letters arrive?",
            "Count these 3 as sent",
            {"success": 3, "failed": 1},
            "said that 3 letters in doubt of log {} arrived",
        ),
    ],
)
def test_all_of_a_log_with_their_number_typed(admin, decision, question, button, after, did):
    log, other = in_doubt(3), in_doubt(1)
    InvitationLogEntryFactory(log=log, status=EntryStatus.FAILED, reason="no such mailbox")
    address = address_of_all(log, decision)
    page = words(admin.get(address))
    assert question in page
    assert button in page
    assert "Type 3 to confirm" in page

    page = words(admin.post(address, {"typed": "3"}, follow=True))

    assert ": 3." in page
    assert (statuses(log), statuses(other)) == (after, {"unknown": 1})
    assert Activity.objects.get().did == did.format(log.pk)


@pytest.mark.parametrize("decision", ["again", "arrived"])
def test_a_second_tap_finds_nothing_in_doubt(admin, decision):
    log = in_doubt(2)
    address = address_of_all(log, decision)
    admin.post(address, {"typed": "2"})
    after = statuses(log)

    page = words(admin.post(address, {"typed": "2"}, follow=True))

    assert "Nothing is in doubt there any more." in page
    assert statuses(log) == after
    assert Activity.objects.count() == 1
    assert "Nothing is in doubt there any more" in words(admin.get(address))


@pytest.mark.parametrize("decision", ["again", "arrived"])
@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ("", 400, "Type the number to confirm it."),
        ("all", 400, "Type the number with digits."),
        ("-1", 400, "That is another number."),
        ("2", 409, "3 letters are in doubt, and not 2. Nothing was decided."),
    ],
)
def test_another_number_decides_nothing(admin, decision, typed, status, sentence):
    log = in_doubt(3)

    response = admin.post(address_of_all(log, decision), {"typed": typed})

    assert response.status_code == status
    assert sentence in words(response)
    assert f'value="{typed}"' in words(response) or not typed
    assert statuses(log) == {"unknown": 3}
    assert not Activity.objects.exists()


def test_what_cannot_be_sent_again_is_said_before(admin):
    log = in_doubt(2, status=LogStatus.CANCELLED)

    page = words(admin.get(address_of_all(log, "again")))
    response = admin.post(address_of_all(log, "again"), {"typed": "2"})

    assert "They are not sent again" in page
    assert WHY_NOT["cancelled"] in page
    assert "Type 2" not in page
    assert response.status_code == 409
    assert statuses(log) == {"unknown": 2}


def test_there_is_no_third_decision(admin):
    assert admin.get(address_of_all(in_doubt(), "burn")).status_code == 404


def test_the_number_is_asked_of_the_log_as_it_is_locked():
    """Decided in a service, so that what came meanwhile is seen."""
    log = in_doubt(2)

    with pytest.raises(steering.Refused, match="2 letters are in doubt, and not 1"):
        steering.take_all_as_arrived(log, seen=1)

    assert statuses(log) == {"unknown": 2}
