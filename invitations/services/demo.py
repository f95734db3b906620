"""
A house full of people for trying things out, in the shapes that planner's own records had.

Of 54 chapters 46 have members in several of their groups, in London 336 of some 4,300 whom one
click reaches; among them bans of every kind, missing terms, dead addresses and closed accounts.
No letter and no log is invented: those are for whoever tries it to make.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import Enum, auto
from itertools import count
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.text import slugify

from chapters.models import Chapter, Group, Role, Sponsor, Subscription, Workshop, WorkshopSponsor
from invitations.models import Answer, Invitation
from invitations.services.demo_material import (
    COMPANIES,
    MAIL_DOMAINS,
    NAMES,
    STREETS,
    SURNAMES,
    TOWNS,
    TUTORIALS,
)
from members.models import Ban, Member

ALL_CHAPTERS = len(TOWNS)
USUAL_MEMBERS = 12_000
FEWEST_MEMBERS = 10  # for each chapter, so that every shape still finds a place

ORGANISER = "asha@codebar.example"
MEMBER = "amina@codebar.example"
SUPERUSER = "admin@codebar.example"

SHARE_OF_LONDON = 0.39
SHARE_IN_SEVERAL_GROUPS_IN_LONDON = 336 / USUAL_MEMBERS
SHARE_IN_SEVERAL_GROUPS = 0.14
CHAPTERS_WITHOUT_DOUBLES = 8
SMALLEST_CHAPTER = 6
SHARE_OF_COACHES = 0.35
INVITED_BEFORE = 60
SHARE_WHO_COME = 0.85  # of those who said so
A_YEAR_OF_EVENINGS = tuple(-14 - 28 * nr for nr in range(13))  # days from now, the last one first
DIETS: list[list[str]] = [[]] * 16 + [
    ["vegetarian"],
    ["vegan"],
    ["halal"],
    ["gluten_free", "dairy_free"],
]


class Refused(Exception):
    """The demo was not made; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Shape(Enum):
    """In which way somebody can be invited, or cannot."""

    PLAIN = auto()
    BAN_EXPIRED = auto()
    BANNED = auto()
    BANNED_AGAIN = auto()
    BANNED_FOR_GOOD = auto()
    WITHOUT_TERMS = auto()
    UNREACHABLE = auto()
    CLOSED = auto()


SHARES = {
    Shape.BAN_EXPIRED: 0.01,
    Shape.BANNED: 0.01,
    Shape.BANNED_AGAIN: 0.005,
    Shape.BANNED_FOR_GOOD: 0.005,
    Shape.WITHOUT_TERMS: 0.04,
    Shape.UNREACHABLE: 0.015,
    Shape.CLOSED: 0.005,
}
CAN_BE_INVITED = (Shape.PLAIN, Shape.BAN_EXPIRED)


@dataclass(frozen=True)
class Made:
    """What there is now."""

    chapters: int
    members: int
    workshops: int


@dataclass
class _Person:
    member: Member
    shape: Shape
    groups: list[Group] = field(default_factory=list)


@dataclass
class _Demo:
    """What every step needs: the moment, the dice, a number for the next address, the cast."""

    at: datetime
    dice: random.Random
    serials: Iterator[int]
    organiser: Member
    member: Member
    admin: Member


@transaction.atomic
def make(
    *,
    chapters: int = ALL_CHAPTERS,
    members: int = USUAL_MEMBERS,
    seed: int = 1,
    at: datetime,
    advance: Callable[[int], None],
) -> Made:
    """
    Fill an empty house: all of it or nothing. The same numbers and moment make the same people.

    :param members: how many in all, besides the three to sign in as
    :param advance: called with 1 after each chapter
    :raises Refused: when somebody lives here already, or the numbers make no sense
    """
    _check_numbers(chapters=chapters, members=members)
    _check_nobody_is_here()
    dice = random.Random(seed)  # noqa: S311 -- a demo that can be repeated, no secret
    demo = _Demo(at, dice, count(1), *_cast(at))
    sizes = _sizes(chapters=chapters, members=members)
    for nr, ((town, zone), size) in enumerate(zip(TOWNS[:chapters], sizes, strict=True)):
        in_several = _how_many_in_several_groups(nr, size, members=members)
        _make_chapter(demo, nr, town, zone, size=size, in_several=in_several)
        advance(1)
    _refresh_statistics()
    return Made(chapters, Member.objects.count(), Workshop.objects.count())


def _check_numbers(*, chapters: int, members: int) -> None:
    if not 1 <= chapters <= ALL_CHAPTERS:
        raise Refused(f"There can be 1 to {ALL_CHAPTERS} chapters, not {chapters}.")
    if members < FEWEST_MEMBERS * chapters:
        raise Refused(
            f"{members:,} members are too few for {chapters} chapters:"
            f" there must be at least {FEWEST_MEMBERS * chapters:,}."
        )


def _check_nobody_is_here() -> None:
    with connection.cursor() as cursor:  # of two at the same moment the second waits, and refuses
        cursor.execute("LOCK TABLE chapters_chapter IN SHARE ROW EXCLUSIVE MODE")
    if Chapter.objects.exists():
        raise Refused(
            "There are chapters here already, and the demo is only for an empty database."
            " Nothing was changed."
        )
    taken = Member.objects.filter(email__in=[ORGANISER, MEMBER, SUPERUSER]).first()
    if taken:
        raise Refused(f"{taken.email} has an account already. Nothing was changed.")


def _refresh_statistics() -> None:
    # PostgreSQL still takes the tables for empty, and would join London row by row.
    tables = [model._meta.db_table for model in (Member, Ban, Group, Subscription, Invitation)]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def _cast(at: datetime) -> tuple[Member, Member, Member]:
    """The three to sign in as: an organiser, a member, a superuser."""
    since = at - timedelta(days=700)
    return (
        Member.objects.create_user(
            ORGANISER, name="Asha", surname="Rao", created_at=since, accepted_terms_at=since
        ),
        Member.objects.create_user(
            MEMBER, name="Amina", surname="Yusuf", created_at=since, accepted_terms_at=since
        ),
        Member.objects.create_superuser(
            SUPERUSER, name="Ada", surname="Admin", created_at=since, accepted_terms_at=since
        ),
    )


def _sizes(*, chapters: int, members: int) -> list[int]:
    """How many people each chapter has: London by far the most, the others fewer and fewer."""
    weights = [1 / (nr + 6) for nr in range(1, ALL_CHAPTERS)]
    to_share = members * (1 - SHARE_OF_LONDON) / sum(weights)
    others = [max(SMALLEST_CHAPTER, int(to_share * weight)) for weight in weights[: chapters - 1]]
    return [members - sum(others), *others]


def _how_many_in_several_groups(nr: int, size: int, *, members: int) -> int:
    if (nr + 1) * CHAPTERS_WITHOUT_DOUBLES % ALL_CHAPTERS < CHAPTERS_WITHOUT_DOUBLES:
        return 0
    if nr == 0:
        return max(1, round(members * SHARE_IN_SEVERAL_GROUPS_IN_LONDON))
    return max(1, round(size * SHARE_IN_SEVERAL_GROUPS))


def _make_chapter(
    demo: _Demo, nr: int, town: str, zone: str, *, size: int, in_several: int
) -> None:
    chapter = Chapter.objects.create(
        name=town,
        slug=slugify(town),
        email=f"{slugify(town)}@codebar.example",
        city=town,
        time_zone=ZoneInfo(zone),
        description=f"We meet in {town}, every second week.",
    )
    groups = _groups(chapter, many=nr % 3 == 0)
    crowd = _crowd(demo, size, every_shape=nr == 0)
    _subscribe_to_one(demo, crowd, groups)
    guests = _guests(demo, nr, groups)
    _subscribe_to_several(demo, crowd, groups, how_many=in_several - len(guests))
    _save(demo, crowd, guests)
    _name_organisers(demo, nr, chapter, crowd)
    _make_workshops(demo, nr, chapter, crowd)


def _groups(chapter: Chapter, *, many: bool) -> list[Group]:
    """One group of each role; or two, as in the larger chapters."""
    names = [("Students", Role.STUDENT), ("Coaches", Role.COACH)]
    if many:
        names += [("Weekend students", Role.STUDENT), ("Weekend coaches", Role.COACH)]
    return Group.objects.bulk_create(
        Group(chapter=chapter, name=name, role=role) for name, role in names
    )


# ---- People -------------------------------------------------------------------------------


def _crowd(demo: _Demo, size: int, *, every_shape: bool) -> list[_Person]:
    shapes = [
        shape
        for shape, share in SHARES.items()
        for _ in range(max(1 if every_shape else 0, round(size * share)))
    ]
    shapes += [Shape.PLAIN] * (size - len(shapes))
    demo.dice.shuffle(shapes)
    return [_Person(_member(demo, shape), shape) for shape in shapes]


def _member(demo: _Demo, shape: Shape) -> Member:
    serial = next(demo.serials)
    since = demo.at - timedelta(
        days=demo.dice.randint(30, 2200), minutes=demo.dice.randint(0, 1440)
    )
    if shape is Shape.CLOSED:
        return Member(
            name="Former member",
            email=f"closed.{serial}@closed.example",
            password="!",  # noqa: S106 -- no password fits it
            accepted_terms_at=since,
            closed_at=demo.at - timedelta(days=7),
            created_at=since,
        )
    name, surname = demo.dice.choice(NAMES.split()), demo.dice.choice(SURNAMES.split())
    is_unreachable = shape is Shape.UNREACHABLE
    return Member(
        name=name,
        surname=surname,
        email=f"{slugify(name)}.{slugify(surname)}.{serial}@{demo.dice.choice(MAIL_DOMAINS)}",
        password="!",  # noqa: S106 -- no password fits it
        accepted_terms_at=None if shape is Shape.WITHOUT_TERMS else since,
        dietary_needs=demo.dice.choice(DIETS),
        address_unusable_at=demo.at - timedelta(days=20) if is_unreachable else None,
        address_unusable_reason="550 5.1.1 No such mailbox" if is_unreachable else "",
        created_at=since,
    )


def _subscribe_to_one(demo: _Demo, crowd: list[_Person], groups: list[Group]) -> None:
    coaches = [group for group in groups if group.role == Role.COACH]
    students = [group for group in groups if group.role == Role.STUDENT]
    for person in crowd:
        is_coach = demo.dice.random() < SHARE_OF_COACHES
        person.groups = [demo.dice.choice(coaches if is_coach else students)]


def _subscribe_to_several(
    demo: _Demo, crowd: list[_Person], groups: list[Group], *, how_many: int
) -> None:
    """Both roles, several groups of one role, or all there are."""
    able = [person for person in crowd if person.shape is Shape.PLAIN]
    combinations = [groups[:2]]
    if len(groups) > 2:
        combinations += [groups[0::2], groups[1::2], groups]
    for nr, person in enumerate(demo.dice.sample(able, k=max(0, how_many))):
        person.groups = combinations[nr % len(combinations)]


def _guests(demo: _Demo, nr: int, groups: list[Group]) -> list[_Person]:
    """Amina, who is student and coach in London and in Brighton."""
    return [_Person(demo.member, Shape.PLAIN, groups[:2])] if nr < 2 else []


def _save(demo: _Demo, crowd: list[_Person], guests: list[_Person]) -> None:
    Member.objects.bulk_create([person.member for person in crowd], batch_size=1000)
    Subscription.objects.bulk_create(
        [
            Subscription(member=person.member, group=group, created_at=person.member.created_at)
            for person in (*crowd, *guests)
            for group in person.groups
        ],
        batch_size=2000,
    )
    Ban.objects.bulk_create([ban for person in crowd for ban in _bans(demo, person)])


def _bans(demo: _Demo, person: _Person) -> list[Ban]:
    days_left: dict[Shape, tuple[int, ...]] = {
        Shape.BAN_EXPIRED: (-30,),
        Shape.BANNED: (60,),
        Shape.BANNED_AGAIN: (-200, 60),
    }
    bans = [
        _ban(demo, person, expires_at=demo.at + timedelta(days=days))
        for days in days_left.get(person.shape, ())
    ]
    if person.shape is Shape.BANNED_FOR_GOOD:
        bans.append(_ban(demo, person, is_permanent=True))
    return bans


def _ban(
    demo: _Demo,
    person: _Person,
    *,
    expires_at: datetime | None = None,
    is_permanent: bool = False,
) -> Ban:
    begun_at = min(demo.at, expires_at or demo.at) - timedelta(days=30)
    return Ban(
        member=person.member,
        added_by=demo.admin,
        reason="Broke the code of conduct" if is_permanent else "Did not come, several times",
        expires_at=expires_at,
        is_permanent=is_permanent,
        created_at=begun_at,
    )


def _name_organisers(demo: _Demo, nr: int, chapter: Chapter, crowd: list[_Person]) -> None:
    able = [person.member for person in crowd if person.shape is Shape.PLAIN]
    chapter.organisers.add(*demo.dice.sample(able, k=2))
    if nr < 2:
        chapter.organisers.add(demo.organiser)


# ---- Workshops ----------------------------------------------------------------------------


def _make_workshops(demo: _Demo, nr: int, chapter: Chapter, crowd: list[_Person]) -> None:
    """
    The next evening and the last one everywhere, a year of them and every other kind in London
    and Brighton.
    """
    venue, helper = _sponsors(demo, chapter)
    _physical(demo, chapter, venue, helper, days=14)
    for days in A_YEAR_OF_EVENINGS if nr < 2 else A_YEAR_OF_EVENINGS[:1]:
        _remember(demo, _physical(demo, chapter, venue, helper, days=days), crowd)
    if nr < 2 or nr % 3 == 0:
        _virtual(demo, chapter, helper, days=21)
    if nr < 2 or nr % 3 == 1:
        Workshop.objects.create(chapter=chapter, **_evening(demo, chapter, days=28))
    if nr < 2 or nr % 3 == 2:
        _physical(demo, chapter, venue, helper, days=42, is_invitable=False)


def _sponsors(demo: _Demo, chapter: Chapter) -> list[Sponsor]:
    """A venue, and a company that brings the food."""
    venue_name, helper_name = demo.dice.sample(COMPANIES, k=2)
    seats = demo.dice.randrange(30, 61, 5)
    return Sponsor.objects.bulk_create(
        [
            Sponsor(
                name=f"{venue_name} {chapter.city}",
                website=f"https://{slugify(venue_name)}.example",
                seats=seats,
                coach_seats=demo.dice.choice([None, seats // 2]),
                flat=f"Floor {demo.dice.randint(1, 9)}",
                street=f"{demo.dice.randint(1, 99)} {demo.dice.choice(STREETS)}",
                city=chapter.city,
                directions="Ring at the front desk and say codebar.",
                accessibility_info="Step-free from the street, and there is a lift.",
            ),
            Sponsor(
                name=f"{helper_name} {chapter.city}",
                website=f"https://{slugify(helper_name)}.example",
                city=chapter.city,
            ),
        ]
    )


def _evening(demo: _Demo, chapter: Chapter, *, days: int) -> dict[str, datetime]:
    """Half past six on the clocks of the chapter, for two hours."""
    date = (demo.at.astimezone(chapter.time_zone) + timedelta(days=days)).date()
    starts_at = datetime.combine(date, time(18, 30), tzinfo=chapter.time_zone)
    return {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2)}


def _physical(
    demo: _Demo,
    chapter: Chapter,
    venue: Sponsor,
    helper: Sponsor,
    *,
    days: int,
    is_invitable: bool = True,
) -> Workshop:
    workshop = Workshop.objects.create(
        chapter=chapter,
        is_invitable=is_invitable,
        description="Doors open at 18:30. There is food, and an introduction for new people.",
        **_evening(demo, chapter, days=days),
    )
    WorkshopSponsor.objects.bulk_create(
        [
            WorkshopSponsor(workshop=workshop, sponsor=venue, is_host=True),
            WorkshopSponsor(workshop=workshop, sponsor=helper),
        ]
    )
    return workshop


def _virtual(demo: _Demo, chapter: Chapter, helper: Sponsor, *, days: int) -> None:
    workshop = Workshop.objects.create(
        chapter=chapter,
        is_virtual=True,
        student_spaces=30,
        coach_spaces=15,
        slack_channel="virtual-workshops",
        slack_channel_link="https://chat.codebar.example/virtual-workshops",
        **_evening(demo, chapter, days=days),
    )
    WorkshopSponsor.objects.create(workshop=workshop, sponsor=helper)


def _remember(demo: _Demo, workshop: Workshop, crowd: list[_Person]) -> None:
    """Who was invited to an evening that is over, what they said, and who came."""
    able = [person for person in crowd if person.shape in CAN_BE_INVITED]
    most = min(INVITED_BEFORE, len(able))
    invited = demo.dice.sample(able, k=demo.dice.randint(most // 2, most))
    Invitation.objects.bulk_create([_answered(demo, workshop, person) for person in invited])


def _answered(demo: _Demo, workshop: Workshop, person: _Person) -> Invitation:
    # Three in ten of sixty come, so there is a seat for each of them even at the smallest venue.
    (answer,) = demo.dice.choices([Answer.ATTENDING, Answer.DECLINED, Answer.NONE], [30, 25, 45])
    answered_at = workshop.starts_at - timedelta(hours=demo.dice.randint(12, 240))
    arrived_at = workshop.starts_at + timedelta(minutes=demo.dice.randint(-15, 40))
    came = answer == Answer.ATTENDING and demo.dice.random() < SHARE_WHO_COME
    is_coach = any(group.role == Role.COACH for group in person.groups)
    return Invitation(
        workshop=workshop,
        member=person.member,
        role=Role.COACH if is_coach else Role.STUDENT,
        answer=answer,
        answer_number=1 if answer else 0,
        answered_at=answered_at if answer else None,
        attended_at=arrived_at if came else None,
        tutorial="" if is_coach or answer != Answer.ATTENDING else demo.dice.choice(TUTORIALS),
        created_at=workshop.starts_at - timedelta(days=12),
    )
