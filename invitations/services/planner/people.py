"""Members under their old numbers, how they sign in, and what they can do."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from invitations.services import closing
from invitations.services.planner.bookkeeping import Chunk, here
from invitations.services.planner.rules import Rule
from invitations.services.planner.source import Row, Step
from members.models import DietaryNeed, HeardFrom, Member

# Trimmed and lower-case, as ours are; also without the spaces of other scripts and keyboards.
_ADDRESS = "lower(btrim(t.email, ' ' || chr(9) || chr(10) || chr(13) || chr(160)))"
_LONGEST_ADDRESS = 254
_DELETED = ("deleted_user_", "@codebar.io")  # what planner's member:delete leaves of an address
_HEARD_FROM = (
    HeardFrom.FRIEND,
    HeardFrom.SEARCH,
    HeardFrom.SOCIAL_MEDIA,
    HeardFrom.HOST_OR_PARTNER,
    HeardFrom.OTHER,
)
_PROVIDERS = ("github", "codebar")  # as allauth and our settings name them, too
_LONGEST_UID = 191
_LONGEST_SKILLS = 255

MEMBERS = Step("members", more=f"{_ADDRESS} AS address")
IDENTITIES = Step("auth_services", key="member_id")
TAGS = Step(
    "tags",
    more="EXISTS (SELECT FROM taggings g WHERE g.tag_id = t.id AND g.context = 'skills'"
    " AND g.taggable_type = 'Member') AS is_a_skill",
)
SKILLS = Step(
    "taggings",
    key="taggable_id",
    joins="LEFT JOIN tags g ON g.id = t.tag_id",
    more="g.name AS word",
)


def bring_members(chunk: Chunk) -> None:
    """Everybody once. Terms and conditions that either of two accounts accepted are accepted."""
    keeper_of = {twin.id: twin for twin in _twins(chunk)}
    members = []
    for row in chunk.rows:
        keeper = keeper_of.get(row.id)
        if keeper and keeper.keeper_id != row.id:
            chunk.merge(Rule.ADDRESS_TWICE, row.id, into=keeper.keeper_id)
        else:
            members.append(_member(chunk, row, accepted_at=keeper.accepted if keeper else None))
    Member.objects.bulk_create(members)


def bring_identities(chunk: Chunk) -> None:
    members = here("members", (row.member_id for row in chunk.rows))
    closed = closed_among(members.values())
    taken = _identities_like(chunk.rows)
    accounts = []
    for row in chunk.rows:
        provider, uid = (row.provider or "").strip().lower(), (row.uid or "").strip()
        if row.member_id not in members:
            chunk.leave_out(Rule.PERSON_IS_NOT_THERE, row.id)
        elif members[row.member_id] in closed:
            chunk.leave_out(Rule.ACCOUNT_IS_CLOSED, row.id)
        elif provider not in _PROVIDERS:
            chunk.leave_out(Rule.PROVIDER_UNKNOWN, row.id)
        elif not 0 < len(uid) <= _LONGEST_UID:
            chunk.leave_out(Rule.IDENTITY_BLANK, row.id)
        elif (provider, uid) in taken:
            chunk.merge(Rule.IDENTITY_TWICE, row.id, into=taken[provider, uid])
        else:
            taken[provider, uid] = member_id = members[row.member_id]
            accounts.append(SocialAccount(user_id=member_id, provider=provider, uid=uid))
    SocialAccount.objects.bulk_create(accounts)


def bring_tags(chunk: Chunk) -> None:
    """They are words of skills here, and come with those who have them."""
    for row in chunk.rows:
        if not row.is_a_skill:
            chunk.leave_out(Rule.NO_SKILL, row.id)


def bring_skills(chunk: Chunk) -> None:
    """Words with commas between them, in the order in which they were given."""
    members = here("members", (row.taggable_id for row in chunk.rows))
    people = Member.objects.in_bulk(set(members.values()))
    for old_id, rows in groupby(chunk.rows, key=lambda row: row.taggable_id):
        member = people.get(members.get(old_id, 0))
        for row in rows:
            _add_skill(chunk, row, member)
    Member.objects.bulk_update(people.values(), ["skills"], batch_size=500)


def closed_among(ids: Iterable[int]) -> set[int]:
    """Whose accounts are closed, so that nothing that leads to them is kept."""
    closed = Member.objects.filter(pk__in=set(ids), closed_at__isnull=False)
    return set(closed.values_list("pk", flat=True))


def no_password() -> str:
    """As Django's make_password(None), which takes a fifth of the time of the whole import."""
    return UNUSABLE_PASSWORD_PREFIX + secrets.token_urlsafe(30)


def _twins(chunk: Chunk) -> list[Row]:
    """Those of one address with others anywhere in planner: who keeps it, and since when."""
    addresses = sorted({row.address for row in chunk.rows if row.address})
    return chunk.source.select(
        f"""
        SELECT id, keeper_id, accepted AT TIME ZONE %(zone)s AS accepted
        FROM (
            SELECT t.id, count(*) OVER same AS twins, min(t.accepted_toc_at) OVER same AS accepted,
                first_value(t.id) OVER (
                    PARTITION BY {_ADDRESS} ORDER BY t.updated_at DESC NULLS LAST, t.id
                ) AS keeper_id
            FROM members t WHERE {_ADDRESS} = ANY(%(addresses)s)
            WINDOW same AS (PARTITION BY {_ADDRESS})
        ) AS known WHERE twins > 1
        """,  # noqa: S608 -- our own
        addresses=addresses,
    )


def _member(chunk: Chunk, row: Row, *, accepted_at: datetime | None) -> Member:
    joined_at: datetime = row.created_at or row.updated_at or chunk.at
    if _is_deleted(row.address or ""):
        return _former_member(chunk, row, joined_at)
    member = Member(
        id=row.id,
        password=no_password(),
        name=chunk.cut(row.name, 100, row.id, name="name"),
        surname=chunk.cut(row.surname, 100, row.id, name="surname"),
        pronouns=chunk.cut(row.pronouns, 50, row.id, name="pronouns"),
        about=chunk.cut(row.about_you, 255, row.id, name="about_you"),
        dietary_needs=_dietary_needs(chunk, row),
        other_dietary_needs=chunk.cut(
            row.other_dietary_restrictions, 200, row.id, name="other_dietary_restrictions"
        ),
        heard_from=_heard_from(chunk, row),
        heard_from_other=chunk.cut(
            row.how_you_found_us_other_reason, 200, row.id, name="how_you_found_us_other_reason"
        ),
        accepted_terms_at=accepted_at or row.accepted_toc_at,
        created_at=joined_at,
    )
    if not member.name:
        chunk.note(Rule.NAME_BLANK, row.id)
    _give_address(chunk, row, member)
    return member


def _is_deleted(address: str) -> bool:
    start, end = _DELETED
    return address.startswith(start) and address.endswith(end)


def _former_member(chunk: Chunk, row: Row, joined_at: datetime) -> Member:
    """As closing an account leaves it."""
    chunk.note(Rule.ACCOUNT_DELETED, row.id)
    return Member(
        id=row.id,
        password=no_password(),
        email=closing.address_of_nobody(row.id),
        name=closing.NAME,
        closed_at=row.updated_at or chunk.at,
        accepted_terms_at=row.accepted_toc_at,
        created_at=joined_at,
    )


def _give_address(chunk: Chunk, row: Row, member: Member) -> None:
    address = row.address or ""
    rule = _what_is_wrong(address)
    if rule is None:
        member.email = address
        return
    chunk.note(rule, row.id)
    is_kept = rule is Rule.ADDRESS_INVALID
    member.email = address if is_kept else f"planner-{row.id}@codebar.invalid"
    member.address_unusable_at = chunk.at
    member.address_unusable_reason = "Planner had no address that letters can go to."


def _what_is_wrong(address: str) -> Rule | None:
    if not address:
        return Rule.ADDRESS_BLANK
    if len(address) > _LONGEST_ADDRESS or not address.isascii():
        return Rule.ADDRESS_UNREADABLE
    try:
        validate_email(address)
    except ValidationError:
        return Rule.ADDRESS_INVALID
    return None


def _dietary_needs(chunk: Chunk, row: Row) -> list[str]:
    needs = list(dict.fromkeys(need for need in row.dietary_restrictions or () if need))
    for need in needs:
        if need not in DietaryNeed.values:
            chunk.note(Rule.DIETARY_UNKNOWN, row.id)
    return [need for need in needs if need in DietaryNeed.values]


def _heard_from(chunk: Chunk, row: Row) -> str:
    answer = row.how_you_found_us
    if answer is None:
        return ""
    if not 0 <= answer < len(_HEARD_FROM):
        chunk.note(Rule.HEARD_FROM_UNKNOWN, row.id)
        return ""
    return _HEARD_FROM[answer]


def _identities_like(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """Those that are here already under one of these names, and whose they are."""
    names = {(row.uid or "").strip() for row in rows}
    known = SocialAccount.objects.filter(provider__in=_PROVIDERS, uid__in=names)
    return {
        (provider, uid): pk for provider, uid, pk in known.values_list("provider", "uid", "user")
    }


def _add_skill(chunk: Chunk, row: Row, member: Member | None) -> None:
    word = " ".join((row.word or "").replace(",", " ").split())
    if row.taggable_type != "Member" or row.context != "skills" or not word:
        chunk.leave_out(Rule.NO_SKILL, row.id)
    elif member is None:
        chunk.leave_out(Rule.PERSON_IS_NOT_THERE, row.id)
    elif member.closed_at:
        chunk.leave_out(Rule.ACCOUNT_IS_CLOSED, row.id)
    elif word.casefold() in (known.casefold() for known in member.skills.split(", ")):
        chunk.merge(Rule.SKILL_TWICE, row.id, into=member.pk)
    else:
        skills = ", ".join(filter(None, (member.skills, word)))
        if len(skills) > _LONGEST_SKILLS:
            chunk.leave_out(Rule.TEXT_CUT, row.id, detail="skills")
        else:
            member.skills = skills
