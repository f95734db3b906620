"""Suspending a member: what it takes, whom it helps, and what is written down."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.services import banning, preparing, rsvps
from invitations.services.manager import InvitationManager
from logs.models import Action, Activity, EntryStatus, InvitationLogEntry
from members.models import Ban, Member
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    in_two_weeks,
    organiser_of,
    subscribe,
)
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


def ban(member, *, by, expires_at="in a month", at=None, key=None, **fields) -> Ban:
    words = {"reason": "Offensive behaviour", "note": "Shouted.", "explanation": "Be kind."}
    return banning.ban(
        member,
        by=by,
        expires_at=in_days(30) if expires_at == "in a month" else expires_at,
        at=at or timezone.now(),
        request_key=key or uuid4(),
        **words | fields,
    )


@pytest.fixture
def chapter():
    return chapter_with(name="Here")


@pytest.fixture
def organiser(chapter):
    return organiser_of(chapter)


@pytest.fixture
def member(chapter):
    return subscribe(MemberFactory(name="Lena"), chapter, Role.STUDENT)


def letters_to(member) -> list[tuple[str, str, str, int | None]]:
    return list(
        InvitationLogEntry.objects.filter(member=member)
        .order_by("pk")
        .values_list("action", "occasion", "status", "workshop")
    )


def done() -> list[tuple[str, Member | None, Member | None, str]]:
    activities = Activity.objects.order_by("pk")
    return [(a.did, a.by, a.member, a.remark) for a in activities]


def test_a_ban_is_kept_and_told_to_the_member(organiser, member):
    now, then = timezone.now(), in_days(30)

    made = ban(member, by=organiser, expires_at=then, at=now)

    assert Ban.objects.values(
        "member", "added_by", "reason", "note", "explanation", "expires_at", "is_permanent",
        "created_at",
    ).get() == {
        "member": member.pk,
        "added_by": organiser.pk,
        "reason": "Offensive behaviour",
        "note": "Shouted.",
        "explanation": "Be kind.",
        "expires_at": then,
        "is_permanent": False,
        "created_at": now,
    }  # fmt: skip
    assert letters_to(member) == [(Action.BAN, str(made.pk), EntryStatus.PENDING, None)]
    assert done() == [("suspended this account", organiser, member, "Offensive behaviour")]


def test_without_an_end_it_is_permanent(organiser, member):
    ban(member, by=organiser, expires_at=None)

    assert Ban.objects.active().values_list("expires_at", "is_permanent").get() == (None, True)


def test_the_same_form_again_bans_once(organiser, member):
    key = uuid4()

    first, second = (ban(member, by=organiser, key=key) for _ in range(2))

    assert first == second
    assert Ban.objects.count() == Activity.objects.count() == len(letters_to(member)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_tap_bans_once():
    chapter = chapter_with()
    organiser, member = organiser_of(chapter), subscribe(MemberFactory(), chapter, Role.STUDENT)
    key = uuid4()

    bans = at_once(*[lambda: ban(member, by=organiser, key=key)] * 4)

    assert len(set(bans)) == 1
    assert Ban.objects.count() == Activity.objects.count() == len(letters_to(member)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_organisers_at_once_one_is_told():
    chapter = chapter_with()
    member = subscribe(MemberFactory(), chapter, Role.STUDENT)

    def try_to_ban() -> str:
        try:
            ban(member, by=organiser_of(chapter))
        except banning.AlreadyBanned as refusal:
            return refusal.message
        return "banned"

    assert sorted(at_once(*[try_to_ban] * 3)) == [
        "This account is suspended already. Lift that suspension first.",
        "This account is suspended already. Lift that suspension first.",
        "banned",
    ]
    assert Ban.objects.count() == Activity.objects.count() == len(letters_to(member)) == 1


# ---- Places ---------------------------------------------------------------------------------


def test_places_and_waits_are_given_up_and_the_next_in_line_gets_them(chapter, organiser, member):
    workshop = WorkshopFactory(chapter=chapter, student_spaces=1)
    InvitationFactory(workshop=workshop, member=member, answer=Answer.ATTENDING)
    first = InvitationFactory(
        workshop=workshop, answer=Answer.WAITING, answered_at=timezone.now() - timedelta(hours=2)
    )
    second = InvitationFactory(workshop=workshop, answer=Answer.WAITING)
    elsewhere = WorkshopFactory(student_spaces=1, starts_at=in_days(20))
    InvitationFactory(workshop=elsewhere, answer=Answer.ATTENDING)
    InvitationFactory(workshop=elsewhere, member=member, answer=Answer.WAITING)

    ban(member, by=organiser)

    assert set(member.invitations.values_list("answer", flat=True)) == {Answer.DECLINED}
    for invitation, answer in ((first, Answer.ATTENDING), (second, Answer.WAITING)):
        invitation.refresh_from_db()
        assert invitation.answer == answer
    assert letters_to(first.member) == [(Action.PLACE, "2", EntryStatus.PENDING, workshop.pk)]


def test_workshops_that_are_over_or_cancelled_stay_as_they_were(chapter, organiser, member):
    for fields in ({"past": True}, {"cancelled": True}):
        workshop = WorkshopFactory(chapter=chapter, **fields)
        InvitationFactory(workshop=workshop, member=member, answer=Answer.ATTENDING)

    ban(member, by=organiser)

    assert set(member.invitations.values_list("answer", flat=True)) == {Answer.ATTENDING}


def test_what_would_be_taken_is_known_before(chapter, member):
    now = timezone.now()
    workshops = [WorkshopFactory(chapter=chapter, starts_at=in_days(day)) for day in (3, 4, 5, 6)]
    answers = (Answer.ATTENDING, Answer.WAITING, Answer.DECLINED, Answer.NONE)
    for workshop, answer in zip(workshops, answers, strict=True):
        InvitationFactory(workshop=workshop, member=member, answer=answer)
    InvitationFactory(
        workshop=WorkshopFactory(chapter=chapter, past=True), member=member, answer=Answer.ATTENDING
    )

    held = member.invitations.held(now).order_by("pk")

    assert [invitation.workshop for invitation in held] == workshops[:2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_a_place_accepted_in_the_same_moment_is_not_kept(attempt):
    """Whoever was first: either the answer is refused, or the place is taken again."""
    chapter = chapter_with()
    organiser, member = organiser_of(chapter), MemberFactory()
    invitations = [
        InvitationFactory(
            workshop=WorkshopFactory(
                chapter=chapter, starts_at=in_two_weeks() + timedelta(days=day)
            ),
            member=member,
        )
        for day in range(6)
    ]

    def accept(invitation) -> None:
        with suppress(rsvps.Banned):
            rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())

    at_once(
        *[lambda invitation=invitation: accept(invitation) for invitation in invitations],
        lambda: ban(member, by=organiser),
    )

    assert not member.invitations.held(timezone.now()).exists()


@pytest.mark.django_db(transaction=True)
def test_a_place_that_was_being_accepted_before_the_ban_is_taken_too(monkeypatch):
    """It is answered after the ban has looked for places and before it locks the member."""
    chapter = chapter_with()
    organiser, member = organiser_of(chapter), MemberFactory()
    invitation = InvitationFactory(workshop=WorkshopFactory(chapter=chapter), member=member)
    lock = rsvps._lock
    looked = []

    def accept() -> None:
        rsvps.accept(invitation, role=Role.STUDENT, note="", at=timezone.now())

    def lock_after_an_answer(workshop_ids, *members):
        ids = list(workshop_ids)
        if not looked:
            looked.append(ids)
            monkeypatch.setattr(rsvps, "_lock", lock)
            at_once(accept)
        return lock(ids, *members)

    monkeypatch.setattr(rsvps, "_lock", lock_after_an_answer)
    ban(member, by=organiser)

    invitation.refresh_from_db()
    assert looked == [[]]
    assert (invitation.answer, invitation.answer_number) == (Answer.DECLINED, 2)


@pytest.mark.django_db(transaction=True)
def test_two_members_are_banned_while_others_answer_and_nobody_waits_for_ever():
    chapter = chapter_with()
    workshops = [
        WorkshopFactory(chapter=chapter, student_spaces=1, starts_at=in_days(day)) for day in (3, 4)
    ]
    members = MemberFactory.create_batch(6)
    for workshop in workshops:
        for number, member in enumerate(members):
            InvitationFactory(
                workshop=workshop,
                member=member,
                answer=Answer.WAITING if number else Answer.ATTENDING,
            )
    leaving = Invitation.objects.get(workshop=workshops[1], member=members[0])

    at_once(
        lambda: ban(members[1], by=organiser_of(chapter)),
        lambda: ban(members[2], by=organiser_of(chapter)),
        lambda: rsvps.decline(leaving, at=timezone.now()),
    )

    places = Invitation.objects.filter(answer=Answer.ATTENDING).order_by("workshop")
    assert [place.member for place in places] == [members[0], members[3]]


@pytest.mark.django_db(transaction=True)
def test_a_ban_and_a_batch_being_prepared_let_each_other_pass():
    chapter = chapter_with(students=20)
    workshop = WorkshopFactory(chapter=chapter)
    organiser = organiser_of(chapter)
    member = Member.objects.filter(subscriptions__group__chapter=chapter).first()
    log = InvitationManager().send_workshop_emails(workshop, "students", organiser)

    at_once(lambda: preparing.prepare(log.pk), lambda: ban(member, by=organiser))

    entry = log.entries.get(member=member)
    assert log.entries.count() == 20
    assert (entry.status, entry.reason) in {("pending", ""), ("skipped", "is banned")}


# ---- Who may, and when it ends ------------------------------------------------------------------


def test_nobody_suspends_themselves_an_admin_or_a_stranger(chapter, organiser):
    subscribe(organiser, chapter, Role.COACH)
    admin = subscribe(MemberFactory(superuser=True), chapter, Role.COACH)
    stranger = subscribe(MemberFactory(), ChapterFactory(), Role.STUDENT)

    said = []
    for member in (organiser, admin, stranger):
        with pytest.raises(banning.NotAllowed) as refusal:
            ban(member, by=organiser)
        said.append(refusal.value.message)

    assert said == [
        "Nobody can suspend themselves.",
        "An admin cannot be suspended.",
        "Only organisers of a chapter this member belongs to can do that.",
    ]
    assert Ban.objects.count() == Activity.objects.count() == 0


def test_a_ban_ends_in_the_future(organiser, member):
    now = timezone.now()

    with pytest.raises(banning.EndsInThePast):
        ban(member, by=organiser, expires_at=now, at=now)

    assert Ban.objects.count() == Activity.objects.count() == len(letters_to(member)) == 0


def test_after_one_is_over_there_can_be_another(organiser, member):
    BanFactory(member=member, expired=True)

    ban(member, by=organiser)

    assert member.bans.count() == 2


@pytest.mark.parametrize("expires_at", ["in a month", None])
def test_lifting_ends_it_now_and_gives_nothing_back(organiser, member, chapter, expires_at):
    place = InvitationFactory(
        workshop=WorkshopFactory(chapter=chapter), member=member, answer=Answer.ATTENDING
    )
    made = ban(member, by=organiser, expires_at=expires_at)
    now = timezone.now()

    banning.lift(made, by=organiser, at=now)

    made.refresh_from_db()
    place.refresh_from_db()
    assert (made.expires_at, made.is_permanent) == (now, False)
    assert not Ban.objects.active().exists()
    assert place.answer == Answer.DECLINED
    assert done()[-1] == ("lifted the suspension", organiser, member, "")


def test_lifting_twice_changes_nothing(organiser, member):
    made = ban(member, by=organiser)
    first = timezone.now()
    banning.lift(made, by=organiser, at=first)
    history = done()

    banning.lift(made, by=organiser, at=first + timedelta(hours=1))

    made.refresh_from_db()
    assert made.expires_at == first
    assert done() == history


def test_one_that_is_over_is_not_lifted(organiser, member):
    over = datetime(2026, 1, 1, tzinfo=UTC)
    old = BanFactory(member=member, expires_at=over)

    banning.lift(old, by=organiser, at=timezone.now())

    old.refresh_from_db()
    assert old.expires_at == over
    assert done() == []


def test_nobody_lifts_their_own(chapter, organiser):
    subscribe(organiser, chapter, Role.COACH)
    own = BanFactory(member=organiser)

    with pytest.raises(banning.NotAllowed) as refusal:
        banning.lift(own, by=organiser, at=timezone.now())

    assert refusal.value.message == "Another organiser has to lift this suspension."
    assert Ban.objects.active().exists()
