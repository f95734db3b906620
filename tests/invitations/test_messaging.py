"""Writing to the people of one workshop: whom, what, how often, and who may."""

from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Subscription, Workshop
from invitations.models import Answer
from invitations.queries import audiences
from invitations.services import messaging, preparing
from invitations.services.inviting import Refused
from logs.models import (
    Action,
    Activity,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from members.models import Member
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    WorkshopFactory,
    organiser_of,
)

pytestmark = pytest.mark.django_db

KEY = UUID("11111111-2222-4333-8444-555555555555")
MESSAGE = {"subject": "Bring a scarf", "text": "The heating is off."}


def somebody(workshop: Workshop, answer: Answer = Answer.NONE, **fields) -> Member:
    """Somebody whose invitation left and who gave this answer."""
    invitation = InvitationFactory(workshop=workshop, answer=answer, **fields)
    InvitationLogEntryFactory(
        log__workshop=workshop,
        log__audience=f"other{invitation.pk}",
        log__status=LogStatus.COMPLETED,
        member=invitation.member,
        status=EntryStatus.SUCCESS,
    )
    return invitation.member


def written_to(workshop: Workshop, audience: str, **changes) -> InvitationLog:
    fields = {
        "initiator": MemberFactory(),
        "at": timezone.now(),
        "request_key": uuid4(),
        **MESSAGE,
    }
    return messaging.write_to(workshop, audience=audience, **fields | changes)


def told(workshop: Workshop, tell=messaging.tell_change, *, include_unanswered=True):
    return tell(
        workshop,
        initiator=MemberFactory(),
        include_unanswered=include_unanswered,
        at=timezone.now(),
    )


def waiting_for(log: InvitationLog) -> set[Member]:
    return {entry.member for entry in log.entries.filter(status=EntryStatus.PENDING)}


# ---- Whom ----------------------------------------------------------------------------------


def test_each_audience_is_those_who_gave_that_answer():
    workshop = WorkshopFactory()
    coming, waiting = (somebody(workshop, a) for a in (Answer.ATTENDING, Answer.WAITING))
    silent, declined = somebody(workshop), somebody(workshop, Answer.DECLINED)
    somebody(WorkshopFactory(chapter=workshop.chapter), Answer.ATTENDING)

    found = {a: set(audiences.audience_of(workshop, a)) for a in messaging.AUDIENCES}

    assert found == {
        Audience.ATTENDING: {coming},
        Audience.WAITING: {waiting},
        Audience.UNANSWERED: {silent},
    }
    assert declined not in set().union(*found.values())


@pytest.mark.parametrize(
    ("status", "is_asked"),
    [
        (EntryStatus.SUCCESS, True),
        (EntryStatus.UNKNOWN, True),
        (EntryStatus.PENDING, False),
        (EntryStatus.FAILED, False),
        (EntryStatus.CANCELLED, False),
    ],
)
def test_nobody_is_asked_for_an_answer_whose_invitation_never_left(status, is_asked):
    invitation = InvitationFactory()
    InvitationLogEntryFactory(
        log__workshop=invitation.workshop, member=invitation.member, status=status
    )

    reach = audiences.reach(invitation.workshop, Audience.UNANSWERED)

    assert (reach.subscribers, reach.to_invite) == (int(is_asked), int(is_asked))


def test_whoever_turned_away_is_not_asked_again_but_a_guest_is_told_of_their_place():
    workshop = WorkshopFactory()
    reasons = {
        "closed the account": {"closed_at": timezone.now()},
        "has not accepted the terms": {"accepted_terms_at": None},
        "has an address we cannot use": {"address_unusable_at": timezone.now()},
    }
    for answer in (Answer.NONE, Answer.ATTENDING):
        for change in reasons.values():
            Member.objects.filter(pk=somebody(workshop, answer).pk).update(**change)
        BanFactory(member=somebody(workshop, answer))
        Subscription.objects.filter(member=somebody(workshop, answer)).delete()

    silent = audiences.reach(workshop, Audience.UNANSWERED)
    coming = audiences.reach(workshop, Audience.ATTENDING)

    assert silent.left_out == [
        ("closed the account", 1),
        ("is banned", 1),
        ("has not accepted the terms", 1),
        ("has an address we cannot use", 1),
        ("is no longer subscribed", 1),
    ]
    assert silent.to_invite == 0
    assert coming.left_out == [("closed the account", 1), ("has an address we cannot use", 1)]
    assert coming.to_invite == 3


@pytest.mark.parametrize("size", [1, 20])
def test_the_numbers_cost_one_statement_whatever_their_size(size, django_assert_num_queries):
    workshop = WorkshopFactory()
    for _ in range(size):
        somebody(workshop)

    with django_assert_num_queries(1):
        assert audiences.reach(workshop, Audience.UNANSWERED).to_invite == size


# ---- A message -----------------------------------------------------------------------------


def test_a_message_is_a_log_like_any_other():
    workshop = WorkshopFactory()
    coming = somebody(workshop, Answer.ATTENDING)
    unreachable = somebody(workshop, Answer.ATTENDING, member__unreachable=True)
    somebody(workshop, Answer.WAITING)
    organiser = MemberFactory()

    log = written_to(workshop, Audience.ATTENDING, initiator=organiser, seen_count=1)
    preparing.prepare(log.pk)

    log.refresh_from_db()
    assert (log.action, log.audience, log.status, log.initiator) == (
        Action.MESSAGE,
        Audience.ATTENDING,
        LogStatus.RUNNING,
        organiser,
    )
    assert (log.subject, log.note, log.occasion) == (*MESSAGE.values(), str(log.pk))
    assert set(log.entries.values_list("member", "status", "reason", "occasion")) == {
        (coming.pk, "pending", "", str(log.pk)),
        (unreachable.pk, "skipped", "has an address we cannot use", str(log.pk)),
    }
    done = Activity.objects.get()
    assert (done.by, done.did) == (organiser, "wrote to people who are coming")


def test_a_form_that_arrives_twice_sends_one_message_and_another_form_a_second_one():
    workshop = WorkshopFactory()
    somebody(workshop, Answer.ATTENDING)

    first = written_to(workshop, Audience.ATTENDING, request_key=KEY)
    again = written_to(workshop, Audience.ATTENDING, request_key=KEY)
    another = written_to(workshop, Audience.ATTENDING)

    assert first == again
    assert another != first
    assert Activity.objects.count() == 2


def test_the_guard_stops_a_message_to_far_more_people_than_were_seen():
    workshop = WorkshopFactory()
    for _ in range(3):
        somebody(workshop, Answer.ATTENDING)

    log = written_to(workshop, Audience.ATTENDING, seen_count=1)
    preparing.prepare(log.pk)

    log.refresh_from_db()
    assert log.status == LogStatus.FAILED
    assert "promised letters to 1 people, and 3" in log.reason
    assert not log.entries.exists()


def test_the_guard_stops_a_message_to_people_who_were_not_invited(monkeypatch):
    workshop = WorkshopFactory()
    stranger = somebody(WorkshopFactory(), Answer.ATTENDING)
    somebody(workshop, Answer.ATTENDING)
    log = written_to(workshop, Audience.ATTENDING)
    everybody = audiences.audience_of(stranger.invitations.get().workshop, Audience.ATTENDING)
    monkeypatch.setattr(audiences, "audience_of", lambda *_: everybody)

    preparing.prepare(log.pk)

    log.refresh_from_db()
    assert log.status == LogStatus.FAILED
    assert "not invited to this workshop" in log.reason


@pytest.mark.parametrize(
    ("workshop", "audience", "sentence"),
    [
        ({}, "students", "Choose whom to write to."),
        ({}, "", "Choose whom to write to."),
        ({}, "waiting", "nobody is on the waiting list"),
        ({"cancelled": True}, "attending", "is cancelled"),
    ],
)
def test_a_message_is_refused_with_a_sentence(workshop, audience, sentence):
    workshop = WorkshopFactory(**workshop)
    somebody(workshop, Answer.ATTENDING)

    with pytest.raises(Refused) as refusal:
        written_to(workshop, audience)

    assert sentence in refusal.value.message
    assert not InvitationLog.objects.filter(action=Action.MESSAGE).exists()


def test_people_are_thanked_after_the_workshop():
    workshop = WorkshopFactory(past=True)
    guest = somebody(workshop, Answer.ATTENDING)

    log = written_to(workshop, Audience.ATTENDING)
    preparing.prepare(log.pk)

    assert waiting_for(log) == {guest}


# ---- A change and a cancellation -----------------------------------------------------------


def test_a_change_is_told_to_those_who_come_and_wait_and_by_a_tick_to_the_unanswered():
    workshop = WorkshopFactory(sequence=3)
    coming, waiting = (somebody(workshop, a) for a in (Answer.ATTENDING, Answer.WAITING))
    silent = somebody(workshop)

    logs = told(workshop, include_unanswered=True)
    for log in logs:
        preparing.prepare(log.pk)

    assert [(log.audience, log.action, log.occasion) for log in logs] == [
        ("attending", "change", "3"),
        ("waiting", "change", "3"),
        ("unanswered", "change", "3"),
    ]
    assert [waiting_for(log) for log in logs] == [{coming}, {waiting}, {silent}]


def test_without_the_tick_the_unanswered_hear_nothing_and_an_empty_audience_has_no_log():
    workshop = WorkshopFactory()
    somebody(workshop, Answer.ATTENDING)
    somebody(workshop)

    logs = told(workshop, include_unanswered=False)

    assert [log.audience for log in logs] == ["attending"]


@pytest.mark.parametrize("tell", [messaging.tell_change, messaging.tell_cancellation])
def test_telling_twice_writes_to_nobody_twice(tell):
    workshop = WorkshopFactory()
    guest = somebody(workshop, Answer.ATTENDING)
    action = {"tell_change": "change", "tell_cancellation": "cancellation"}[tell.__name__]

    (first,), (again,) = told(workshop, tell), told(workshop, tell)
    preparing.prepare(first.pk)
    InvitationLog.objects.filter(pk=first.pk).update(status=LogStatus.COMPLETED)
    (third,) = told(workshop, tell)
    preparing.prepare(third.pk)

    assert first == again
    assert list(third.entries.values_list("status", "reason")) == [
        ("skipped", "has this letter already")
    ]
    live = InvitationLogEntry.objects.filter(action=action, status=EntryStatus.PENDING)
    assert [entry.member for entry in live] == [guest]


def test_a_second_change_is_told_again():
    workshop = WorkshopFactory()
    guest = somebody(workshop, Answer.ATTENDING)
    preparing.prepare(told(workshop)[0].pk)

    Workshop.objects.filter(pk=workshop.pk).update(sequence=1)
    (log,) = told(workshop)
    preparing.prepare(log.pk)

    assert waiting_for(log) == {guest}


@pytest.mark.parametrize("workshop", [{"past": True}, {"cancelled": True}])
def test_nobody_is_told_of_a_change_of_what_is_over_or_will_not_be(workshop):
    workshop = WorkshopFactory(**workshop)
    somebody(workshop, Answer.ATTENDING)

    assert told(workshop) == []


# ---- The page ------------------------------------------------------------------------------


def page_of(workshop):
    return reverse("write", args=[workshop.pk])


def organising(workshop) -> Client:
    client = Client()
    client.force_login(organiser_of(workshop.chapter))
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def chosen(workshop: Workshop) -> object:
    return organising(workshop).get(page_of(workshop)).context["form"]["audience"].value()


def test_who_can_be_written_to_alone_is_chosen_and_of_several_nobody_is():
    workshop = WorkshopFactory()
    somebody(workshop)
    assert chosen(workshop) == Audience.UNANSWERED

    somebody(workshop, Answer.ATTENDING)
    assert not chosen(workshop)


@pytest.fixture
def evening():
    workshop = WorkshopFactory()
    somebody(workshop, Answer.ATTENDING)
    somebody(workshop, Answer.ATTENDING, member__unreachable=True)
    somebody(workshop)
    return workshop


def sent(**changes):
    return {"audience": "attending", "request_key": str(KEY), "seen_attending": "1"} | (
        MESSAGE | changes
    )


def test_the_page_says_how_many_each_choice_reaches_and_who_gets_none_and_no_address(evening):
    page = words(organising(evening).get(page_of(evening)))

    assert "People who are coming (1)" in page
    assert "People who have not answered (1)" in page
    assert "The waiting list" not in page
    assert "has an address we cannot use" in page
    assert not [
        m.email for m in Member.objects.filter(invitations__isnull=False) if m.email in page
    ]
    assert page.count("btn-primary") == 1


def test_a_choice_can_be_made_by_the_address_of_the_page(evening):
    response = organising(evening).get(page_of(evening), {"to": "unanswered"})

    assert response.context["form"]["audience"].value() == "unanswered"


def test_sending_leads_to_the_log_also_by_a_double_tap(evening):
    client = organising(evening)

    responses = [client.post(page_of(evening), sent()) for _ in range(2)]

    log = InvitationLog.objects.get(action=Action.MESSAGE)
    assert {response["Location"] for response in responses} == {
        reverse("invitation_log", args=[evening.pk, log.pk])
    }
    assert (log.subject, log.note, log.seen_count) == (*MESSAGE.values(), 1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"audience": ""}, "Choose whom to write to."),
        ({"audience": "waiting"}, "There is nobody to write to there now."),
        ({"audience": "students"}, "There is nobody to write to there now."),
        ({"subject": ""}, "required"),
        ({"subject": "Hello\r\nBcc: all@people.example"}, "A subject is one line."),
        ({"subject": "x" * 151}, "That is 151 characters. 150 fit; please shorten."),
        ({"text": " "}, "required"),
        ({"text": "x" * 5001}, "That is 5001 characters. 5000 fit; please shorten."),
        ({"text": "nul \x00"}, "Null characters are not allowed."),
        ({"seen_attending": "many"}, ""),
    ],
)
def test_bad_input_comes_back_with_what_was_typed_and_sends_nothing(evening, changes, sentence):
    response = organising(evening).post(page_of(evening), sent(**changes))

    assert response.status_code == 400
    assert sentence in words(response)
    typed = response.context["form"]
    assert typed["text"].value() == sent(**changes)["text"]
    assert not InvitationLog.objects.filter(action=Action.MESSAGE).exists()


@pytest.mark.parametrize("seen", ["3", ""], ids=["told", "not told"])
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Type the number to confirm it."),
        ({"typed": "2"}, "That is another number."),
        ({"typed": "three"}, "Type the number with digits."),
    ],
)
def test_very_many_get_a_message_only_when_their_number_is_typed(
    evening, settings, seen, typed, sentence
):
    settings.GUARD_SIZE = 2
    for _ in range(2):
        somebody(evening, Answer.ATTENDING)
    client = organising(evening)

    asked = client.post(page_of(evening), sent(seen_attending=seen, **typed))

    assert asked.status_code == 409
    assert "Nobody was written to yet. More than 2 letters leave only when" in words(asked)
    assert "Type 3 to confirm" in words(asked)
    assert sentence in words(asked)
    assert asked.context["form"]["text"].value() == MESSAGE["text"]
    assert not InvitationLog.objects.filter(action=Action.MESSAGE).exists()

    sent_now = client.post(page_of(evening), sent(seen_attending=seen, typed="3"))

    assert sent_now.status_code == 302
    assert InvitationLog.objects.get(action=Action.MESSAGE).seen_count == 3


@pytest.mark.parametrize(("seen", "status"), [("50", 302), ("51", 409), ("1999", 409)])
def test_a_number_far_above_those_who_are_there_does_not_blind_the_guard(evening, seen, status):
    response = organising(evening).post(page_of(evening), sent(seen_attending=seen))

    assert response.status_code == status
    assert ("now they are 1. Nobody was written to." in words(response)) == (status == 409)
    assert InvitationLog.objects.filter(action=Action.MESSAGE).exists() == (status == 302)


def test_a_workshop_without_guests_says_so():
    workshop = WorkshopFactory()
    client = organising(workshop)

    assert "There is nobody to write to yet" in words(client.get(page_of(workshop)))
    assert client.post(page_of(workshop), sent()).status_code == 400


def test_a_cancelled_workshop_says_so(evening):
    Workshop.objects.filter(pk=evening.pk).update(cancelled_at=timezone.now())
    client = organising(evening)

    assert "This workshop is cancelled" in words(client.get(page_of(evening)))
    assert client.post(page_of(evening), sent()).status_code == 409


def test_the_letter_shows_what_was_written_and_changes_nothing(evening):
    address = reverse("write_letter", args=[evening.pk])
    client = organising(evening)

    empty, written = client.get(address), client.post(address, sent(text="<b>Scarves</b>"))

    assert "What you write is here." in words(empty)
    assert "&lt;b&gt;Scarves&lt;/b&gt;" in words(written)
    assert "default-src 'none'" in written["Content-Security-Policy"]
    assert not InvitationLog.objects.filter(action=Action.MESSAGE).exists()


def test_a_test_goes_to_the_organiser_alone_once_a_tap(evening):
    organiser = organiser_of(evening.chapter)
    client = Client()
    client.force_login(organiser)
    address = reverse("write_test", args=[evening.pk])

    first = client.post(address, sent())
    client.post(address, sent())
    client.post(address, sent(request_key=str(first.context["form"]["request_key"].value())))

    tests = InvitationLogEntry.objects.filter(action=Action.TEST)
    assert [(entry.member, entry.status) for entry in tests] == [(organiser, "pending")] * 2
    assert {log.audience for log in InvitationLog.objects.filter(action=Action.TEST)} == {"people"}
    assert first.context["form"]["text"].value() == MESSAGE["text"]
    assert f"on its way to {organiser.email}" in words(first)


@pytest.mark.parametrize("size", [1, 3])
def test_the_page_asks_as_often_whatever_the_number_of_guests(size, django_assert_max_num_queries):
    workshop = WorkshopFactory()
    for answer in (Answer.ATTENDING, Answer.WAITING, Answer.NONE):
        for _ in range(size):
            somebody(workshop, answer)
    client = organising(workshop)

    with django_assert_max_num_queries(8):
        client.get(page_of(workshop))


def test_those_who_get_no_message_are_named(evening):
    response = organising(evening).get(reverse("left_out", args=[evening.pk]), {"for": "attending"})

    assert [member.reason for member in response.context["page"]] == [
        "has an address we cannot use"
    ]
    assert page_of(evening) in words(response)


@pytest.mark.parametrize("name", ["write", "write_letter", "write_test"])
def test_only_whoever_organises_the_workshop_writes_to_its_people(evening, name):
    address = reverse(name, args=[evening.pk])
    of_the_workshop = MemberFactory()
    evening.organisers.add(of_the_workshop)

    def status_for(member: Member) -> int:
        client = Client()
        client.force_login(member)
        return client.post(address, sent()).status_code

    assert status_for(organiser_of(ChapterFactory())) == 404
    assert status_for(MemberFactory()) == 404
    assert Client().post(address, sent())["Location"].startswith(reverse("account_login"))
    assert not InvitationLog.objects.filter(action__in=["message", "test"]).exists()
    assert status_for(of_the_workshop) in {200, 302}
