"""A member's own pages: what is coming up, the invitations, and everything we hold about them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role
from invitations.models import Answer, FeedbackRequest
from invitations.queries import line
from invitations.services import subscribing
from logs.models import Activity, EntryStatus
from logs.services import activities, bounces
from members.models import Member
from tests.factories import (
    BanFactory,
    BounceFactory,
    ChapterFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    MemberFactory,
    NoteFactory,
    NoticeFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)

pytestmark = pytest.mark.django_db

QUERIES_OF_MY_PAGE = 15
QUERIES_OF_MY_INVITATIONS = 9
QUERIES_OF_MY_DATA = 18


@pytest.fixture
def amina() -> Member:
    member: Member = MemberFactory(name="Amina", surname="Yusuf")
    return member


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def my_page(member: Member):
    return signed_in(member).get(reverse("dashboard"))


def my_invitations(member: Member, **query: str):
    return signed_in(member).get(reverse("my_invitations"), query)


def names(evenings) -> list[str]:
    return [evening.workshop.chapter.name for evening in evenings]


# ---- My page -------------------------------------------------------------------------------


def test_who_is_in_no_group_is_led_to_the_groups(amina):
    page = my_page(amina)

    assert "You are in no group yet" in words(page)
    assert f'href="{reverse("subscriptions")}">Choose your groups</a>' in words(page)


def test_without_a_workshop_the_page_says_so_and_leads_on(amina):
    subscribe(amina, ChapterFactory(), Role.STUDENT)

    page = words(my_page(amina))

    assert "No workshop of your chapters is planned at the moment." in page
    assert f'href="{reverse("upcoming")}">Workshops of every chapter</a>' in page


def test_a_place_is_the_first_thing_said(amina):
    workshop = WorkshopFactory(chapter__name="Leeds")
    InvitationFactory(workshop=workshop, member=amina, answer=Answer.ATTENDING)

    page = my_page(amina)

    day = f"{workshop.local_start:%A} {workshop.local_start.day} {workshop.local_start:%B}"
    assert f"You have a place at codebar Leeds on {day}, {workshop.local_start:%H:%M}." in words(
        page
    )
    assert names(page.context["coming_up"].held) == ["Leeds"]


def test_whoever_waits_reads_their_place_in_line(amina):
    workshop = WorkshopFactory(chapter__name="Leeds", student_spaces=1)
    hour_ago = timezone.now() - timedelta(hours=1)
    for minutes, member in ((3, MemberFactory()), (2, amina), (1, MemberFactory())):
        InvitationFactory(
            workshop=workshop,
            member=member,
            answer=Answer.WAITING,
            answered_at=hour_ago - timedelta(minutes=minutes),
        )
    InvitationFactory(workshop=workshop, role=Role.COACH, answer=Answer.WAITING)

    page = my_page(amina)

    assert "You are no. 2 in line for codebar Leeds" in words(page)
    (held,) = page.context["coming_up"].held
    assert held.position == line.position_of(held.invitation) == 2


def test_an_open_invitation_asks_for_an_answer(amina):
    invitation = InvitationFactory(member=amina)

    page = words(my_page(amina))

    assert "1 invitation waits for your answer." in page
    assert f'href="{invitation.get_absolute_url()}">Answer' in page


def test_what_was_cancelled_is_named_as_that(amina):
    workshop = WorkshopFactory(chapter__name="Leeds", cancelled=True)
    InvitationFactory(workshop=workshop, member=amina, answer=Answer.ATTENDING)

    page = words(my_page(amina))

    assert "The workshop of codebar Leeds" in page
    assert "is cancelled." in page


def test_only_workshops_of_my_chapters_are_listed_and_mine_once(amina):
    mine = subscribe(amina, ChapterFactory(name="Leeds"), Role.STUDENT).groups.get().chapter
    for days in (20, 10):
        WorkshopFactory(chapter=mine, starts_at=in_days(days))
    WorkshopFactory(chapter=mine, past=True)
    WorkshopFactory(chapter=mine, cancelled=True)
    WorkshopFactory(chapter__name="Kyiv")
    held = WorkshopFactory(chapter=mine)
    InvitationFactory(workshop=held, member=amina, answer=Answer.ATTENDING)

    coming_up = my_page(amina).context["coming_up"]

    assert [evening.workshop for evening in coming_up.held] == [held]
    assert names(coming_up.others) == ["Leeds", "Leeds"]
    assert coming_up.others[0].workshop.starts_at < coming_up.others[1].workshop.starts_at


def test_a_declined_invitation_is_still_listed_with_the_answer(amina):
    InvitationFactory(member=amina, answer=Answer.DECLINED)

    page = my_page(amina)

    assert "you said no" in words(page)
    assert "waits for your answer" not in words(page)


def test_my_past_is_there(amina):
    InvitationFactory(
        workshop__chapter__name="Leeds",
        workshop__past=True,
        member=amina,
        answer=Answer.ATTENDING,
        attended_at=in_days(-14),
    )

    page = my_page(amina)

    assert names(page.context["attended"]) == ["Leeds"]
    assert "you were there" in words(page)


def test_nobody_sees_what_is_anothers(amina):
    InvitationFactory(answer=Answer.ATTENDING)

    page = my_page(amina)

    assert (page.context["coming_up"].held, page.context["chapters"]) == ([], [])


def test_times_are_those_of_the_chapter(amina):
    chapter = ChapterFactory(name="Berlin", time_zone="Europe/Berlin")
    workshop = WorkshopFactory(chapter=chapter)
    InvitationFactory(workshop=workshop, member=amina, answer=Answer.ATTENDING)

    page = words(my_page(amina))

    hours = f"{workshop.local_start:%H:%M}\N{EN DASH}{workshop.local_end:%H:%M}"
    assert f"{hours} {workshop.local_start:%Z}" in page


@pytest.mark.parametrize("many", [1, 3])
def test_my_page_takes_as_many_queries_for_three_of_each_as_for_one(
    amina, django_assert_num_queries, many
):
    for nr in range(many):
        chapter = chapter_with(name=f"Chapter {nr}")
        subscribe(amina, chapter, Role.STUDENT)
        WorkshopFactory(chapter=chapter)
        InvitationFactory(workshop__chapter=chapter, member=amina)
        InvitationFactory(workshop__chapter=chapter, member=amina, answer=Answer.ATTENDING)
        InvitationFactory(
            workshop__chapter=chapter, workshop__past=True, member=amina, attended_at=in_days(-14)
        )
    client = signed_in(amina)

    with django_assert_num_queries(QUERIES_OF_MY_PAGE):
        client.get(reverse("dashboard"))


# ---- My invitations ------------------------------------------------------------------------


@pytest.fixture
def invited(amina) -> Member:
    """To one workshop to come, to one they went to, and to one they did not."""
    InvitationFactory(workshop__chapter__name="Leeds", member=amina)
    for name, attended_at in (("Kyiv", in_days(-14)), ("Lund", None)):
        InvitationFactory(
            workshop__chapter__name=name,
            workshop__past=True,
            member=amina,
            answer=Answer.ATTENDING,
            attended_at=attended_at,
        )
    return amina


@pytest.mark.parametrize(
    ("show", "listed"),
    [
        ("", {"Leeds"}),
        ("upcoming", {"Leeds"}),
        ("attended", {"Kyiv"}),
        ("all", {"Leeds", "Kyiv", "Lund"}),
        ("nonsense\x00", {"Leeds"}),
    ],
)
def test_invitations_are_shown_as_chosen(invited, show, listed):
    page = my_invitations(invited, show=show)

    assert set(names(page.context["evenings"])) == listed


def test_each_choice_says_how_many_there_are(invited):
    page = words(my_invitations(invited))

    assert 'Coming up <span class="number">1</span>' in page
    assert 'You came <span class="number">1</span>' in page
    assert 'All <span class="number">3</span>' in page


@pytest.mark.parametrize(
    ("show", "said"), [("", "No invitation is open"), ("attended", "None yet")]
)
def test_an_empty_list_says_what_will_be_there(amina, show, said):
    assert said in words(my_invitations(amina, show=show))


@pytest.mark.parametrize("page", ["2", "99", "0", "x", "-1"])
def test_a_long_list_has_pages_and_any_number_leads_to_one(amina, page):
    InvitationFactory.create_batch(21, member=amina)

    found = my_invitations(amina, page=page)

    assert found.status_code == 200
    assert found.context["page"].paginator.num_pages == 2


def test_pages_keep_what_was_chosen(amina):
    InvitationFactory.create_batch(21, member=amina, workshop__past=True, attended_at=in_days(-14))

    assert "?show=attended&amp;page=2" in words(my_invitations(amina, show="attended"))


@pytest.mark.parametrize("many", [1, 3])
def test_my_invitations_take_as_many_queries_for_three_as_for_one(
    amina, django_assert_num_queries, many
):
    for _ in range(many):
        InvitationFactory(member=amina, answer=Answer.WAITING)
    client = signed_in(amina)

    with django_assert_num_queries(QUERIES_OF_MY_INVITATIONS):
        client.get(reverse("my_invitations"))


# ---- Everything we hold --------------------------------------------------------------------


def my_data(member: Member) -> dict[str, object]:
    answer = signed_in(member).get(reverse("my_data"))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="codebar-my-data.json"'
    return json.loads(answer.content)


def test_the_file_has_everything_we_hold(amina):
    workshop = WorkshopFactory(chapter__name="Leeds")
    olu = organiser_of(workshop.chapter)
    subscribing.join(amina, chapter_with(name="Kyiv").groups.get(role=Role.STUDENT))
    subscribing.leave(amina, at=timezone.now())
    invitation = InvitationFactory(
        workshop=workshop, member=amina, answer=Answer.ATTENDING, note="I come late"
    )
    InvitationLogEntryFactory(log=None, member=amina, workshop=workshop, status=EntryStatus.SUCCESS)
    FeedbackRequest.objects.create(invitation=invitation)
    BanFactory(member=amina, added_by=olu, reason="Offensive behaviour", explanation="As we said")
    NoticeFactory(member=amina, sent_by=olu)
    EmailAddress.objects.create(user=amina, email=amina.email, verified=True)
    SocialAccount.objects.create(user=amina, provider="github", uid="17")
    amina.organised_chapters.add(workshop.chapter)
    BounceFactory(member=amina, entry=amina.log_entries.get(action="invite"))
    activities.note(bounces.GAVE_UP, by=None, member=amina)

    data = my_data(amina)

    assert (data["profile"]["name"], data["profile"]["email"]) == ("Amina", amina.email)
    assert [row["uid"] for row in data["sign_in"]["accounts_elsewhere"]] == ["17"]
    assert [row["email"] for row in data["sign_in"]["addresses"]] == [amina.email]
    assert [row["chapter_name"] for row in data["groups"]] == ["Leeds"]
    assert [row["chapter_name"] for row in data["groups_left"]] == ["Kyiv"]
    assert [(row["note"], row["who_answered"]) for row in data["invitations"]] == [
        ("I come late", "you")
    ]
    assert [(row["action"], row["status"]) for row in data["letters"]] == [
        ("welcome", "pending"),
        ("invite", "success"),
    ]
    assert [row["chapter_name"] for row in data["questions_how_it_was"]] == ["Leeds"]
    assert [row["explanation"] for row in data["suspensions"]] == ["As we said"]
    assert [row["kind"] for row in data["letters_of_organisers"]] == ["attendance"]
    assert data["organises"]["chapters"] == ["Leeds"]
    assert [
        (row["kind"], row["code"], row["letter"]) for row in data["letters_that_came_back"]
    ] == [("soft", "5.2.2", "invite")]
    assert [(row["who"], row["did"]) for row in data["history"]] == [
        ("you", "joined the group Students"),
        ("you", "left the group Students"),
        ("codebar", bounces.GAVE_UP),
    ]


def test_the_file_names_nobody_else_and_holds_no_key(amina):
    workshop = WorkshopFactory()
    olu = organiser_of(workshop.chapter)
    invitation = InvitationFactory(
        workshop=workshop,
        member=amina,
        answer=Answer.ATTENDING,
        answered_by=olu,
        override_reason="She asked",
    )
    NoteFactory(member=amina, author=olu, text="Grace complained about her")
    BanFactory(member=amina, added_by=olu, note="See what Grace wrote")
    bruno = MemberFactory(name="Bruno", surname="Brandt")
    Activity.objects.create(did="suspended this account", by=olu, member=amina, remark="A reason")
    Activity.objects.create(did="wrote a note", by=amina, member=bruno, remark="about Bruno")

    data = my_data(amina)

    text = json.dumps(data)
    hidden = ("Olu", olu.email, "Bruno", "Brandt", "Grace", invitation.token)
    assert [word for word in hidden if word in text] == []
    assert len(data["notes_of_organisers"]) == 2
    assert "somebody reads them before you get them" in " ".join(data["about_this_file"])
    assert [(row["did"], row["who"]) for row in data["history"]] == [
        ("suspended this account", "an organiser"),
        ("wrote a note", "you"),
    ]


def test_the_file_is_ones_own(amina):
    bruno = MemberFactory(name="Bruno")
    InvitationFactory(member=bruno)

    assert my_data(amina)["invitations"] == []


@pytest.mark.parametrize("many", [1, 3])
def test_the_file_takes_as_many_queries_for_three_of_each_as_for_one(
    amina, django_assert_num_queries, many
):
    for _ in range(many):
        InvitationFactory(member=amina)
        InvitationLogEntryFactory(member=amina)
        BanFactory(member=amina)
    client = signed_in(amina)

    with django_assert_num_queries(QUERIES_OF_MY_DATA):
        client.get(reverse("my_data"))
