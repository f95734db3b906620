"""A letter that came back: what the next ones do, and what the member and organisers see."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, Workshop
from invitations.models import Answer, Invitation
from invitations.queries import audiences
from invitations.services import preparing, rsvps
from invitations.services.manager import InvitationManager
from logs.models import Activity, Audience, Bounce, EntryStatus
from members.models import FAILING, Language, Member
from members.services import addresses, joining
from tests.factories import (
    BounceFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)
from tests.support.here import send_here
from tests.support.smtp_sink import SmtpSink

NO_SUCH = "A letter came back: there is no such address (5.1.1)."
UNWANTED = "a letter was marked as unwanted"
SKIPPED = (EntryStatus.SKIPPED, audiences.NO_ADDRESS)
SENT = (EntryStatus.SUCCESS, "")


def words(response) -> str:
    return " ".join(response.content.decode().split())


def unreachable(reason: str, **fields: object) -> Member:
    if reason == UNWANTED:
        return MemberFactory(complained_at=timezone.now(), **fields)
    return MemberFactory(
        address_unusable_at=timezone.now(), address_unusable_reason=reason, **fields
    )


def becomes_unreachable(member: Member, reason: str) -> None:
    if reason == UNWANTED:
        addresses.note_complaint(member.pk, member.email)
    else:
        addresses.mark_unusable(member.pk, member.email, reason=reason)


def signed_in(member: Member) -> Client:
    client = Client(REMOTE_ADDR=f"10.{'.'.join(str(n) for n in uuid.uuid4().bytes[:3])}")
    client.force_login(member)
    return client


# ---- What is sent --------------------------------------------------------------------------


REASONS = {UNWANTED: "complained", FAILING: "failing", NO_SUCH: "no such address"}


@pytest.mark.parametrize("reason", REASONS, ids=REASONS.values())
def test_letters_to_many_leave_out_whoever_they_came_back_from(station, reason):
    chapter = chapter_with(students=1)
    member = subscribe(unreachable(reason), chapter, Role.STUDENT)
    workshop = WorkshopFactory(chapter=chapter)

    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    send_here()

    entry = log.entries.get(member=member)
    assert (entry.status, entry.reason) == SKIPPED
    assert station.sink.recipients[member.email] == 0
    assert audiences.reach(workshop, Audience.STUDENTS).left_out == [
        (audiences.NO_ADDRESS, 1),
        (audiences.INVITED, 1),
    ]


@pytest.mark.parametrize("reason", REASONS, ids=REASONS.values())
def test_what_comes_back_between_the_click_and_the_letter_counts(station, reason):
    workshop = WorkshopFactory(chapter=chapter_with(students=1))
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)
    (entry,) = log.entries.select_related("member")
    becomes_unreachable(entry.member, reason)

    send_here()

    entry.refresh_from_db()
    assert (entry.status, entry.reason) == SKIPPED


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [(UNWANTED, SENT), (FAILING, SENT), (NO_SUCH, SKIPPED), ("“550 5.1.1 unknown”", SKIPPED)],
    ids=["complained", "failing", "no such address", "refused at once"],
)
def test_an_answer_is_confirmed_wherever_a_letter_can_arrive(station, reason, outcome):
    invitation = InvitationFactory(member=unreachable(reason))

    rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())
    send_here()
    rsvps.decline(Invitation.objects.get(pk=invitation.pk), at=timezone.now())
    send_here()

    letters = invitation.member.log_entries.order_by("pk")
    assert [(letter.action, (letter.status, letter.reason)) for letter in letters] == [
        ("confirmation", outcome),
        ("declined", outcome),
    ]


def test_a_change_of_the_workshop_is_a_letter_to_many(station):
    workshop = WorkshopFactory()
    InvitationFactory(workshop=workshop, member=unreachable(UNWANTED), answer=Answer.ATTENDING)

    assert audiences.reach(workshop, Audience.ATTENDING).left_out == [(audiences.NO_ADDRESS, 1)]


@pytest.mark.django_db
def test_the_envelope_names_what_to_come_back_to_and_the_head_stays(station, settings):
    settings.BOUNCE_DOMAIN = "bounces.codebar.example"
    workshop = WorkshopFactory(chapter=chapter_with(students=2))

    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    send_here()

    senders = {letter.sender for letter in station.sink.letters}
    assert len(senders) == 2
    assert {sender.partition(".")[0] for sender in senders} == {
        f"bounces+{entry.pk}" for entry in log.entries.all()
    }
    for letter in station.sink.letters:
        assert "hello@" in letter.message["From"]
        assert "bounces" not in letter.content.decode()


# ---- Usable again --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "is_usable"), [(FAILING, True), (NO_SUCH, True), (UNWANTED, False)]
)
def test_whoever_reads_a_code_shows_that_letters_arrive_and_not_that_they_are_wanted(
    reason, is_usable
):
    member = unreachable(reason)

    joining.by_address(member.email, language=Language.ENGLISH)

    member.refresh_from_db()
    assert member.is_reachable == is_usable


@pytest.mark.django_db
def test_who_complained_gets_letters_again_by_a_button():
    member = unreachable(UNWANTED)
    client = signed_in(member)
    assert "A letter of ours to you was marked as unwanted" in words(client.get("/profile"))

    for _ in range(2):
        page = client.post(reverse("letters_again"), follow=True)
        assert "You get our letters again." in words(page)

    member.refresh_from_db()
    assert member.is_reachable
    assert "marked as unwanted" not in words(client.get("/profile"))
    assert list(Activity.objects.values_list("by", "did", "member")) == [
        (member.pk, "asked for letters again", member.pk)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("reason", [FAILING, NO_SUCH])
def test_the_button_mends_no_address_that_letters_come_back_from(reason):
    member = unreachable(reason)

    signed_in(member).post(reverse("letters_again"))

    member.refresh_from_db()
    assert member.address_unusable_reason == reason


@pytest.mark.django_db
def test_opening_the_way_back_changes_nothing():
    member = unreachable(UNWANTED)

    assert signed_in(member).get(reverse("letters_again")).url == reverse("profile")

    member.refresh_from_db()
    assert member.complained_at


@pytest.mark.django_db
@pytest.mark.parametrize("reason", [FAILING, NO_SUCH])
def test_whose_letters_come_back_mends_it_by_a_code(settings, sink: SmtpSink, reason):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    member = unreachable(reason, email=f"amina-{uuid.uuid4().hex}@people.example")
    client = signed_in(member)
    page = words(client.get(reverse("dashboard")))
    assert f"Our letters to {member.email} come back." in page
    assert f'name="email" value="{member.email}"' in page

    assert client.post(reverse("address_change"), {"email": member.email}).url == reverse(
        "address_confirm"
    )
    assert "come back" not in words(client.get(reverse("address_confirm")))
    code = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", str(sink.letters[-1].message.get_content()))
    assert code
    client.post(reverse("address_confirm"), {"code": code[0]})

    member.refresh_from_db()
    assert (member.address_unusable_at, member.address_unusable_reason) == (None, "")
    assert "come back" not in words(client.get(reverse("dashboard")))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "said"),
    [("de", "Du bekommst keine Einladungen."), ("fr", "Tu ne reçois pas")],
)
def test_the_way_back_is_told_in_the_members_language(language, said):
    assert said in words(signed_in(unreachable(UNWANTED, language=language)).get("/dashboard"))


# ---- What organisers see -------------------------------------------------------------------


def organisers_page(workshop: Workshop, name: str, *args: object, **query: str) -> str:
    return words(client_of(workshop).get(reverse(name, args=args), query))


def client_of(workshop: Workshop) -> Client:
    return signed_in(organiser_of(workshop.chapter))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (UNWANTED, "Lena gets no invitations"),
        (FAILING, "Letters come back"),
        (NO_SUCH, "The address cannot be used"),
    ],
)
def test_a_members_page_says_why_they_get_no_invitations(reason, said):
    workshop = WorkshopFactory()
    lena = subscribe(unreachable(reason, name="Lena"), workshop.chapter, Role.STUDENT)

    assert said in organisers_page(workshop, "member", lena.pk)


CAME_BACK = {
    Bounce.Kind.HARD: "It came back: there is no such address.",
    Bounce.Kind.SOFT: "It came back: it could not be delivered.",
    Bounce.Kind.COMPLAINT: "It was marked as unwanted.",
}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", CAME_BACK)
def test_a_letter_that_came_back_says_so_wherever_it_is_listed(kind):
    log = InvitationLogFactory()
    lena = subscribe(MemberFactory(name="Lena"), log.chapter, Role.STUDENT)
    entry = InvitationLogEntryFactory(log=log, member=lena, status=EntryStatus.SUCCESS)
    InvitationLogEntryFactory(log=log, status=EntryStatus.SUCCESS)
    at_a_log = (log.workshop, "invitation_log", log.workshop_id, log.pk)
    assert CAME_BACK[kind] not in organisers_page(*at_a_log)
    BounceFactory(entry=entry, kind=kind)

    page = organisers_page(*at_a_log)
    found = organisers_page(*at_a_log, show="came_back")

    assert page.count(CAME_BACK[kind]) == found.count(CAME_BACK[kind]) == 1
    assert "1 of those sent came back or was marked as unwanted." in page
    assert (page.count('class="person"'), found.count('class="person"')) == (2, 1)
    rows = client_of(log.workshop).get(reverse("log_csv", args=at_a_log[2:])).getvalue().decode()
    assert rows.count(',"sent, came back",') == 1
    assert CAME_BACK[kind] in organisers_page(log.workshop, "member", lena.pk)
    assert CAME_BACK[kind] in organisers_page(
        log.workshop, "member_history", lena.pk, show="letters"
    )


@pytest.mark.django_db
def test_the_page_of_a_log_asks_as_often_whatever_came_back():
    log = InvitationLogFactory()
    client, page = signed_in(organiser_of(log.chapter)), (log.workshop_id, log.pk)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("invitation_log", args=page))
        return len(captured)

    BounceFactory(entry__log=log)
    queries()  # what Django remembers of its tables is asked once
    few = queries()
    BounceFactory.create_batch(2, entry__log=log)

    assert queries() == few


@pytest.mark.django_db
def test_an_address_is_marked_only_while_it_is_theirs():
    member = MemberFactory(email="new@people.example")

    assert not addresses.mark_unusable(member.pk, "old@people.example", reason=NO_SUCH)
    assert not addresses.note_complaint(member.pk, "old@people.example")

    member.refresh_from_db()
    assert member.is_reachable
