"""The page of a log from which organisers say sorry, or put something right."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from invitations.services import preparing, repairing
from logs.models import Action, Activity, EntryStatus, InvitationLog, LogStatus
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    organiser_of,
)

pytestmark = pytest.mark.django_db

KEY = "11111111-2222-4333-8444-555555555555"
TYPED = {
    "action": "apology",
    "statuses": ["success"],
    "text": "The address was wrong.\r\n\r\nIt is 1 Example Street.",
    "request_key": KEY,
}


@pytest.fixture
def about() -> InvitationLog:
    """Three got their letter, one is in doubt, one failed."""
    log: InvitationLog = InvitationLogFactory(status=LogStatus.COMPLETED)
    for status in (*["success"] * 3, "unknown", "failed"):
        person(log, EntryStatus(status))
    return log


def person(log: InvitationLog, status: EntryStatus) -> Member:
    member: Member = InvitationFactory(workshop=log.workshop).member
    InvitationLogEntryFactory(log=log, member=member, status=status, doubts=2, reason="x")
    return member


@pytest.fixture
def organiser(about: InvitationLog) -> Client:
    return signed_in(organiser_of(about.chapter))


@pytest.fixture
def admin() -> Client:
    return signed_in(MemberFactory(superuser=True))


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def address(log: InvitationLog, name: str = "repair") -> str:
    return reverse(name, args=[log.workshop_id, log.pk])


def words(response) -> str:
    text = re.sub(r"<[^>]*>", " ", response.content.decode())
    return re.sub(r"(?<=\w) (?=[.,?])", "", " ".join(text.split()))


def hidden_fields(response) -> dict[str, list[str]]:
    """What the page sends along with its button, as a browser reads it."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", response.content.decode()):
        if 'type="hidden"' in tag and "csrf" not in tag:
            name, value = re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
            found.setdefault(name[1], []).append(value[1] if value else "")
    return found


def made(about: InvitationLog) -> list[InvitationLog]:
    return list(InvitationLog.objects.filter(about=about).order_by("pk"))


# ---- From the log to the letter ------------------------------------------------------------


def test_from_the_log_over_the_number_to_the_letter(about, organiser):
    assert f'href="{address(about)}"' in page_of(about, organiser)

    written = organiser.get(address(about))
    assert [n in words(written) for n in ("sent (3)", "in doubt (1)", "failed (1)")] == [True] * 3
    assert "cancelled (0)" not in words(written)

    asked = organiser.post(address(about), TYPED)
    assert (asked.status_code, made(about)) == (200, [])
    assert "Say sorry to 3 people?" in words(asked)
    assert f"Sorry for our letter about {about.workshop.local_start:%A %-d %B}" in words(asked)
    assert "<p>The address was wrong.</p>" in asked.content.decode()
    assert hidden_fields(asked)["seen_count"] == ["3"]

    sent = organiser.post(address(about), hidden_fields(asked) | {"send": "yes"})
    (log,) = made(about)
    assert sent.headers["Location"] == address(log, "invitation_log")
    assert (log.action, log.subject, log.note) == (
        Action.APOLOGY,
        "",
        "The address was wrong.\n\nIt is 1 Example Street.",
    )
    assert log.recipients == {"statuses": ["success"]}
    preparing.prepare(log.pk)
    reached = log.entries.filter(status="pending").values("member")
    assert set(about.entries.filter(member__in=reached).values_list("status", flat=True)) == {
        "success"
    }
    assert [(a.did, a.by, a.workshop) for a in Activity.objects.all()] == [
        (f"said sorry to 3 people for log {about.pk}", log.initiator, about.workshop)
    ]


def page_of(log: InvitationLog, client: Client) -> str:
    return client.get(address(log, "invitation_log")).content.decode()


def test_a_double_tap_is_one_letter_and_leads_to_it(about, organiser):
    answers = [
        organiser.post(address(about), TYPED | {"send": "yes", "seen_count": "3"}) for _ in range(2)
    ]

    (log,) = made(about)
    assert [a.headers["Location"] for a in answers] == [address(log, "invitation_log")] * 2


def test_what_was_typed_can_be_changed_again(about, organiser):
    asked = organiser.post(address(about), TYPED | {"action": "correction", "subject": "Seven"})
    assert "Correct it for 3 people?" in words(asked)
    assert "Seven" in words(asked)

    page = organiser.post(address(about), hidden_fields(asked) | {"change": "yes"})

    assert page.status_code == 200
    form = page.context["form"]
    assert (form["subject"].value(), form["action"].value()) == ("Seven", "correction")
    assert (form["statuses"].value(), form["request_key"].value()) == (["success"], KEY)
    assert "It is 1 Example Street." in page.content.decode()
    assert made(about) == []


def test_whoever_gets_none_is_counted_with_the_reason_before_it_leaves(about, organiser):
    BanFactory(member=about.entries.filter(status="success").first().member)

    asked = words(organiser.post(address(about), TYPED))

    assert "Say sorry to 2 people?" in asked
    assert "1 of those you chose gets none 1 is banned" in asked


def test_the_log_and_its_apology_name_each_other(about, organiser):
    organiser.post(address(about), TYPED | {"send": "yes", "seen_count": "3"})
    (log,) = made(about)

    first, second = page_of(about, organiser), page_of(log, organiser)

    assert "Said about it since" in first
    assert f'<a href="{address(log, "invitation_log")}">Apology about log {about.pk}</a>' in first
    assert f"<h1>Apology about log {about.pk}</h1>" in second
    assert (
        f'It goes to people of <a href="{address(about, "invitation_log")}">Inviting students</a>.'
        in second
    )


def test_the_letter_can_be_looked_at_while_it_is_written(about, organiser):
    empty = organiser.get(address(about, "repair_letter")).content.decode()
    assert "Sorry for our letter about" in empty
    assert "What you write is here." in empty

    typed = {"action": "correction", "subject": "Seven", "text": "<b>At seven.</b>"}
    page = organiser.post(address(about, "repair_letter"), typed)
    assert "&lt;b&gt;At seven.&lt;/b&gt;" in page.content.decode()
    assert "See the workshop" in words(page)
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert made(about) == []


@pytest.mark.parametrize("people", [1, 3])
def test_the_pages_ask_as_often_however_many_there_are(organiser, about, people):
    for _ in range(people * 3):
        person(about, EntryStatus.SUCCESS)
    queries = []
    for ask in (organiser.get, organiser.post):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            ask(address(about), TYPED)
        queries.append(len(captured))
    assert queries == [6, 8]


# ---- What is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"action": ""}, "Choose whether you say sorry or correct something."),
        ({"action": "invite"}, "Choose whether you say sorry or correct something."),
        ({"statuses": []}, "Choose whom to write to."),
        (
            {"statuses": ["delivered"]},
            "delivered is no outcome. Choose from success, unknown, failed, skipped, cancelled.",
        ),
        ({"text": " "}, "Write what you have to say."),
        ({"text": "x" * 5001}, "5000 fit; please shorten."),
        ({"subject": "One\nTwo"}, "A subject is one line."),
        ({"request_key": "no"}, ""),
    ],
)
@pytest.mark.parametrize("button", [{}, {"send": "yes", "seen_count": "3"}])
def test_what_cannot_be_read_comes_back_with_what_was_typed(
    about, organiser, changes, says, button
):
    page = organiser.post(address(about), TYPED | {"subject": "Kept"} | changes | button)

    assert page.status_code == 400
    assert says in words(page)
    assert "Kept" in page.content.decode() or "subject" in changes
    assert made(about) == []


@pytest.mark.parametrize("button", [{}, {"send": "yes", "seen_count": "1"}])
def test_nobody_is_said_and_nothing_is_done(about, organiser, button):
    page = organiser.post(address(about), TYPED | {"statuses": ["cancelled"]} | button)

    assert page.status_code == 409
    assert f"That is nobody in log {about.pk}. Nobody is written to." in words(page)
    assert "It is 1 Example Street." in page.content.decode()
    assert made(about) == []


def test_more_people_than_were_seen_are_shown_first(about, organiser):
    page = organiser.post(address(about), TYPED | {"send": "yes", "seen_count": "2"})

    assert page.status_code == 409
    assert "You saw 2 people, and now they are 3. Look again." in words(page)
    assert "Say sorry to 3 people?" in words(page)
    assert hidden_fields(page)["seen_count"] == ["3"]
    assert made(about) == []


@pytest.mark.parametrize("seen", [{}, {"seen_count": ""}, {"seen_count": "many"}])
def test_without_a_number_that_was_seen_nothing_leaves(about, organiser, seen):
    page = organiser.post(address(about), TYPED | {"send": "yes"} | seen)

    assert page.status_code == 200
    assert "Say sorry to 3 people?" in words(page)
    assert made(about) == []


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Type the number to confirm it."),
        ("2", "That is another number."),
        ("all", "Type the number with digits."),
    ],
)
def test_very_many_leave_only_when_their_number_is_typed(about, organiser, settings, typed, says):
    settings.GUARD_SIZE = 2
    asked = organiser.post(address(about), TYPED)
    assert "Type 3 to confirm" in words(asked)
    assert "field-error" not in asked.content.decode()
    click = hidden_fields(asked) | {"send": "yes"}

    page = organiser.post(address(about), click | {"typed": typed})
    assert (page.status_code, made(about)) == (409, [])
    assert says in words(page)

    organiser.post(address(about), click | {"typed": "3"})
    assert len(made(about)) == 1


@pytest.mark.parametrize("status", ["scheduled", "preparing", "running"])
def test_a_log_that_still_sends_offers_nothing_and_says_why(about, organiser, status):
    InvitationLog.objects.filter(pk=about.pk).update(status=status, send_at="2027-01-01T00:00Z")

    assert address(about) not in page_of(about, organiser)
    page = organiser.get(address(about))
    assert repairing.StillSending.message in words(page)
    assert "<textarea" not in page.content.decode()
    assert organiser.post(address(about), TYPED).status_code == 409


def test_a_test_letter_and_a_log_with_nobody(about, organiser):
    empty = InvitationLogFactory(workshop=about.workshop, audience="coaches", status="completed")
    test = InvitationLogFactory(
        workshop=about.workshop, audience="people", action=Action.TEST, status="completed"
    )

    assert "Nobody is in this log" in words(organiser.get(address(empty)))
    assert address(test) not in page_of(test, organiser)


# ---- Named people --------------------------------------------------------------------------


def test_an_admin_names_people_whatever_became_of_their_letter(about, admin):
    failed = about.entries.get(status="failed").member
    sent = about.entries.filter(status="success").first().member
    people = f" {failed.pk}\r\n{sent.email.upper()};{sent.pk},\r\n"

    asked = admin.post(address(about), TYPED | {"people": people})
    assert "Say sorry to 2 people?" in words(asked)
    admin.post(address(about), hidden_fields(asked) | {"send": "yes"})

    (log,) = made(about)
    assert log.recipients["members"] == sorted([failed.pk, sent.pk])


def test_unknown_people_are_named_and_nobody_is_written_to_until_they_are_gone(about, admin):
    stranger = MemberFactory()
    known = about.entries.filter(status="success").first().member
    people = f"{known.pk}\n{stranger.email}\n<b>\n{10**30}"

    page = admin.post(address(about), TYPED | {"people": people, "send": "yes", "seen_count": "9"})

    assert (page.status_code, made(about)) == (400, [])
    assert f"Not in this log: {stranger.email}, &lt;b&gt;, {10**30}." in words(page)
    assert f"{known.pk}\n{stranger.email}" in page.content.decode().replace("\r", "")


def test_an_organiser_names_nobody_one_by_one(about, organiser):
    one = about.entries.filter(status="success").first().member

    assert 'name="people"' not in organiser.get(address(about)).content.decode()
    assert "Say sorry to 3 people?" in words(
        organiser.post(address(about), TYPED | {"people": str(one.pk)})
    )


def test_the_key_of_another_log_makes_nothing_of_this_one(about, organiser):
    other = InvitationLogFactory(
        workshop=about.workshop, audience="coaches", status="completed", request_key=UUID(KEY)
    )
    organiser.post(address(about), TYPED | {"send": "yes", "seen_count": "3"})

    (log,) = made(about)
    assert log != other
