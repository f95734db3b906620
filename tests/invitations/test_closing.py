"""Closing an account: what is given up, what is left, and whatever happens at the same moment."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.models import Session
from django.core import serializers
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Departure, Role
from invitations.models import Answer, FeedbackRequest, Invitation
from invitations.services import closing, preparing, rsvps, subscribing
from invitations.services.manager import InvitationManager
from logs.models import Action, Activity, EntryStatus, InvitationLogEntry
from members.models import Language, Member
from members.services import addresses, languages, profiles
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    NoteFactory,
    NoticeFactory,
    WorkshopFactory,
    chapter_with,
    organiser_of,
    subscribe,
)
from tests.support.here import send_here
from tests.support.processes import Station
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

CLOSE = "account_close"
TICKED = {"understood": "on"}


@pytest.fixture
def zuzanna() -> Member:
    """Somebody who has told us all there is to tell."""
    member: Member = MemberFactory(
        name="Zuzanna",
        surname="Quist",
        email="zuzanna.quist@people.example",
        pronouns="she/they",
        about="Zuzannas own words",
        skills="Zuzannas skills",
        dietary_needs=["halal", "other"],
        other_dietary_needs="no coriander for Zuzanna",
        heard_from="other",
        heard_from_other="Zuzannas aunt",
        address_unusable_reason="Zuzannas mailbox is full",
        last_login=timezone.now(),
    )
    return member


def signed_in(member: Member, **options: bool) -> Client:
    client = Client(**options)
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def close(member: Member) -> Member:
    closing.close(member, at=timezone.now())
    member.refresh_from_db()
    return member


def everything_we_hold() -> str:
    """All rows of all tables, and what their sessions say."""
    models = [model for model in apps.get_models() if not model._meta.proxy]
    rows = serializers.serialize("json", [row for m in models for row in m._base_manager.all()])
    return rows + json.dumps([session.get_decoded() for session in Session.objects.all()])


# ---- What is left of a person --------------------------------------------------------------


def test_nothing_that_says_who_it_was_is_left_in_any_table(zuzanna):
    workshop = WorkshopFactory()
    invitation = InvitationFactory(
        workshop=workshop,
        member=zuzanna,
        answer=Answer.ATTENDING,
        note="Zuzanna comes late",
        tutorial="Zuzannas project",
        override_reason="Zuzanna asked for it",
        answered_by=organiser_of(workshop.chapter),
    )
    FeedbackRequest.objects.create(invitation=invitation)
    NoteFactory(member=zuzanna, text="Zuzanna needs a quiet corner")
    BanFactory(member=zuzanna, expired=True, note="Zuzanna again", explanation="Dear Zuzanna")
    EmailAddress.objects.create(user=zuzanna, email=zuzanna.email, verified=True)
    SocialAccount.objects.create(
        user=zuzanna, provider="github", uid="zuzanna-quist", extra_data={"login": "zuzanna-quist"}
    )
    LogEntry.objects.log_actions(zuzanna.pk, [zuzanna], CHANGE, [{"changed": {"name": "Zuzanna"}}])
    Activity.objects.create(did="gave a place", member=zuzanna, remark="for Zuzanna", changes={})
    refused = InvitationLogEntryFactory(
        member=zuzanna, status=EntryStatus.FAILED, reason="“550 5.1.1 unknown user: zuzanna.quist”"
    )
    client = signed_in(zuzanna)
    session = client.session
    session["account_authentication_methods"] = [{"email": zuzanna.email}]
    session.save()
    tokens = [invitation.token, FeedbackRequest.objects.get().token]

    close(zuzanna)

    left = everything_we_hold().lower()
    assert [
        word for word in ("zuzanna", "quist", "coriander", *tokens) if word.lower() in left
    ] == []
    refused.refresh_from_db()
    assert refused.reason == closing.NOT_QUOTED


def test_the_account_is_a_former_member_without_an_address(zuzanna):
    before = zuzanna.accepted_terms_at
    zuzanna.language = "de"
    zuzanna.complained_at = timezone.now()
    zuzanna.save()

    close(zuzanna)

    assert (zuzanna.full_name, zuzanna.email) == (
        "Former member",
        f"closed-{zuzanna.pk}@codebar.invalid",
    )
    assert zuzanna.closed_at is not None
    assert zuzanna.accepted_terms_at == before
    assert zuzanna.complained_at is None
    assert (zuzanna.dietary_needs, zuzanna.language, zuzanna.last_login) == ([], "en", None)
    assert not zuzanna.has_usable_password()


def test_two_accounts_closed_at_the_same_moment_do_not_collide(zuzanna):
    at, bruno = timezone.now(), MemberFactory()

    closing.close(zuzanna, at=at)
    closing.close(bruno, at=at)

    assert Member.objects.filter(closed_at=at).count() == 2


def test_what_happened_stays_without_words(zuzanna):
    invitation = InvitationFactory(
        member=zuzanna, workshop__past=True, answer=Answer.ATTENDING, attended_at=timezone.now()
    )
    entry = InvitationLogEntryFactory(member=zuzanna, status=EntryStatus.SUCCESS)
    skipped = InvitationLogEntryFactory(
        member=zuzanna, status=EntryStatus.SKIPPED, reason="is banned"
    )
    ban = BanFactory(member=zuzanna, expired=True, reason="Offensive behaviour")
    notice = NoticeFactory(member=zuzanna)

    close(zuzanna)

    invitation.refresh_from_db()
    assert (invitation.answer, invitation.attended_at is not None) == (Answer.ATTENDING, True)
    for row in (entry, skipped, ban, notice):
        row.refresh_from_db()
        assert row.member == zuzanna
    assert (entry.reason, skipped.reason) == ("", "is banned")
    assert ban.reason == "Offensive behaviour"


def test_others_are_left_alone(zuzanna):
    bruno = subscribe(MemberFactory(name="Bruno"), ChapterFactory(), Role.STUDENT)
    note = NoteFactory(member=bruno, author=zuzanna, text="Bruno brings cake")
    client = signed_in(bruno)

    close(zuzanna)

    bruno.refresh_from_db()
    note.refresh_from_db()
    assert (bruno.name, bruno.subscriptions.count()) == ("Bruno", 1)
    assert (note.text, note.author.full_name) == ("Bruno brings cake", "Former member")
    assert client.get(reverse("dashboard")).status_code == 200


def test_closing_twice_changes_nothing_more(zuzanna):
    close(zuzanna)
    first = zuzanna.closed_at

    close(zuzanna)

    assert zuzanna.closed_at == first
    assert Activity.objects.filter(did="closed the account").count() == 1


# ---- What is given up ----------------------------------------------------------------------


def test_places_go_to_the_next_in_line_who_gets_a_letter(zuzanna):
    workshop = WorkshopFactory(student_spaces=1)
    place = InvitationFactory(workshop=workshop, member=zuzanna, answer=Answer.ATTENDING)
    waiting = InvitationFactory(workshop=workshop, answer=Answer.WAITING)
    elsewhere = InvitationFactory(member=zuzanna, answer=Answer.WAITING)
    before = InvitationFactory(member=zuzanna, workshop__past=True, answer=Answer.ATTENDING)

    close(zuzanna)

    for row in (place, waiting, elsewhere, before):
        row.refresh_from_db()
    assert [row.answer for row in (place, waiting, elsewhere, before)] == [
        Answer.DECLINED,
        Answer.ATTENDING,
        Answer.DECLINED,
        Answer.ATTENDING,
    ]
    letters = InvitationLogEntry.objects.filter(action=Action.PLACE)
    assert [letter.member for letter in letters] == [waiting.member]


def test_groups_and_roles_are_given_up(zuzanna):
    chapter = chapter_with(students=1)
    subscribe(zuzanna, chapter, Role.STUDENT, Role.COACH)
    subscribing.leave(
        zuzanna, zuzanna.subscriptions.filter(group__role=Role.COACH), at=timezone.now()
    )
    chapter.organisers.add(zuzanna)
    WorkshopFactory(chapter=chapter).organisers.add(zuzanna)

    close(zuzanna)

    assert (zuzanna.subscriptions.count(), Departure.objects.count()) == (0, 0)
    assert (chapter.organisers.count(), zuzanna.organised_workshops.count()) == (0, 0)
    assert [
        line.did for line in Activity.objects.filter(by=zuzanna, chapter=chapter).order_by("pk")
    ][-1] == "stopped organising the chapter"


def test_a_letter_that_waits_is_not_sent_any_more(station: Station, zuzanna):
    chapter = chapter_with(students=1)
    subscribing.join(zuzanna, chapter.groups.get(role=Role.STUDENT))
    bruno = chapter.groups.get(role=Role.STUDENT).members.exclude(pk=zuzanna.pk).get()
    workshop = WorkshopFactory(chapter=chapter)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    preparing.prepare(log.pk)

    close(zuzanna)
    send_here()

    assert list(station.sink.recipients) == [bruno.email]
    entries = InvitationLogEntry.objects.filter(member=zuzanna).values_list("action", "reason")
    assert sorted(entries) == [
        ("invite", "closed the account"),
        ("welcome", "closed the account"),
    ]


def test_every_session_ends_and_the_old_address_signs_nobody_in(zuzanna):
    phone, desk = signed_in(zuzanna), signed_in(zuzanna)

    close(zuzanna)

    for client in (phone, desk):
        assert client.get(reverse("dashboard")).status_code == 302
    assert not Session.objects.exists()
    assert not Member.objects.filter(email="zuzanna.quist@people.example").exists()


def test_an_old_letters_link_opens_nothing(zuzanna):
    invitation = InvitationFactory(member=zuzanna, answer=Answer.ATTENDING)
    links = [
        reverse("invitation", args=[invitation.token]),
        reverse("accept", args=[invitation.token]),
    ]

    close(zuzanna)

    assert [Client().get(links[0]).status_code, Client().post(links[1]).status_code] == [404, 404]


# ---- Admins --------------------------------------------------------------------------------


def test_the_last_admin_stays():
    admin = MemberFactory(superuser=True)
    MemberFactory(superuser=True, closed=True)

    page = signed_in(admin).post(reverse(CLOSE), TICKED)

    assert page.status_code == 409
    assert "You are the only admin." in words(page)
    admin.refresh_from_db()
    assert admin.closed_at is None


def test_of_two_admins_who_close_at_the_same_moment_one_stays(ledger):
    admins = MemberFactory.create_batch(2, superuser=True)

    def closes(admin: Member) -> bool:
        try:
            closing.close(admin, at=timezone.now())
        except closing.LastAdmin:
            return False
        return True

    answers = at_once(*[lambda admin=admin: closes(admin) for admin in admins])

    assert sorted(answers) == [False, True]
    assert Member.objects.filter(is_superuser=True, closed_at=None).count() == 1


# ---- At the same moment --------------------------------------------------------------------


def test_closing_while_a_batch_is_prepared_leaves_no_letter(station: Station):
    chapter = chapter_with(students=30)
    workshop = WorkshopFactory(chapter=chapter)
    leaving = list(Member.objects.filter(groups__chapter=chapter).order_by("pk")[:6])
    addresses = {member.email for member in leaving}
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())

    at_once(
        lambda: preparing.prepare(log.pk),
        *[lambda member=member: closing.close(member, at=timezone.now()) for member in leaving],
    )
    send_here(log)

    assert Member.objects.filter(closed_at__isnull=False).count() == 6
    assert len(station.sink.recipients) == 24
    assert not addresses & set(station.sink.recipients)


def test_closing_while_the_place_is_accepted_leaves_no_place_behind(ledger):
    workshop = WorkshopFactory(student_spaces=1)
    invitation = InvitationFactory(workshop=workshop)
    second = InvitationFactory(workshop=workshop)

    def waits(row: Invitation) -> None:
        try:
            rsvps.wait(row, role=Role.STUDENT, note=None, at=timezone.now())
        except rsvps.PlacesLeft:  # freed in between
            accepts(row)
        except rsvps.TermsNotAccepted:
            assert_closed(row)

    def accepts(row: Invitation) -> None:
        try:
            rsvps.accept(row, role=Role.STUDENT, note=None, at=timezone.now())
        except rsvps.WorkshopFull:
            waits(row)
        except rsvps.TermsNotAccepted:
            assert_closed(row)

    def assert_closed(row: Invitation) -> None:
        assert Member.objects.get(pk=row.member_id).closed_at is not None

    at_once(
        lambda: accepts(invitation),
        lambda: accepts(second),
        lambda: closing.close(invitation.member, at=timezone.now()),
    )

    rows = {row.pk: row for row in workshop.invitations.all()}
    assert rows[invitation.pk].answer in (Answer.NONE, Answer.DECLINED)
    assert rows[second.pk].answer == Answer.ATTENDING


def test_closing_twice_at_the_same_moment_is_once(ledger):
    zuzanna = MemberFactory()

    at_once(*[lambda: closing.close(zuzanna, at=timezone.now())] * 3)

    assert Activity.objects.filter(did="closed the account").count() == 1


def test_closing_and_joining_at_the_same_moment_leave_no_group(ledger):
    zuzanna, group = MemberFactory(), chapter_with().groups.get(role=Role.STUDENT)

    def joins() -> None:
        with suppress(subscribing.AccountClosed):
            subscribing.join(zuzanna, group)

    at_once(joins, lambda: closing.close(zuzanna, at=timezone.now()))

    assert zuzanna.subscriptions.count() == 0


TOLD = {"name": "Zuzanna", "about": "Zuzannas own words", "other_dietary_needs": "no coriander"}


@pytest.mark.parametrize(
    "tells",
    [
        lambda member: profiles.change(member, **TOLD),
        lambda member: addresses.change(member, email="zuzanna.new@people.example"),
        lambda member: languages.choose(member, language=Language.GERMAN),
    ],
    ids=["the details", "the address", "the language"],
)
def test_closing_while_the_member_changes_something_leaves_nothing_of_it(ledger, tells):
    members = MemberFactory.create_batch(4)
    zuzanna = members[0]

    def changes() -> None:
        with suppress(profiles.AccountClosed, addresses.AccountClosed):
            tells(zuzanna)

    at_once(changes, changes, lambda: closing.close(zuzanna, at=timezone.now()), changes)

    zuzanna.refresh_from_db()
    assert (zuzanna.full_name, zuzanna.email, zuzanna.about, zuzanna.language) == (
        "Former member",
        f"closed-{zuzanna.pk}@codebar.invalid",
        "",
        "en",
    )
    assert zuzanna.other_dietary_needs == ""


def test_a_closed_account_takes_no_details_and_no_address(zuzanna):
    as_it_was = Member.objects.get(pk=zuzanna.pk)
    close(zuzanna)

    with pytest.raises(profiles.AccountClosed):
        profiles.change(as_it_was, **TOLD)
    with pytest.raises(addresses.AccountClosed):
        addresses.change(as_it_was, email="zuzanna.new@people.example")

    assert "zuzanna" not in everything_we_hold().lower()


def test_whoever_closed_in_another_window_is_told_and_signed_out(zuzanna, monkeypatch):
    """The form had been let in when the other window closed the account."""
    client, change = signed_in(zuzanna), profiles.change

    def closes_first(member: Member, **details: object) -> None:
        closing.close(member, at=timezone.now())
        change(member, **details)

    monkeypatch.setattr(profiles, "change", closes_first)
    told = {"name": "Zuzanna", "surname": "Quist", "about": "I sing", "language": "en"}
    page = client.post(reverse("profile_edit"), told, follow=True)

    assert page.redirect_chain == [(reverse("home"), 302)]
    assert "This account is closed." in words(page)
    assert client.get(reverse("dashboard")).status_code == 302


# ---- The page ------------------------------------------------------------------------------


def test_the_page_says_what_is_given_up(zuzanna):
    InvitationFactory(member=zuzanna, workshop__chapter__name="Leeds", answer=Answer.ATTENDING)
    InvitationFactory(member=zuzanna, workshop__chapter__name="Kyiv", answer=Answer.WAITING)
    alone, together = ChapterFactory(name="Oxford"), ChapterFactory(name="Lund")
    alone.organisers.add(zuzanna)
    together.organisers.add(zuzanna, MemberFactory())

    page = words(signed_in(zuzanna).get(reverse(CLOSE)))

    assert "codebar Leeds" in page
    assert "your place goes to the next in line, who gets a letter" in page
    assert "your place in line" in page
    assert "You are the only organiser of codebar Oxford." in page
    assert "You stop organising codebar Lund." in page


def test_an_organiser_with_a_closed_account_does_not_count_as_another(zuzanna):
    chapter = ChapterFactory(name="Oxford")
    chapter.organisers.add(zuzanna, MemberFactory(closed=True))

    page = words(signed_in(zuzanna).get(reverse(CLOSE)))

    assert "You are the only organiser of codebar Oxford." in page


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_page_changes_nothing(zuzanna, method):
    getattr(signed_in(zuzanna), method)(reverse(CLOSE))

    zuzanna.refresh_from_db()
    assert zuzanna.closed_at is None


def test_without_the_tick_nothing_is_closed_and_the_page_says_what_is_missing(zuzanna):
    page = signed_in(zuzanna).post(reverse(CLOSE))

    assert page.status_code == 400
    assert "Tick this if you want to close your account." in words(page)
    zuzanna.refresh_from_db()
    assert zuzanna.closed_at is None


def test_with_the_tick_the_account_is_closed_and_one_is_signed_out(zuzanna):
    client = signed_in(zuzanna)

    page = client.post(reverse(CLOSE), TICKED, follow=True)

    assert "Your account is closed." in words(page)
    assert page.redirect_chain == [(reverse("home"), 302)]
    assert client.get(reverse("dashboard")).status_code == 302
    zuzanna.refresh_from_db()
    assert zuzanna.full_name == "Former member"


def test_whoever_does_not_accept_the_terms_may_still_take_along_what_is_theirs_and_go():
    newcomer = MemberFactory(without_terms=True)
    client = signed_in(newcomer)

    assert client.get(reverse("my_data")).json()["profile"]["email"] == newcomer.email
    client.post(reverse(CLOSE), TICKED)

    newcomer.refresh_from_db()
    assert newcomer.closed_at is not None


def test_a_double_tap_is_harmless(zuzanna):
    client = signed_in(zuzanna)

    client.post(reverse(CLOSE), TICKED)
    again = client.post(reverse(CLOSE), TICKED)

    assert again.headers["Location"].startswith(reverse("account_login"))


def test_a_forged_form_closes_nothing(zuzanna):
    client = signed_in(zuzanna, enforce_csrf_checks=True)

    assert client.post(reverse(CLOSE), TICKED).status_code == 403
    zuzanna.refresh_from_db()
    assert zuzanna.closed_at is None


@pytest.mark.parametrize("many", [1, 3])
def test_as_many_queries_for_three_places_as_for_one(zuzanna, django_assert_num_queries, many):
    for _ in range(many):
        InvitationFactory(member=zuzanna, answer=Answer.ATTENDING)
        ChapterFactory().organisers.add(zuzanna)
    client = signed_in(zuzanna)

    with django_assert_num_queries(7):
        client.get(reverse(CLOSE))
