"""Asking for an invitation on a workshop's page, instead of waiting for the letter."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.queries import audiences
from invitations.services import asking, inviting, preparing, rsvps, rules
from logs.models import Activity, Audience, InvitationLogEntry
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    subscribe,
)
from tests.support.names import case
from tests.support.together import at_once

pytestmark = pytest.mark.django_db


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def student_of(workshop, *roles: Role) -> Member:
    return subscribe(MemberFactory(), workshop.chapter, *(roles or [Role.STUDENT]))


def press(member: Member, workshop, role: object = Role.STUDENT):
    return signed_in(member).post(reverse("rsvp_here", args=[workshop.pk]), {"role": role})


def refused(response) -> tuple[int, str]:
    return response.status_code, response.context["problem"]


# ---- The way in ------------------------------------------------------------------------------


def test_a_member_asks_and_is_led_to_an_invitation_of_their_own():
    workshop = WorkshopFactory()
    student = student_of(workshop)

    response = press(student, workshop)

    invitation = Invitation.objects.get()
    assert (invitation.workshop, invitation.member) == (workshop, student)
    assert (invitation.role, invitation.answer) == (Role.STUDENT, Answer.NONE)
    assert response.headers["Location"] == reverse("invitation", args=[invitation.token])
    assert signed_in(student).get(response.headers["Location"]).status_code == 200


def test_no_letter_is_written():
    workshop = WorkshopFactory()

    press(student_of(workshop), workshop)

    assert not InvitationLogEntry.objects.exists()


def test_it_stands_in_the_history_once():
    workshop = WorkshopFactory()
    student = student_of(workshop)

    press(student, workshop)
    press(student, workshop)

    assert list(Activity.objects.values_list("by", "did", "workshop")) == [
        (student.pk, "asked for an invitation as a student", workshop.pk)
    ]


def test_a_double_tap_leads_to_the_same_page():
    workshop = WorkshopFactory()
    student = student_of(workshop)

    first, second = press(student, workshop), press(student, workshop)

    assert first.headers["Location"] == second.headers["Location"]
    assert Invitation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_the_same_moment_make_one_invitation():
    workshop = WorkshopFactory()
    student = student_of(workshop)

    def ask() -> int:
        return asking.ask(student, workshop, role=Role.STUDENT, at=timezone.now()).pk

    first, second = at_once(ask, ask)

    assert first == second
    assert Activity.objects.count() == 1


def test_whoever_was_invited_keeps_the_role_and_the_answer():
    invitation = InvitationFactory(role=Role.COACH, answer=Answer.DECLINED)
    subscribe(invitation.member, invitation.workshop.chapter, Role.STUDENT)

    response = press(invitation.member, invitation.workshop, Role.STUDENT)

    invitation.refresh_from_db()
    assert response.headers["Location"] == invitation.get_absolute_url()
    assert (invitation.role, invitation.answer) == (Role.COACH, Answer.DECLINED)


def test_a_full_workshop_has_a_waiting_list_so_one_may_ask():
    workshop = WorkshopFactory(student_spaces=1)
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)

    response = press(student_of(workshop), workshop)

    assert response.status_code == 302


def test_visitors_sign_in_first_and_come_back_to_the_workshop():
    workshop = WorkshopFactory()

    response = Client().post(reverse("rsvp_here", args=[workshop.pk]), {"role": "student"})

    assert response.headers["Location"] == f"/accounts/login/?next=/workshops/{workshop.pk}"
    assert not Invitation.objects.exists()


def test_it_needs_a_tap_of_ones_own():
    workshop = WorkshopFactory()
    client = Client(enforce_csrf_checks=True)
    client.force_login(student_of(workshop))

    response = client.post(reverse("rsvp_here", args=[workshop.pk]), {"role": "student"})

    assert response.status_code == 403
    assert not Invitation.objects.exists()


def test_looking_changes_nothing():
    workshop = WorkshopFactory()
    client = signed_in(student_of(workshop))

    assert client.get(reverse("workshop", args=[workshop.pk])).status_code == 200
    assert client.head(reverse("workshop", args=[workshop.pk])).status_code == 200
    assert client.get(reverse("rsvp_here", args=[workshop.pk])).status_code == 405

    assert not Invitation.objects.exists()


# ---- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["", "organiser", "x" * 10_000, "\x00", "Student"])
def test_a_role_that_is_none_is_told_in_a_sentence(role):
    workshop = WorkshopFactory()

    response = press(student_of(workshop), workshop, role)

    assert refused(response) == (400, "Choose whether you come as a student or as a coach.")
    assert not Invitation.objects.exists()


def test_a_student_cannot_ask_as_a_coach():
    workshop = WorkshopFactory(chapter__name="Brighton")

    response = press(student_of(workshop), workshop, Role.COACH)

    words = "Only who is subscribed to a coach group of codebar Brighton can come as a coach."
    assert refused(response) == (409, words)
    assert not Invitation.objects.exists()


def test_groups_of_another_chapter_do_not_count():
    workshop = WorkshopFactory(chapter__name="Brighton")
    stranger = student_of(WorkshopFactory())

    response = press(stranger, workshop)

    words = "Only who is subscribed to a student group of codebar Brighton can come as a student."
    assert refused(response) == (409, words)


def test_the_suspended_cannot_ask_while_it_lasts():
    workshop = WorkshopFactory()
    student = student_of(workshop)
    ban = BanFactory(member=student)

    assert press(student, workshop).status_code == 409
    assert not Invitation.objects.exists()

    ban.expires_at = in_days(-1)
    ban.save()
    assert press(student, workshop).status_code == 302


def test_the_terms_come_first():
    workshop = WorkshopFactory()
    student = subscribe(MemberFactory(without_terms=True), workshop.chapter, Role.STUDENT)

    with pytest.raises(rules.TermsNotAccepted):
        asking.ask(student, workshop, role=Role.STUDENT, at=timezone.now())


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"cancelled": True}, rules.WorkshopCancelled),
        ({"past": True}, rules.WorkshopBegun),
        ({"rsvp_closes_at": in_days(-1)}, rules.RsvpClosed),
        ({"rsvp_opens_at": in_days(1)}, rules.RsvpNotOpen),
        ({"is_invitable": False}, asking.NotYetGiven),
        ({"host": None}, asking.NotYetGiven),
    ],
    ids=case,
)
def test_a_workshop_that_gives_no_places_now_makes_no_invitation(fields, refusal):
    workshop = WorkshopFactory(**fields)
    student = student_of(workshop)

    with pytest.raises(refusal):
        asking.ask(student, workshop, role=Role.STUDENT, at=timezone.now())

    assert not Invitation.objects.exists()
    assert press(student, workshop).status_code == 409


def test_the_moment_from_which_places_are_given_opens_it_without_any_letter():
    workshop = WorkshopFactory(is_invitable=False, rsvp_opens_at=in_days(-1))

    assert press(student_of(workshop), workshop).status_code == 302


def test_a_workshop_that_is_not_there_cannot_be_asked_for():
    client = signed_in(MemberFactory())

    for number in (0, 10**18, 10**30):
        address = f"/workshops/{number}"
        assert client.get(address).status_code == 404
        assert client.post(f"{address}/rsvp", {"role": "student"}).status_code == 404


# ---- A later batch ---------------------------------------------------------------------------


def invited_by(workshop, audience: Audience) -> dict[str, int]:
    return dict(
        audiences.audience_of(workshop, audience).values_list("email", "reason").order_by("email")
    )


def test_whoever_asked_and_did_not_answer_gets_the_letter_of_a_later_batch():
    workshop = WorkshopFactory(chapter=chapter_with())
    student = student_of(workshop)
    press(student, workshop)

    assert invited_by(workshop, Audience.STUDENTS) == {student.email: ""}

    log = inviting.invite(
        workshop, audience="students", initiator=MemberFactory(), at=timezone.now()
    )
    preparing.prepare(log.pk)
    assert list(log.entries.values_list("member", "status")) == [(student.pk, "pending")]
    assert Invitation.objects.count() == 1


def test_whoever_asked_and_answered_is_left_in_peace():
    workshop = WorkshopFactory(chapter=chapter_with())
    student = student_of(workshop)
    press(student, workshop)
    rsvps.accept(Invitation.objects.get(), role=Role.STUDENT, note="", at=timezone.now())

    assert invited_by(workshop, Audience.STUDENTS) == {student.email: audiences.ANSWERED}


def test_whoever_asked_as_a_student_may_be_invited_as_a_coach():
    workshop = WorkshopFactory(chapter=chapter_with())
    both = student_of(workshop, Role.STUDENT, Role.COACH)
    press(both, workshop, Role.STUDENT)

    log = inviting.invite(
        workshop, audience="coaches", initiator=MemberFactory(), at=timezone.now()
    )
    preparing.prepare(log.pk)

    assert list(log.entries.values_list("member", "status")) == [(both.pk, "pending")]
    assert Invitation.objects.get().role == Role.COACH
