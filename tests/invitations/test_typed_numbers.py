"""R21 and X17: where a batch is far beyond what is usual, somebody types its number first."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from chapters.models import Subscription, Workshop
from invitations.queries import sizes
from logs.models import Action, Activity, Audience, EntryStatus, InvitationLog, LogStatus
from tests.factories import (
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
)

pytestmark = pytest.mark.django_db

KEY = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(autouse=True)
def nobody_is_few(monkeypatch):
    """So that a handful of people can be far more than usual."""
    monkeypatch.setattr(sizes, "FEW", 1)


def sent_before(workshop: Workshop, letters: int, **fields: object) -> InvitationLog:
    """An earlier invitation of this chapter, for which so many letters were confirmed."""
    log: InvitationLog = InvitationLogFactory(
        workshop=WorkshopFactory(chapter=workshop.chapter),
        **{"status": LogStatus.COMPLETED, "seen_count": letters} | fields,
    )
    return log


def invite(client, workshop: Workshop, **form: object):
    return client.post(f"{reverse('invite', args=[workshop.pk])}?for=students", form)


def words(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def workshop() -> Workshop:
    """Of a chapter with four students that wrote to two of them before."""
    workshop: Workshop = WorkshopFactory(chapter=chapter_with(students=4, name="Here"))
    sent_before(workshop, 2)
    return workshop


@pytest.fixture
def organiser(client, workshop):
    client.force_login(organiser_of(workshop.chapter))
    return client


# ---- What is usual -------------------------------------------------------------------------


def test_the_usual_is_the_largest_invitation_of_this_audience_in_this_chapter(workshop):
    chapter = workshop.chapter
    sent_before(workshop, 1)  # a top-up does not make it smaller
    sent_before(workshop, 5, audience=Audience.EVERYONE)
    sent_before(workshop, 6, action=Action.NUDGE)
    sent_before(workshop, 7, status=LogStatus.RUNNING)
    sent_before(WorkshopFactory(chapter=chapter_with()), 8)

    assert sizes.largest_batch(chapter, Audience.STUDENTS) == 2
    assert sizes.largest_batch(chapter, Audience.EVERYONE) == 5
    assert sizes.largest_batch(chapter, Audience.COACHES) is None


def test_what_is_usual_is_one_number_of_a_log_and_no_letter_is_counted(
    workshop, django_assert_num_queries
):
    log = sent_before(workshop, 3)
    InvitationLogEntryFactory.create_batch(9, log=log, status=EntryStatus.SUCCESS)
    sent_before(workshop, 0, seen_count=None)  # of the schedule, which confirms none

    with django_assert_num_queries(1) as asked:
        assert sizes.largest_batch(workshop.chapter, Audience.STUDENTS) == 3
    assert "logs_invitationlogentry" not in asked[0]["sql"]


@pytest.mark.parametrize(
    ("letters", "is_asked"), [(2, False), (3, False), (4, True), (7, True), (8, True)]
)
def test_it_is_asked_beyond_one_and_a_half_times_the_usual_and_beyond_the_size(
    workshop, settings, letters, is_asked
):
    settings.GUARD_SIZE = 7

    why = sizes.why_type(workshop.chapter, Audience.STUDENTS, letters=letters)

    assert bool(why) == is_asked
    assert ("never sent more than 2 letters to students" in why) == (letters in (4, 7))
    assert ("More than 7 letters leave only" in why) == (letters == 8)


def test_without_a_batch_before_only_the_size_counts(settings):
    settings.GUARD_SIZE = 100
    chapter = chapter_with()

    assert sizes.why_type(chapter, Audience.STUDENTS, letters=100) == ""
    assert sizes.why_type(chapter, Audience.STUDENTS, letters=101)


def test_a_few_letters_are_never_asked_about(workshop, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(sizes, "FEW", 4)

    with django_assert_num_queries(0):
        assert sizes.why_type(workshop.chapter, Audience.STUDENTS, letters=4) == ""


@pytest.mark.parametrize("batches", [1, 3])
def test_it_asks_once_whatever_was_sent_before(workshop, django_assert_num_queries, batches):
    for _ in range(batches):
        sent_before(workshop, 3)

    with django_assert_num_queries(1):
        sizes.why_type(workshop.chapter, Audience.STUDENTS, letters=10)


# ---- On the page ---------------------------------------------------------------------------


def test_the_page_asks_for_the_number_beside_its_button_alone(organiser, workshop):
    page = words(organiser.get(reverse("send_invites", args=[workshop.pk])))

    assert page.count("to confirm") == 1
    assert 'for="id_students-typed"> Type 4 to confirm </label>' in page
    assert "codebar Here has never sent more than 2 letters to students at once." in page
    assert "required" not in page[page.index("students-typed") :].split(">")[0]


def test_a_usual_number_is_sent_with_one_click(client):
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    sent_before(workshop, 2)
    client.force_login(organiser_of(workshop.chapter))

    assert "to confirm" not in words(client.get(reverse("send_invites", args=[workshop.pk])))
    assert invite(client, workshop, seen_count=3).status_code == 302


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type the number to confirm it."),
        ("3", "That is another number."),
        ("four", "Type the number with digits."),
        ("-4", "That is another number."),
        ("4" * 30, "That is another number."),
        ("4\x00", "Type the number with digits."),
    ],
)
@pytest.mark.parametrize("seen", [{"seen_count": "4"}, {}], ids=["told", "not told"])
def test_without_the_right_number_nobody_is_invited_and_what_was_typed_stays(
    organiser, workshop, typed, sentence, seen
):
    before = InvitationLog.objects.count()

    response = invite(organiser, workshop, **seen, **{"students-typed": typed, "note": "Pizza!"})

    assert response.status_code == 409
    page = words(response)
    assert "Nobody was written to yet. That is far more than usual" in page
    assert "Type 4 to write to them." in page
    assert sentence in page
    assert "Pizza!</textarea>" in page
    assert InvitationLog.objects.count() == before


@pytest.mark.parametrize("typed", ["4", " 4 ", "0,004"])
def test_with_the_number_they_are_invited_once_and_it_is_noted(organiser, workshop, typed):
    form = {"seen_count": "4", "students-typed": typed, "request_key": KEY}

    first = invite(organiser, workshop, **form)
    second = invite(organiser, workshop, **form)

    log = InvitationLog.objects.latest("pk")
    assert first["Location"] == second["Location"]
    assert first["Location"] == reverse("invitation_log", args=[workshop.pk, log.pk])
    assert (log.seen_count, log.audience) == (4, Audience.STUDENTS)
    assert Activity.objects.get().did == "typed 4 and invited students"


def button(client, workshop: Workshop, audience: str = "students") -> dict[str, str]:
    """The number that the page has sealed for this button."""
    page = client.get(reverse("send_invites", args=[workshop.pk])).content.decode()
    found = re.search(rf"for={audience}&amp;seen_count=(\d+)&amp;seal=([\w-]+)", page)
    return {"seen_count": found[1], "seal": found[2]}


def seen_by_the_log(client, workshop: Workshop, **form: object) -> int:
    invite(client, workshop, **{"students-typed": form["seen_count"]} | form)
    return InvitationLog.objects.latest("pk").seen_count


def test_a_number_that_a_page_has_named_is_believed_whoever_left_since(organiser, workshop):
    told = button(organiser, workshop)
    assert told["seen_count"] == "4"
    Subscription.objects.filter(group__role="student").earliest("pk").delete()

    assert seen_by_the_log(organiser, workshop, **told) == 4


HOW = ["no seal", "forged", "not even text", "raised", "of another button", "elsewhere"]


@pytest.mark.parametrize("how", HOW)
def test_a_number_told_too_high_is_not_believed(organiser, workshop, how):
    other = WorkshopFactory(chapter=workshop.chapter)
    told = {
        "no seal": {"seen_count": "400"},
        "forged": {"seen_count": "400", "seal": "x" * 43},
        "not even text": {"seen_count": "400", "seal": "\0é"},
        "raised": button(organiser, workshop) | {"seen_count": "400"},
        "of another button": button(organiser, workshop, "everyone") | {"seen_count": "400"},
        "elsewhere": button(organiser, other),
    }[how]
    if how == "elsewhere":
        Subscription.objects.filter(group__role="student").earliest("pk").delete()
    now = 3 if how == "elsewhere" else 4

    invite(organiser, workshop, **told | {"students-typed": str(now)})

    assert InvitationLog.objects.latest("pk").seen_count == now


def test_a_number_told_too_low_promises_no_more_than_that(organiser, workshop):
    assert seen_by_the_log(organiser, workshop, seen_count="2") == 2


def test_the_number_of_one_button_does_not_open_another(organiser, workshop):
    response = invite(organiser, workshop, seen_count="4", **{"everyone-typed": "4"})

    assert response.status_code == 409


# ---- On the command line -------------------------------------------------------------------


def test_the_command_asks_for_the_number_and_says_how(workshop):
    organiser = organiser_of(workshop.chapter)
    before = InvitationLog.objects.count()

    with pytest.raises(CommandError, match=r"far more than usual.*Add --yes-to 4 if you mean them"):
        call_command("invite", str(workshop.pk), "students", initiator=organiser.email)
    with pytest.raises(CommandError, match="4 people would be written to, and not 5"):
        call_command(
            "invite", str(workshop.pk), "students", "--yes-to", "5", initiator=organiser.email
        )

    assert InvitationLog.objects.count() == before
    call_command("invite", str(workshop.pk), "students", "--yes-to", "4", initiator=organiser.email)
    assert InvitationLog.objects.latest("pk").seen_count == 4


def test_the_command_needs_no_number_for_what_is_usual():
    workshop = WorkshopFactory(chapter=chapter_with(students=4))

    call_command("invite", str(workshop.pk), "students", initiator=MemberFactory().email)

    assert InvitationLog.objects.get().seen_count == 4
