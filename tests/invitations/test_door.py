"""The door: marking who is here, one tap a person."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, Invitation
from invitations.services import attending, rsvps
from logs.models import Activity
from tests.factories import (
    BanFactory,
    ChapterFactory,
    InvitationFactory,
    MemberFactory,
    WorkshopFactory,
    organiser_of,
)
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def tonight(**fields):
    """A workshop whose door is open: it begins in ten minutes."""
    return WorkshopFactory(starts_at=timezone.now() + timedelta(minutes=10), **fields)


def signed_in(member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def page(workshop, **query):
    client = signed_in(organiser_of(workshop.chapter))
    return client.get(reverse("door", args=[workshop.pk]), query)


def tap(invitation, *, here="1", by=None, headers=None, **form):
    workshop = invitation.workshop
    client = signed_in(by or organiser_of(workshop.chapter))
    return client.post(
        reverse("mark", args=[workshop.pk, invitation.pk]), {"here": here, **form}, headers=headers
    )


def is_here(invitation) -> bool:
    return Invitation.objects.get(pk=invitation.pk).attended_at is not None


def test_the_list_names_everybody_with_a_place_and_counts_who_is_here():
    workshop = tonight()
    coming = {"workshop": workshop, "answer": Answer.ATTENDING}
    InvitationFactory(**coming, member__name="Lena", attended_at=timezone.now())
    InvitationFactory(**coming, member__name="Tom", role=Role.COACH)
    InvitationFactory(workshop=workshop, member__name="Wanda", answer=Answer.WAITING)
    BanFactory(member=InvitationFactory(**coming, member__name="Banned").member)

    text = words(page(workshop))

    assert "<strong>1 of 2</strong> have arrived." in text
    assert [name in text for name in ("Lena", "Tom", "Wanda", "Banned")] == [
        True,
        True,
        False,
        False,
    ]
    assert text.count('aria-pressed="true"') == 1


def test_the_list_narrows_to_a_role_or_a_name():
    workshop = tonight()
    for name, role in (("Lena", Role.STUDENT), ("Tom", Role.COACH)):
        InvitationFactory(workshop=workshop, member__name=name, role=role, answer=Answer.ATTENDING)

    def names(**query):
        return [i.member.name for i in page(workshop, **query).context["invitations"]]

    assert names() == ["Lena", "Tom"]
    assert names(role="coach") == ["Tom"]
    assert names(name="EN") == ["Lena"]
    assert names(name="_") == []
    assert names(role="\0") == ["Lena", "Tom"]


def test_the_time_of_arrival_is_that_of_the_chapter():
    workshop = tonight(chapter__time_zone="Europe/Berlin")
    arrived_at = timezone.now()
    InvitationFactory(workshop=workshop, answer=Answer.ATTENDING, attended_at=arrived_at)

    local = arrived_at.astimezone(workshop.chapter.time_zone)

    assert f"here {local:%H:%M}" in words(page(workshop))


def test_a_tap_marks_and_leads_back_to_the_same_place_without_javascript():
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)

    response = tap(invitation, role="student", name="a b")

    assert is_here(invitation)
    door = reverse("door", args=[invitation.workshop_id])
    assert response.url == f"{door}?role=student&name=a+b#p{invitation.pk}"


def test_a_tap_brings_back_one_line_and_the_count():
    workshop = tonight()
    invitation = InvitationFactory(workshop=workshop, member__name="Lena", answer=Answer.ATTENDING)
    InvitationFactory(workshop=workshop, member__name="Tom", answer=Answer.ATTENDING)

    text = words(tap(invitation, headers=HTMX))

    assert 'aria-pressed="true"' in text
    assert "Lena" in text
    assert "Tom" not in text
    assert '<span hx-swap-oob="innerHTML:#arrived"><strong>1 of 2</strong> have arrived.' in text


def test_the_same_tap_again_changes_nothing():
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)
    tap(invitation)
    before = Invitation.objects.values().get(pk=invitation.pk)

    tap(invitation)

    assert Invitation.objects.values().get(pk=invitation.pk) == before
    assert Activity.objects.count() == 1


def arrived_a_minute_ago(**fields):
    return InvitationFactory(
        workshop=tonight(),
        answer=Answer.ATTENDING,
        attended_at=timezone.now() - timedelta(minutes=1),
        **fields,
    )


def test_the_button_asks_for_the_other_state_and_undoes():
    invitation = arrived_a_minute_ago()

    assert 'value="1"' in words(tap(invitation, here="0", headers=HTMX))
    assert not is_here(invitation)
    assert 'value="0"' in words(tap(invitation, headers=HTMX))
    assert is_here(invitation)


def test_the_second_of_a_double_tap_on_the_button_that_turned_undoes_nothing():
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)
    tap(invitation)

    text = words(tap(invitation, here="0", headers=HTMX))

    assert 'aria-pressed="true"' in text
    assert is_here(invitation)


def test_a_tap_on_an_old_page_says_how_it_is_now():
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)
    tap(invitation)  # by another phone

    text = words(tap(invitation, headers=HTMX))

    assert 'aria-pressed="true"' in text
    assert is_here(invitation)


def test_before_the_door_opens_it_says_when_and_marks_nobody():
    workshop = WorkshopFactory(chapter__time_zone="Europe/London")
    invitation = InvitationFactory(workshop=workshop, answer=Answer.ATTENDING)
    opens = attending.door_opens_at(workshop).astimezone(workshop.chapter.time_zone)

    text = words(page(workshop))
    tap(invitation)

    assert f"From {opens:%H:%M} on {opens:%-d %B} you can tap who is here." in text
    assert "aria-pressed" not in text
    assert not is_here(invitation)


@pytest.mark.parametrize(("seconds", "is_marked"), [(-1, False), (0, True)])
def test_the_door_opens_half_an_hour_before_the_start(seconds, is_marked):
    invitation = InvitationFactory(answer=Answer.ATTENDING)
    workshop = invitation.workshop
    at = workshop.starts_at - timedelta(minutes=30) + timedelta(seconds=seconds)

    with suppress(attending.DoorIsClosed):
        attending.mark(invitation, is_here=True, by=organiser_of(workshop.chapter), at=at)

    assert is_here(invitation) is is_marked


def test_a_list_can_be_put_right_weeks_later():
    invitation = InvitationFactory(workshop=WorkshopFactory(past=True), answer=Answer.ATTENDING)

    tap(invitation)

    assert is_here(invitation)


@pytest.mark.parametrize("answer", [Answer.NONE, Answer.WAITING, Answer.DECLINED])
def test_only_who_has_a_place_is_marked(answer):
    invitation = InvitationFactory(workshop=tonight(), answer=answer)

    response = tap(invitation, headers=HTMX)

    assert response.headers["HX-Refresh"] == "true"
    assert not is_here(invitation)


def test_nobody_is_here_at_a_cancelled_workshop():
    invitation = InvitationFactory(workshop=tonight(cancelled=True), answer=Answer.ATTENDING)

    tap(invitation)

    assert not is_here(invitation)
    assert "This workshop is cancelled." in words(page(invitation.workshop))


@pytest.mark.parametrize("here", ["", "2", "\0", "x" * 10_000])
def test_a_tap_that_cannot_be_read_marks_nobody(here):
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)

    response = tap(invitation, here=here)

    assert response.status_code == 302
    assert not is_here(invitation)


def test_who_is_marked_as_here_keeps_the_place():
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)
    tap(invitation)

    with pytest.raises(rsvps.WasHere):
        attending.take_back(
            invitation, by=organiser_of(invitation.workshop.chapter), at=timezone.now()
        )

    assert Invitation.objects.get(pk=invitation.pk).is_attending


def test_the_history_names_who_marked_whom():
    invitation = arrived_a_minute_ago()
    organiser = organiser_of(invitation.workshop.chapter)

    tap(invitation, by=organiser, here="0")
    tap(invitation, by=organiser)

    assert list(Activity.objects.order_by("pk").values_list("by", "did", "member")) == [
        (organiser.pk, "marked as not here", invitation.member_id),
        (organiser.pk, "marked as here", invitation.member_id),
    ]


def test_when_the_session_ended_the_whole_page_goes_to_sign_in():
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)

    response = Client().post(
        reverse("mark", args=[invitation.workshop_id, invitation.pk]), {"here": "1"}, headers=HTMX
    )

    door = reverse("door", args=[invitation.workshop_id])
    assert response.headers["HX-Redirect"] == f"/accounts/login/?next={door}"
    assert not is_here(invitation)


@pytest.mark.parametrize("somebody", ["member", "organiser elsewhere"])
def test_nobody_else_marks(somebody):
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)
    by = MemberFactory() if somebody == "member" else organiser_of(ChapterFactory())

    assert tap(invitation, by=by).status_code == 404
    assert not is_here(invitation)


def test_an_invitation_of_another_workshop_is_not_there():
    workshop = tonight()
    elsewhere = InvitationFactory(answer=Answer.ATTENDING)

    response = signed_in(organiser_of(workshop.chapter)).post(
        reverse("mark", args=[workshop.pk, elsewhere.pk]), {"here": "1"}
    )

    assert response.status_code == 404


def test_queries_do_not_grow_with_the_list(django_assert_num_queries):
    workshop = tonight()
    organiser = organiser_of(workshop.chapter)
    for more in (1, 2):
        InvitationFactory.create_batch(more, workshop=workshop, answer=Answer.ATTENDING)
        client = signed_in(organiser)
        with django_assert_num_queries(9):
            client.get(reverse("door", args=[workshop.pk]))


def test_a_hundred_people_weigh_little_on_a_phone():
    workshop = tonight(student_spaces=100)
    InvitationFactory.create_batch(100, workshop=workshop, answer=Answer.ATTENDING)

    assert len(page(workshop).content) < 60_000


@pytest.mark.django_db(transaction=True)
def test_two_phones_at_the_same_door_mark_once():
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)
    organiser = organiser_of(invitation.workshop.chapter)

    def tap_at(seconds):
        def mark():
            at = timezone.now() + timedelta(seconds=seconds)
            return attending.mark(invitation, is_here=True, by=organiser, at=at).attended_at

        return mark

    arrivals = at_once(*(tap_at(seconds) for seconds in range(6)))

    assert len(set(arrivals)) == 1
    assert Activity.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_tap_while_the_place_is_taken_back_leaves_nobody_here_without_a_place():
    invitation = InvitationFactory(workshop=tonight(), answer=Answer.ATTENDING)
    organiser = organiser_of(invitation.workshop.chapter)

    def mark():
        try:
            attending.mark(invitation, is_here=True, by=organiser, at=timezone.now())
        except attending.NotComing:
            return "no place"
        return "here"

    def take_back():
        try:
            attending.take_back(invitation, by=organiser, at=timezone.now())
        except rsvps.WasHere:
            return "was here"
        return "taken back"

    outcome = at_once(mark, take_back)

    invitation.refresh_from_db()
    assert outcome in (["here", "was here"], ["no place", "taken back"])
    assert (invitation.attended_at is not None) == invitation.is_attending
