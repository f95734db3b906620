"""Chapters and groups under their old numbers, and who is subscribed."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.text import slugify

from chapters.models import Chapter, Group, Role, Subscription
from invitations.addresses import kept_words
from invitations.services.planner import zones
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.people import closed_among
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step
from members.models import normalize_email

CHAPTERS = Step("chapters")
GROUPS = Step("groups")
SUBSCRIPTIONS = Step("subscriptions", key="member_id")

_ROLES = {"students": Role.STUDENT, "coaches": Role.COACH}
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,100}")
_ANYWHERE = "Europe/London"


def bring_chapters(chunk: Chunk) -> None:
    """Every chapter, each with a name, an address and a path of its own."""
    before = list(Chapter.objects.all())
    names = {chapter.name for chapter in before}
    emails = {chapter.email for chapter in before}
    slugs = {chapter.slug for chapter in before} | kept_words()
    chapters = []
    for row in chunk.rows:
        name = _name(chunk, row, taken=names)
        chapters.append(
            Chapter(
                id=row.id,
                name=name,
                slug=_slug(chunk, row, name, taken=slugs),
                email=_email(chunk, row, taken=emails),
                city=chunk.cut(row.city, 100, row.id, name="city") or name,
                time_zone=_zone(chunk, row),
                description=(row.description or "").strip(),
                is_active=row.active is not False,
                created_at=row.created_at or chunk.at,
            )
        )
    Chapter.objects.bulk_create(chapters)


def bring_groups(chunk: Chunk) -> None:
    """One group of each role in a chapter: the first one, under the name that it has there."""
    chapters = here("chapters", (row.chapter_id for row in chunk.rows))
    first = {
        (chapter, role): pk
        for chapter, role, pk in Group.objects.filter(
            chapter__in=set(chapters.values())
        ).values_list("chapter", "role", "pk")
    }
    groups = []
    for row in chunk.rows:
        role = _ROLES.get((row.name or "").strip().casefold())
        chapter = chapters.get(row.chapter_id)
        if chapter is None:
            chunk.leave_out(Rule.GROUP_WITHOUT_CHAPTER, row.id)
        elif role is None:
            chunk.leave_out(Rule.GROUP_UNKNOWN, row.id)
        elif (chapter, role) in first:
            chunk.merge(Rule.GROUP_TWICE, row.id, into=first[chapter, role])
        else:
            first[chapter, role] = row.id
            groups.append(
                Group(
                    id=row.id,
                    chapter_id=chapter,
                    role=role,
                    name=row.name.strip().capitalize(),
                    description=(row.description or "").strip(),
                )
            )
    Group.objects.bulk_create(groups)


def bring_subscriptions(chunk: Chunk) -> None:
    """Each member once in a group, since the first time."""
    members = here("members", (row.member_id for row in chunk.rows))
    groups = here("groups", (row.group_id for row in chunk.rows))
    closed = closed_among(members.values())
    known = {
        (subscription.member_id, subscription.group_id): subscription
        for subscription in Subscription.objects.filter(member__in=set(members.values()))
    }
    first: dict[tuple[int, int], int] = {}  # planner's number, since ours has nothing to do with it
    new, earlier = [], []
    for row in chunk.rows:
        if (rule := _why_not(row, members, groups, closed)) is not None:
            chunk.leave_out(rule, row.id)
            continue
        pair = (members[row.member_id], groups[row.group_id])
        at = row.created_at or chunk.at
        if pair not in known:
            known[pair] = Subscription(member_id=pair[0], group_id=pair[1], created_at=at)
            new.append(known[pair])
            first[pair] = row.id
            continue
        chunk.merge(Rule.SUBSCRIPTION_TWICE, row.id, into=first.get(pair))
        if at < known[pair].created_at:
            known[pair].created_at = at
            if known[pair].pk:
                earlier.append(known[pair])
    Subscription.objects.bulk_create(new)
    Subscription.objects.bulk_update(earlier, ["created_at"])


def _why_not(
    row: Row, members: dict[int, int], groups: dict[int, int], closed: set[int]
) -> Rule | None:
    if row.member_id not in members:
        return Rule.PERSON_IS_NOT_THERE
    if row.group_id not in groups:
        return Rule.GROUP_IS_NOT_THERE
    if members[row.member_id] in closed:
        return Rule.ACCOUNT_IS_CLOSED
    return None


def _name(chunk: Chunk, row: Row, *, taken: set[str]) -> str:
    wanted = chunk.cut(row.name, 90, row.id, name="name")
    name = _free(wanted or "Chapter", " ", taken=taken)
    if name != wanted:
        chunk.note(Rule.CHAPTER_NAME_REPAIRED, row.id)
    return name


def _slug(chunk: Chunk, row: Row, name: str, *, taken: set[str]) -> str:
    wanted = (row.slug or "").strip()
    slug = wanted if _SLUG.fullmatch(wanted) else slugify(name)[:90] or "chapter"
    slug = _free(slug, "-", taken=taken)
    if slug != wanted:
        chunk.note(Rule.SLUG_REPAIRED, row.id, detail=slug)
    return slug


def _email(chunk: Chunk, row: Row, *, taken: set[str]) -> str:
    wanted = normalize_email(row.email or "")
    try:
        validate_email(wanted)
        is_good = wanted not in taken and len(wanted) <= 254
    except ValidationError:
        is_good = False
    email = wanted if is_good else f"chapter-{row.id}@codebar.invalid"
    if not is_good:
        chunk.note(Rule.CHAPTER_ADDRESS_REPAIRED, row.id)
    taken.add(email)
    return email


def _zone(chunk: Chunk, row: Row) -> ZoneInfo:
    known = zones.zone_named(row.time_zone or "")
    if known is None:
        chunk.note(Rule.ZONE_UNKNOWN, row.id)
    return ZoneInfo(known or _ANYWHERE)


def _free(wanted: str, between: str, *, taken: set[str]) -> str:
    """It, or with the first number that makes it free; taken from now on."""
    candidates = (wanted, *(f"{wanted}{between}{nr}" for nr in range(2, len(taken) + 3)))
    free = next(name for name in candidates if name not in taken)
    taken.add(free)
    return free
