"""Founding a chapter, and changing what it says about itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.text import slugify

from chapters.models import Chapter, Group, Role
from invitations.addresses import kept_words
from logs.services import activities
from members.models import Member

FIRST_GROUPS = {Role.STUDENT: "Students", Role.COACH: "Coaches"}


class Refused(Exception):
    """Nothing was saved; `message` tells why, and `field` what to change."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class NameTaken(Refused): ...


class AddressTaken(Refused): ...


class NameOfAPage(Refused): ...


@dataclass(frozen=True)
class Particulars:
    """What a chapter says about itself."""

    name: str
    city: str
    email: str
    time_zone: ZoneInfo
    description: str
    is_active: bool = True

    @classmethod
    def of(cls, chapter: Chapter) -> Particulars:
        return cls(**{field: getattr(chapter, field) for field in cls.__dataclass_fields__})


LABELS = {
    "name": "Name",
    "city": "City",
    "email": "E-mail",
    "time_zone": "Time zone",
    "description": "Description",
    "is_active": "Active",
}


@transaction.atomic
def found(particulars: Particulars, *, by: Member) -> Chapter:
    """
    A new chapter with a group for students and one for coaches.

    The same form sent twice founds one chapter, and both get it.

    :raises NameTaken, AddressTaken: when another chapter has it
    :raises NameOfAPage: when its page would be at the address of another page of ours
    """
    _one_at_a_time()
    twin = Chapter.objects.filter(name=particulars.name).first()
    if twin and Particulars.of(twin) == particulars:
        return twin
    _check(particulars)
    chapter = Chapter.objects.create(slug=_free_slug(particulars), **asdict(particulars))
    Group.objects.bulk_create(
        Group(chapter=chapter, role=role, name=name) for role, name in FIRST_GROUPS.items()
    )
    activities.note("founded the chapter", by=by, chapter=chapter)
    return chapter


@transaction.atomic
def change(chapter: Chapter, particulars: Particulars, *, by: Member) -> None:
    """
    Save what differs, and who changed it. The address of the chapter's page stays as it was, and
    so do the moments of its workshops, also when the clock changes on which they are shown.

    :raises NameTaken, AddressTaken: when another chapter has it
    """
    _one_at_a_time()
    before = Particulars.of(Chapter.objects.get(pk=chapter.pk))
    _check(particulars, but=chapter)
    changes = {
        label: (_in_words(getattr(before, field)), _in_words(getattr(particulars, field)))
        for field, label in LABELS.items()
        if getattr(before, field) != getattr(particulars, field)
    }
    for field, value in asdict(particulars).items():
        setattr(chapter, field, value)
    if changes:
        chapter.save(update_fields=list(LABELS))
        activities.note("changed the chapter", by=by, chapter=chapter, changes=changes)


def _one_at_a_time() -> None:
    """Two who take the same name at the same moment: the second waits, and is told."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {Chapter._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def _check(particulars: Particulars, *, but: Chapter | None = None) -> None:
    others = Chapter.objects.exclude(pk=but.pk) if but else Chapter.objects.all()
    if others.filter(name__iexact=particulars.name).exists():
        raise NameTaken("Another chapter has this name.", field="name")
    if others.filter(email__iexact=particulars.email).exists():
        raise AddressTaken("Another chapter has this address.", field="email")


def _free_slug(particulars: Particulars) -> str:
    """From the name, with a number where another chapter has it already."""
    start = (slugify(particulars.name) or slugify(particulars.city) or "chapter")[:90]
    if start in kept_words():
        raise NameOfAPage(f"One of our pages is at /{start}. Choose another name.", field="name")
    taken = set(Chapter.objects.filter(slug__startswith=start).values_list("slug", flat=True))
    candidates = [start, *(f"{start}-{nr}" for nr in range(2, len(taken) + 3))]
    return next(slug for slug in candidates if slug not in taken)


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
