"""Asking those who have not answered: whom, once for each start, and what the page says."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, Subscription, Workshop
from invitations import mails
from invitations.models import Answer
from invitations.queries import nudges
from invitations.services import inviting, nudging, preparing, rsvps
from logs.models import Action, Activity, Audience, EntryStatus, InvitationLog, LogStatus
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    WorkshopFactory,
    in_days,
    organiser_of,
)
from tests.support.here import send_here, send_once_here
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


def silent(workshop: Workshop, answer: Answer = Answer.NONE, **fields) -> Member:
    """Somebody whose invitation left and who gave this answer, or none."""
    invitation = InvitationFactory(workshop=workshop, answer=answer, **fields)
    InvitationLogEntryFactory(
        log__workshop=workshop,
        log__audience=f"other{invitation.pk}",
        log__status=LogStatus.COMPLETED,
        member=invitation.member,
        status=EntryStatus.SUCCESS,
    )
    return invitation.member


def nudged(workshop: Workshop, **changes) -> InvitationLog:
    fields = {"initiator": MemberFactory(), "at": timezone.now(), "request_key": uuid4()}
    return nudging.nudge(workshop, **fields | changes)


def outcomes(log: InvitationLog) -> dict[str, tuple[str, str]]:
    return {
        entry.member.email: (entry.status, entry.reason)
        for entry in log.entries.select_related("member")
    }


# ---- Whom ----------------------------------------------------------------------------------


def test_the_silent_are_asked_and_nobody_else(station):
    workshop = WorkshopFactory()
    asked = [silent(workshop), silent(workshop, role=Role.COACH)]
    for answer in (Answer.ATTENDING, Answer.WAITING, Answer.DECLINED):
        silent(workshop, answer)
    InvitationFactory(workshop=workshop)  # whose letter never left
    turned_away = [silent(workshop), silent(workshop)]
    BanFactory(member=turned_away[0])
    Subscription.objects.filter(member=turned_away[1]).delete()

    log = nudged(workshop)
    send_here(log)

    assert station.sink.recipients == {member.email: 1 for member in asked}
    assert (log.action, log.audience, log.occasion) == (
        Action.NUDGE,
        Audience.UNANSWERED,
        f"{workshop.starts_at:%Y-%m-%dT%H:%M:%SZ}",
    )
    for letter in station.sink.letters:
        assert letter.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_once_for_each_start_over_all_logs(station):
    workshop = WorkshopFactory()
    first = silent(workshop)
    send_here(nudged(workshop))
    second = silent(workshop)

    log = nudged(workshop)
    send_here(log)

    assert outcomes(log) == {
        first.email: (EntryStatus.SKIPPED, "has this letter already"),
        second.email: (EntryStatus.SUCCESS, ""),
    }
    with pytest.raises(nudging.Nobody):
        nudged(workshop)


def test_a_workshop_that_moved_may_be_asked_about_again(station):
    workshop = WorkshopFactory()
    member = silent(workshop)
    send_here(nudged(workshop))
    Workshop.objects.update(starts_at=in_days(20), ends_at=in_days(21))

    send_here(nudged(workshop))

    assert station.sink.recipients == {member.email: 2}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda i: rsvps.decline(i, at=timezone.now()), "has given another answer since"),
        (lambda i: BanFactory(member=i.member), "is banned"),
        (lambda i: i.member.subscriptions.all().delete(), "is no longer subscribed"),
        (
            lambda _: Workshop.objects.update(rsvp_closes_at=timezone.now()),
            "Answers are closed.",
        ),
        (
            lambda _: Workshop.objects.update(starts_at=in_days(20), ends_at=in_days(21)),
            "The workshop has moved since.",
        ),
    ],
)
def test_at_the_claim_it_counts_what_is_true_then(station, change, reason):
    workshop = WorkshopFactory()
    member = silent(workshop)
    log = nudged(workshop)
    preparing.prepare(log.pk)
    change(member.invitations.get())

    send_once_here()

    assert outcomes(log) == {member.email: (EntryStatus.SKIPPED, reason)}
    sent = [str(letter.message["Subject"]) for letter in station.sink.letters]
    assert [subject for subject in sent if subject.startswith("Can you come")] == []


def test_the_numbers_say_who_is_left_out_and_why(station):
    workshop = WorkshopFactory()
    silent(workshop)
    send_here(nudged(workshop))
    silent(workshop)
    BanFactory(member=silent(workshop))

    reach = nudges.reach(workshop)

    assert (reach.subscribers, reach.to_invite) == (3, 1)
    assert reach.left_out == [("is banned", 1), ("has been asked already", 1)]


# ---- When not ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cancelled": True}, "This workshop is cancelled, so nobody can be invited."),
        (
            {"starts_at": in_days(-1)},
            "This workshop has already begun, so nobody can be invited.",
        ),
        (
            {"rsvp_closes_at": in_days(-1)},
            "Answers are closed, so nobody can be invited or asked any more.",
        ),
    ],
)
def test_nobody_is_asked_who_could_not_answer(changes, message):
    workshop = WorkshopFactory(**changes)
    silent(workshop)

    with pytest.raises(inviting.Refused) as refusal:
        nudged(workshop)

    assert refusal.value.message == message
    assert not InvitationLog.objects.filter(action=Action.NUDGE).exists()


def test_the_same_form_again_finds_the_log_of_the_first_time():
    workshop = WorkshopFactory()
    silent(workshop)
    key = uuid4()

    assert nudged(workshop, request_key=key) == nudged(workshop, request_key=key)


def test_while_they_are_being_asked_a_second_organiser_is_told():
    workshop = WorkshopFactory()
    silent(workshop)
    log = nudged(workshop)

    with pytest.raises(nudging.AlreadyAsking) as refusal:
        nudged(workshop)

    assert refusal.value.log == log


@pytest.mark.django_db(transaction=True)
def test_two_organisers_at_the_same_moment_make_one_log():
    workshop = WorkshopFactory()
    silent(workshop)
    organisers = MemberFactory.create_batch(4)

    def ask(organiser: Member) -> bool:
        try:
            nudged(workshop, initiator=organiser)
        except nudging.AlreadyAsking:
            return False
        return True

    made = at_once(*[lambda organiser=organiser: ask(organiser) for organiser in organisers])

    assert sum(made) == 1
    assert InvitationLog.objects.filter(action=Action.NUDGE).count() == 1


# ---- The page ------------------------------------------------------------------------------


@pytest.fixture
def workshop():
    return WorkshopFactory()


@pytest.fixture
def page(workshop):
    return reverse("nudge", args=[workshop.pk])


@pytest.fixture
def organiser(client, workshop) -> Client:
    client.force_login(organiser_of(workshop.chapter))
    return client


def test_the_page_shows_whom_it_asks_and_changes_nothing(organiser, workshop, page):
    silent(workshop)
    silent(workshop)

    response = organiser.get(page)

    text = " ".join(response.content.decode().split())
    assert "2 people can be asked for an answer" in text
    assert "Ask these 2 people" in text
    assert not InvitationLog.objects.filter(action=Action.NUDGE).exists()


def test_one_click_asks_and_leads_to_the_log(organiser, workshop, page):
    member = silent(workshop)
    form = {"request_key": str(uuid4()), "seen_count": "1"}

    responses = [organiser.post(page, form) for _ in range(2)]

    log = InvitationLog.objects.get(action=Action.NUDGE)
    there = reverse("invitation_log", args=[workshop.pk, log.pk])
    assert [response.headers["Location"] for response in responses] == [there, there]
    heading = "Asking people who have not answered whether they come"
    assert heading in organiser.get(there).content.decode()
    assert [(a.did, a.workshop) for a in Activity.objects.all()] == [
        ("asked those who had not answered", workshop)
    ]
    preparing.prepare(log.pk)
    assert outcomes(log) == {member.email: (EntryStatus.PENDING, "")}


def test_far_more_than_the_page_named_are_not_written_to(organiser, workshop, page):
    for _ in range(4):
        silent(workshop)
    organiser.post(page, {"request_key": str(uuid4()), "seen_count": "1"})
    log = InvitationLog.objects.get(action=Action.NUDGE)

    preparing.prepare(log.pk)

    log.refresh_from_db()
    assert log.status == LogStatus.FAILED
    assert "The page promised letters to 1 people, and 4 would have" in log.reason


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"seen_count": "many"}, "We could not read how many people you saw."),
        ({"request_key": "x"}, "This form was changed on its way. Open the page again."),
    ],
)
def test_bad_input_is_told_and_asks_nobody(organiser, workshop, page, form, sentence):
    silent(workshop)

    response = organiser.post(page, form)

    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not InvitationLog.objects.filter(action=Action.NUDGE).exists()


@pytest.mark.parametrize("seen", [{"seen_count": "3"}, {}], ids=["told", "not told"])
def test_very_many_are_asked_only_when_their_number_is_typed(
    organiser, workshop, page, settings, seen
):
    settings.GUARD_SIZE = 2
    for _ in range(3):
        silent(workshop)
    form = {"request_key": str(uuid4())} | seen

    assert "Type 3 to confirm" in organiser.get(page).content.decode()
    for typed, sentence in (
        ("", "Type the number to confirm it."),
        ("2", "That is another number."),
    ):
        asked = organiser.post(page, form | {"typed": typed})
        assert asked.status_code == 409
        assert sentence in asked.content.decode()
    assert not InvitationLog.objects.filter(action=Action.NUDGE).exists()

    organiser.post(page, form | {"typed": "3"})

    assert InvitationLog.objects.get(action=Action.NUDGE).seen_count == 3


def test_a_number_far_above_those_who_are_there_does_not_blind_the_guard(organiser, workshop, page):
    silent(workshop)

    response = organiser.post(page, {"request_key": str(uuid4()), "seen_count": "51"})

    assert response.status_code == 409
    assert "You saw 51 people, and now they are 1." in response.content.decode()
    assert not InvitationLog.objects.filter(action=Action.NUDGE).exists()


def test_with_nobody_to_ask_the_page_says_so_and_offers_no_button(organiser, page):
    text = organiser.get(page).content.decode()

    assert "There is nobody left to ask" in text
    assert 'method="post">\n' not in text.split("<main")[1]
    assert organiser.post(page).status_code == 409


def test_a_cancelled_workshop_says_so(organiser, workshop, page):
    silent(workshop)
    Workshop.objects.update(cancelled_at=timezone.now())

    text = organiser.get(page).content.decode()

    assert "Nobody can be asked now" in text
    assert "This workshop is cancelled" in text
    assert organiser.post(page).status_code == 409


@pytest.mark.parametrize("role", Role)
def test_the_letter_can_be_read_before(organiser, workshop, role):
    response = organiser.get(reverse("nudge_letter", args=[workshop.pk, role.value]))

    text = response.content.decode()
    assert ("we invited you to coach at our workshop" in text) == (role == Role.COACH)
    assert "Hello Amina" in text
    assert organiser.get(reverse("nudge_letter", args=[workshop.pk, "x"])).status_code == 404


@pytest.mark.parametrize("people", [1, 3])
def test_the_page_asks_as_often_whatever_the_number_of_people(
    organiser, workshop, page, people, django_assert_num_queries
):
    for _ in range(people):
        silent(workshop)

    with django_assert_num_queries(7):
        organiser.get(page)


def test_the_words_of_the_letter():
    workshop = WorkshopFactory(
        starts_at=timezone.now().replace(year=2026, month=12, day=9, hour=18, minute=30),
        rsvp_closes_at=timezone.now().replace(year=2026, month=12, day=9, hour=12, minute=0),
    )
    draft = mails.draft(
        workshop, action=Action.NUDGE, role=Role.STUDENT, audience=Audience.UNANSWERED
    )

    assert draft.subject == "Can you come on Wednesday 9 December?"
    for text in (draft.html, " ".join(draft.text.split())):
        assert "we do not know yet whether you can come" in text
        assert "You can answer until 12:00 on Wednesday 9 December." in text
        assert "We do not ask again." in text
