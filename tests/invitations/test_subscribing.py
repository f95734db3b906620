"""Choosing groups: joining and leaving with one tap, and the letter that welcomes people."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chapters.models import Departure, Group, Role, Subscription
from invitations.services import subscribing
from logs.models import Action, Activity, EntryStatus, InvitationLogEntry
from members.models import Member
from tests.factories import (
    ChapterFactory,
    GroupFactory,
    MemberFactory,
    SubscriptionFactory,
    WorkshopFactory,
    chapter_with,
    subscribe,
)
from tests.support.here import send_here
from tests.support.processes import Station
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

QUERIES_OF_THE_PAGE = 7


@pytest.fixture
def amina() -> Member:
    member: Member = MemberFactory(name="Amina")
    return member


@pytest.fixture
def students() -> Group:
    group: Group = chapter_with(name="Brighton").groups.get(role=Role.STUDENT)
    return group


def signed_in(member: Member, **options: bool) -> Client:
    client = Client(**options)
    client.force_login(member)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def groups_of(member: Member) -> list[str]:
    return sorted(member.subscriptions.values_list("group__name", flat=True))


def tap(client: Client, name: str, group: Group, **options):
    return client.post(reverse(name, args=[group.pk]), **options)


def welcomes(member: Member) -> list[tuple[str, str]]:
    entries = InvitationLogEntry.objects.filter(member=member, action=Action.WELCOME)
    return list(entries.order_by("pk").values_list("occasion", "status"))


def history(member: Member) -> list[str]:
    return list(Activity.objects.filter(member=member).order_by("pk").values_list("did", flat=True))


# ---- The story -----------------------------------------------------------------------------


def test_who_joins_is_in_the_group_and_gets_a_welcome(amina, students):
    is_new = subscribing.join(amina, students)

    assert (is_new, groups_of(amina)) == (True, ["Students"])
    assert welcomes(amina) == [("student", "pending")]
    assert history(amina) == ["joined the group Students"]


def test_joining_twice_changes_nothing(amina, students):
    answers = [subscribing.join(amina, students) for _ in range(2)]

    assert answers == [True, False]
    assert welcomes(amina) == [("student", "pending")]
    assert history(amina) == ["joined the group Students"]


def test_two_taps_at_the_same_moment_make_one_row_and_one_welcome(ledger):
    amina, students = MemberFactory(), GroupFactory()

    answers = at_once(*[lambda: subscribing.join(amina, students)] * 4)

    assert sorted(answers) == [False, False, False, True]
    assert Subscription.objects.count() == 1
    assert welcomes(amina) == [("student", "pending")]
    assert Activity.objects.count() == 1


def test_each_role_is_welcomed_once_for_ever(amina, students):
    coaches = students.chapter.groups.get(role=Role.COACH)
    elsewhere = GroupFactory(role=Role.STUDENT)

    for group in (students, elsewhere, coaches):
        subscribing.join(amina, group)
    subscribing.leave(amina, at=timezone.now())
    for group in (coaches, students):
        subscribing.join(amina, group)

    assert welcomes(amina) == [("student", "pending"), ("coach", "pending")]


def test_who_leaves_is_remembered_until_they_join_again(amina, students):
    subscribing.join(amina, students)
    theirs = Subscription.objects.filter(group=students)

    left = [subscribing.leave(amina, theirs, at=timezone.now()) for _ in range(2)]

    assert left == [[students], []]
    assert Departure.objects.filter(member=amina, group=students).exists()
    assert history(amina) == ["joined the group Students", "left the group Students"]
    subscribing.join(amina, students)
    assert not Departure.objects.exists()


def test_leaving_everything_leaves_others_alone(amina, students):
    subscribe(amina, students.chapter, Role.STUDENT, Role.COACH)
    bruno = subscribe(MemberFactory(), students.chapter, Role.STUDENT)

    left = subscribing.leave(amina, at=timezone.now())

    assert sorted(group.name for group in left) == ["Coaches", "Students"]
    assert (groups_of(amina), groups_of(bruno)) == ([], ["Students"])


def test_joining_and_leaving_at_the_same_moment_end_in_one_of_both(ledger):
    amina, students = MemberFactory(), GroupFactory()

    at_once(
        lambda: subscribing.join(amina, students),
        lambda: subscribing.leave(amina, at=timezone.now()),
    )

    has_left = Departure.objects.filter(member=amina).exists()
    assert has_left is not Subscription.objects.filter(member=amina).exists()


def test_a_closed_account_joins_nothing(students):
    gone = MemberFactory(closed=True)

    with pytest.raises(subscribing.AccountClosed):
        subscribing.join(gone, students)

    assert groups_of(gone) == []


def test_a_chapter_that_takes_a_break_can_be_left_and_not_joined(amina):
    group = GroupFactory(chapter=ChapterFactory(name="Lund", is_active=False))
    SubscriptionFactory(member=amina, group=group)

    subscribing.leave(amina, at=timezone.now())
    with pytest.raises(subscribing.ChapterResting) as refusal:
        subscribing.join(amina, group)

    assert refusal.value.message == "codebar Lund takes a break, so nobody can join it now."
    assert groups_of(amina) == []


def test_a_group_that_was_deleted_meanwhile_is_named_as_gone(amina, students):
    Group.objects.filter(pk=students.pk).delete()

    with pytest.raises(subscribing.GroupGone):
        subscribing.join(amina, students)


# ---- The letter ----------------------------------------------------------------------------


def test_the_welcome_leaves_and_can_be_stopped(station: Station):
    amina, students = MemberFactory(name="Amina"), GroupFactory()
    subscribing.join(amina, students)

    send_here()

    (message,) = [letter.message for letter in station.sink.letters]
    assert (message["To"], message["Subject"]) == (amina.email, "Welcome to codebar")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = message.get_body(("plain",)).get_content()
    assert "Hello Amina, we are glad you want to learn with us." in " ".join(text.split())
    assert message["List-Unsubscribe"].strip("<>") in text


@pytest.mark.parametrize(
    ("role", "words_of_it"),
    [
        (Role.STUDENT, "we are glad you want to learn with us"),
        (Role.COACH, "thank you for coaching with us"),
    ],
)
def test_students_and_coaches_read_different_words(station: Station, role, words_of_it):
    subscribing.join(MemberFactory(), GroupFactory(role=role))

    send_here()

    (message,) = [letter.message for letter in station.sink.letters]
    bodies = [message.get_body((kind,)).get_content() for kind in ("plain", "html")]
    assert [words_of_it in " ".join(body.split()) for body in bodies] == [True, True]


def test_who_has_left_again_is_not_welcomed(station: Station):
    amina, students = MemberFactory(), GroupFactory()
    subscribing.join(amina, students)
    subscribing.leave(amina, at=timezone.now())

    send_here()

    assert station.sink.letters == []
    assert welcomes(amina) == [("student", EntryStatus.SKIPPED)]


def test_who_comes_back_before_any_welcome_left_is_welcomed_then(station: Station):
    amina, students = MemberFactory(), GroupFactory()
    subscribing.join(amina, students)
    subscribing.leave(amina, at=timezone.now())
    send_here()

    for _ in range(2):
        subscribing.join(amina, students)
        send_here()
        subscribing.leave(amina, at=timezone.now())

    assert [letter.recipient for letter in station.sink.letters] == [amina.email]
    assert welcomes(amina) == [("student", EntryStatus.SUCCESS)]


# ---- The page ------------------------------------------------------------------------------


def test_what_one_is_in_comes_first_then_every_chapter_by_city(amina):
    for city in ("Zagreb", "Aarhus", "Kyiv"):
        chapter_with(name=city)
    subscribe(amina, Group.objects.filter(chapter__name="Kyiv").first().chapter, Role.COACH)

    page = signed_in(amina).get(reverse("subscriptions"))

    assert [choice.chapter.name for choice in page.context["mine"]] == ["Kyiv"]
    assert [choice.chapter.name for choice in page.context["others"]] == ["Aarhus", "Zagreb"]
    assert "We invite you to the workshops of 1 group." in words(page)


def test_a_chapter_that_takes_a_break_is_listed_only_to_who_is_in_it(amina):
    resting = ChapterFactory(name="Lund", is_active=False)
    subscribe(amina, resting, Role.STUDENT)

    pages = [signed_in(one).get(reverse("subscriptions")) for one in (amina, MemberFactory())]

    assert ["Lund" in words(page) for page in pages] == [True, False]


def test_a_tap_joins_and_another_one_leaves(amina, students):
    client = signed_in(amina)

    joined = tap(client, "subscribe", students, follow=True)
    assert groups_of(amina) == ["Students"]
    assert "You are in Students of codebar Brighton now." in words(joined)

    left = tap(client, "leave", students, follow=True)
    assert groups_of(amina) == []
    assert "You have left Students of codebar Brighton." in words(left)


@pytest.mark.parametrize(("name", "after"), [("subscribe", ["Students"]), ("leave", [])])
def test_a_double_tap_is_harmless(amina, students, name, after):
    client = signed_in(amina)

    answers = [tap(client, name, students).status_code for _ in range(2)]

    assert (answers, groups_of(amina)) == ([302, 302], after)


def test_with_htmx_only_the_card_changes(amina, students):
    answer = tap(signed_in(amina), "subscribe", students, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert "<html" not in words(answer)
    assert f'id="chapter-{students.chapter_id}"' in words(answer)
    assert reverse("leave", args=[students.pk]) in words(answer)
    assert "We invite you to the workshops of 1 group." in words(answer)


def test_a_tap_that_is_refused_says_why(amina):
    group = GroupFactory(chapter=ChapterFactory(name="Lund", is_active=False))

    page = tap(signed_in(amina), "subscribe", group, follow=True)

    assert "codebar Lund takes a break" in words(page)
    assert groups_of(amina) == []


def test_whoever_tapped_elsewhere_comes_back_there_and_nowhere_foreign(amina, students):
    client = signed_in(amina)
    list_of_chapters = f"{reverse('subscriptions')}#chapter-{students.chapter_id}"

    back = [
        tap(client, "subscribe", students, data={"next": address}).headers["Location"]
        for address in ("/brighton", "https://evil.example/", "//evil.example", "/\\evil.example")
    ]

    assert back == ["/brighton", *[list_of_chapters] * 3]


@pytest.mark.parametrize("name", ["subscribe", "leave"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_address_of_a_tap_changes_nothing(amina, students, name, method):
    if name == "leave":
        subscribing.join(amina, students)
    before = groups_of(amina)

    answer = getattr(signed_in(amina), method)(reverse(name, args=[students.pk]))

    assert (answer.headers["Location"], groups_of(amina)) == (reverse("subscriptions"), before)


@pytest.mark.parametrize("name", ["subscribe", "leave"])
def test_without_a_session_one_signs_in_and_comes_back_to_the_list(students, name):
    sign_in = f"{reverse('account_login')}?next={reverse('subscriptions')}"

    plain = tap(Client(), name, students)
    part = tap(Client(), name, students, headers={"HX-Request": "true"})

    assert plain.headers["Location"] == sign_in
    assert part.headers["HX-Redirect"] == sign_in


@pytest.mark.parametrize("name", ["subscribe", "leave"])
@pytest.mark.parametrize("number", [999_999, 10**30])
def test_a_group_that_does_not_exist_is_not_there(amina, name, number):
    assert signed_in(amina).post(reverse(name, args=[number])).status_code == 404


def test_a_forged_form_is_refused(amina, students):
    client = signed_in(amina, enforce_csrf_checks=True)

    assert tap(client, "subscribe", students).status_code == 403
    assert groups_of(amina) == []


@pytest.mark.parametrize("wanted", ["righ", "BRIGHTON", " brighton "])
def test_a_chapter_is_found_by_a_part_of_its_name(amina, students, wanted):
    chapter_with(name="Leeds")

    page = signed_in(amina).get(reverse("subscriptions"), {"name": wanted})

    assert [choice.chapter.name for choice in page.context["others"]] == ["Brighton"]


@pytest.mark.parametrize("wanted", ["x" * 5000, "a\x00b", "Atlantis"])
def test_what_no_chapter_is_called_is_answered_by_a_page(amina, students, wanted):
    page = signed_in(amina).get(reverse("subscriptions"), {"name": wanted})

    assert page.status_code == 200


def test_whoever_came_for_a_workshop_finds_its_chapter_first():
    """Somebody new: signing up led here, and the chapter they want may be the last of many."""
    for name in ("Aachen", "Berlin"):
        chapter_with(name=name)
    wanted = chapter_with(name="York")
    workshop = WorkshopFactory(chapter=wanted)
    client = signed_in(MemberFactory())

    def listed(came_for: str) -> list[str]:
        page = client.get(reverse("subscriptions"), {"next": came_for})
        return [choice.chapter.name for choice in page.context["others"]]

    assert listed(f"/workshops/{workshop.pk}") == ["York", "Aachen", "Berlin"]
    assert listed(f"/{wanted.slug}?a=b") == ["York", "Aachen", "Berlin"]
    for elsewhere in ("", "/faq", "/no/such/page", f"/workshops/{10**30}", "//evil.example/york"):
        assert listed(elsewhere) == ["Aachen", "Berlin", "York"], elsewhere


def test_nobody_reads_anothers_groups(amina, students):
    subscribing.join(amina, students)

    page = signed_in(MemberFactory()).get(reverse("subscriptions"))

    assert page.context["mine"] == []


def test_leaving_everything_is_asked_first_and_says_what_stays(amina, students):
    subscribe(amina, students.chapter, Role.STUDENT, Role.COACH)
    client = signed_in(amina)

    page = client.get(reverse("leave_all"))
    assert "codebar Brighton: Students, Coaches" in words(page)
    assert "A place you have at a workshop is still yours" in words(page)
    assert groups_of(amina) == ["Coaches", "Students"]

    after = client.post(reverse("leave_all"), follow=True)
    assert "You have left 2 groups." in words(after)
    assert groups_of(amina) == []
    assert "You are in no group." in words(client.post(reverse("leave_all"), follow=True))


@pytest.mark.parametrize("chapters", [1, 3])
def test_as_many_queries_for_three_chapters_as_for_one(amina, django_assert_num_queries, chapters):
    for nr in range(chapters):
        subscribe(amina, chapter_with(name=f"Mine {nr}"), Role.STUDENT)
        chapter_with(name=f"Other {nr}")
    client = signed_in(amina)

    with django_assert_num_queries(QUERIES_OF_THE_PAGE):
        client.get(reverse("subscriptions"))
