"""The demo has the shapes of planner's own records, at every size, and never meets real people."""

from collections import Counter
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, QuerySet
from django.utils import timezone

from chapters.models import Chapter, Sponsor, Subscription, Workshop
from chapters.queries import host_of
from invitations.models import Answer, Invitation
from invitations.services import demo
from logs.models import InvitationLog, InvitationLogEntry
from members.models import Ban, Member
from tests.factories import ChapterFactory, MemberFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def make(**numbers: int) -> demo.Made:
    return demo.make(at=timezone.now(), advance=lambda _: None, **numbers)


def in_several_groups() -> QuerySet[Subscription]:
    """A row for each member and chapter with several subscriptions."""
    return (
        Subscription.objects.values("member", "group__chapter")
        .annotate(groups=Count("pk"))
        .filter(groups__gt=1)
    )


def test_full_size_has_the_figures_of_the_record():
    made = make()

    london = Chapter.objects.get(name="London")
    doubled = in_several_groups()
    reachable = Member.objects.able_to_be_invited().filter(groups__chapter=london).distinct()
    assert made.chapters == Chapter.objects.count() == 54
    assert doubled.values("group__chapter").distinct().count() == 46
    in_london = doubled.filter(group__chapter=london).values("member")
    assert in_london.count() == reachable.filter(pk__in=in_london).count() == 336
    assert 4250 <= reachable.count() <= 4350


def test_in_london_some_are_in_several_groups_of_a_role_and_some_in_both_roles():
    make(chapters=1, members=400)

    shapes = {
        (roles.count("student"), roles.count("coach"))
        for roles in _roles_by_member().values()
        if len(roles) > 1
    }
    assert shapes == {(1, 1), (2, 0), (0, 2), (2, 2)}


def _roles_by_member() -> dict[int, list[str]]:
    roles: dict[int, list[str]] = {}
    for member, role in Subscription.objects.values_list("member", "group__role"):
        roles.setdefault(member, []).append(role)
    return roles


@pytest.mark.parametrize(("chapters", "members"), [(1, 10), (3, 60), (54, 540)])
def test_smaller_sizes_keep_every_shape(chapters, members):
    made = make(chapters=chapters, members=members)

    now = timezone.now()
    bans: dict[int, list[Ban]] = {}
    for ban in Ban.objects.all():
        bans.setdefault(ban.member_id, []).append(ban)
    shapes = {
        tuple(sorted("permanent" if b.is_permanent else str(b.is_active_at(now)) for b in of_one))
        for of_one in bans.values()
    }
    assert made.members == Member.objects.count() == members + 3
    assert Chapter.objects.count() == chapters
    assert shapes == {("False",), ("True",), ("False", "True"), ("permanent",)}
    assert Member.objects.filter(accepted_terms_at=None).exists()
    assert Member.objects.exclude(address_unusable_at=None).exists()
    assert Member.objects.exclude(closed_at=None).exists()
    assert in_several_groups().exists()


def test_london_has_every_kind_of_workshop():
    make(chapters=2, members=100)

    london = Chapter.objects.get(name="London")
    kinds = Counter(
        (w.starts_at < timezone.now(), w.is_virtual, w.is_invitable, host_of(w) is not None)
        for w in london.workshops.all()
    )
    assert kinds == {
        (False, False, True, True): 1,  # the next one
        (True, False, True, True): 13,  # the last one, and a year of them
        (False, True, True, False): 1,  # a call
        (False, False, True, False): 1,  # without a venue
        (False, False, False, True): 1,  # not invitable
    }


def test_a_workshop_begins_at_half_past_six_on_the_clocks_of_its_chapter():
    make(chapters=10, members=200)

    assert {f"{w.local_start:%H:%M}" for w in Workshop.objects.select_related("chapter")} == {
        "18:30"
    }


def test_the_last_workshop_has_answers_but_no_letter_is_invented():
    make(chapters=2, members=200)

    assert set(Invitation.objects.values_list("answer", flat=True)) == {
        Answer.NONE,
        Answer.ATTENDING,
        Answer.DECLINED,
    }
    assert not Invitation.objects.filter(workshop__starts_at__gt=timezone.now()).exists()
    came = Invitation.objects.exclude(attended_at=None)
    assert set(came.values_list("answer", flat=True)) == {Answer.ATTENDING}
    assert not InvitationLog.objects.exists()
    assert not InvitationLogEntry.objects.exists()


def test_the_three_people_to_sign_in_as():
    make(chapters=3, members=60)

    asha = Member.objects.get(email=demo.ORGANISER)
    amina = Member.objects.get(email=demo.MEMBER)
    assert set(asha.organised_chapters.values_list("name", flat=True)) == {"London", "Brighton"}
    assert set(amina.groups.values_list("chapter__name", "role")) == {
        (town, role) for town in ("London", "Brighton") for role in ("student", "coach")
    }
    assert Member.objects.get(is_superuser=True).email == demo.SUPERUSER


def test_nobody_could_ever_get_a_letter():
    make(chapters=3, members=60)

    assert not Member.objects.exclude(email__endswith=".example").exists()
    assert not Chapter.objects.exclude(email__endswith=".example").exists()


def test_same_numbers_make_the_same_people():
    def people_after_making(seed: int) -> list[tuple[str, str]]:
        demo.make(chapters=2, members=40, seed=seed, at=NOON, advance=lambda _: None)
        people = list(Member.objects.order_by("email").values_list("email", "groups__name"))
        _empty_the_house()
        return people

    assert people_after_making(7) == people_after_making(7) != people_after_making(8)


def _empty_the_house() -> None:
    Invitation.objects.all().delete()
    Workshop.objects.all().delete()
    Subscription.objects.all().delete()
    for chapter in Chapter.objects.all():
        chapter.groups.all().delete()
        chapter.delete()
    Sponsor.objects.all().delete()
    Ban.objects.all().delete()
    Member.objects.all().delete()


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ({"chapters": 0}, "There can be 1 to 54 chapters, not 0."),
        ({"chapters": 55}, "There can be 1 to 54 chapters, not 55."),
        (
            {"chapters": 3, "members": 29},
            "29 members are too few for 3 chapters: there must be at least 30.",
        ),
    ],
)
def test_numbers_without_sense_are_refused(numbers, why):
    with pytest.raises(CommandError, match=f"^{why}$"):
        call_command("seed_demo", "--force", **numbers)

    assert not Member.objects.exists()


def test_where_there_are_chapters_it_changes_nothing(settings):
    settings.DEBUG = True
    ChapterFactory(name="Real")

    with pytest.raises(CommandError, match="There are chapters here already"):
        call_command("seed_demo", "--chapters=2", "--members=40")

    assert [chapter.name for chapter in Chapter.objects.all()] == ["Real"]
    assert not Member.objects.exists()


def test_an_account_of_that_address_is_left_alone(settings):
    settings.DEBUG = True
    MemberFactory(email=demo.SUPERUSER)

    with pytest.raises(CommandError, match=r"admin@codebar\.example has an account already"):
        call_command("seed_demo", "--chapters=2", "--members=40")

    assert Member.objects.count() == 1


def test_without_DEBUG_only_by_force(settings, capsys):
    settings.DEBUG = False

    with pytest.raises(CommandError, match="DEBUG is off"):
        call_command("seed_demo", "--chapters=2", "--members=40")
    assert not Chapter.objects.exists()

    out = StringIO()
    call_command("seed_demo", "--chapters=2", "--members=40", "--force", stdout=out)

    assert out.getvalue() == (
        "2 chapters, 43 members, 34 workshops.\n"
        "Sign in as organiser asha@codebar.example, member amina@codebar.example"
        " or superuser admin@codebar.example.\n"
    )
    assert capsys.readouterr().err.splitlines() == [
        "Making the demo: 1 of 2",
        "Making the demo: 2 of 2",
    ]
