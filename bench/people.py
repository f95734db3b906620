"""A chapter with as many members as one likes, made by PostgreSQL itself."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from bench import services
from chapters.models import Chapter, Group, Role, Sponsor, Workshop, WorkshopSponsor
from logs.models import Hold, Pace, Switch
from logs.services import slots
from members.models import Member

NAMES = ["Amina", "Bo", "Chloë", "D'Arcy", "Élise", "Fatima Zahra", "Giulia", "Łucja", "太郎"]
TABLES = """
    logs_invitationlogentry, logs_invitationlog, logs_slot, invitations_invitation,
    chapters_workshopsponsor, chapters_workshop, chapters_subscription, chapters_group,
    chapters_chapter_organisers, chapters_chapter, chapters_sponsor, members_ban, members_member
"""


def workshop_for(members: int, *, connections: int = 8) -> Workshop:
    """An empty database but for one workshop, whose chapter has so many students."""
    _empty(TABLES, "CASCADE")
    Switch.objects.update_or_create(chapter=None, defaults={"is_on": True})
    Hold.objects.update_or_create(pk=1, defaults={"since": None})
    Pace.objects.get_or_create(pk=1)
    slots.provide(connections)
    workshop = _workshop()
    add_members(workshop.chapter, members)
    return workshop


def workshops_for(sizes: tuple[int, ...]) -> list[Workshop]:
    """The same with a chapter and a workshop for each of these sizes."""
    workshop_for(0)
    return [chapter_of(members, nr) for nr, members in enumerate(sizes)]


def chapter_of(members: int, nr: int, *, analyze: bool = True) -> Workshop:
    """One more chapter with so many students, and its workshop."""
    chapter = Chapter.objects.create(
        name=f"Town {nr}", slug=f"town-{nr}", email=f"town-{nr}@codebar.example", city="Town"
    )
    Group.objects.create(chapter=chapter, role=Role.STUDENT, name="Students")
    add_members(chapter, members, analyze=analyze)
    starts_at = timezone.now() + timedelta(days=14)
    return Workshop.objects.create(
        chapter=chapter,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
        is_virtual=True,
        student_spaces=40,
        coach_spaces=20,
    )


def add_members(
    chapter: Chapter, count: int, *, role: Role = Role.STUDENT, analyze: bool = True
) -> None:
    """
    So many more students, or coaches, in the chapter: copies of one that Django made.

    Their addresses tell them apart by the number of all, so no two calls may have the same.
    """
    group = chapter.groups.get(role=role)
    first, _ = Member.objects.get_or_create(
        email="first@people.example",
        defaults={"surname": "Tester", "password": "!", "accepted_terms_at": timezone.now()},
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH people AS (
                INSERT INTO members_member
                SELECT copy.* FROM members_member m, generate_series(1, %s) AS n,
                    jsonb_populate_record(m, jsonb_build_object(
                        'id', nextval(pg_get_serial_sequence('members_member', 'id')),
                        'email', 'member' || n || 'of' || %s || '@people.example',
                        'name', (%s)[1 + n %% %s],
                        'surname', 'Tester' || md5(n::text)
                    )) AS copy
                WHERE m.id = %s RETURNING id
            )
            INSERT INTO chapters_subscription (member_id, group_id) SELECT id, %s FROM people
            """,
            [count, group.pk, NAMES, len(NAMES), first.pk, group.pk],
        )
        if analyze:
            cursor.execute("VACUUM ANALYZE members_member, chapters_subscription, chapters_group")


def forget_letters() -> None:
    """The same people and the same workshop, and nobody invited yet."""
    _empty("logs_invitationlogentry, logs_invitationlog, invitations_invitation", "CASCADE")
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def organiser(number: int = 1) -> Member:
    """Somebody who may click; several, since one may not click often within a minute."""
    found, _ = Member.objects.get_or_create(
        email=f"organiser{number}@codebar.example",
        defaults={
            "name": "Olga",
            "surname": "Organiser",
            "about": "Measures.",
            "is_superuser": True,
            "password": "!",
            "accepted_terms_at": timezone.now(),
        },
    )
    return found


def _empty(tables: str, also: str = "") -> None:
    """Once nobody else is at work: a worker still frees its slot when its log is completed."""
    services.wait_until(lambda: not _others_at_work())
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY {also}")


def _others_at_work() -> bool:
    time.sleep(0.3)  # longer than from one statement to the next
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT FROM pg_stat_activity WHERE datname = current_database()
                    AND backend_type = 'client backend' AND state <> 'idle'
                    AND pid <> pg_backend_pid()
            )
            """
        )
        return bool(cursor.fetchone()[0])


def _workshop() -> Workshop:
    chapter = Chapter.objects.create(
        name="London", slug="london", email="london@codebar.example", city="London"
    )
    for role in Role:
        Group.objects.create(chapter=chapter, role=role, name=f"{role.label}s")
    starts_at = timezone.now() + timedelta(days=14)
    workshop = Workshop.objects.create(
        chapter=chapter, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2)
    )
    host = Sponsor.objects.create(
        name="Company", street="1 Example Street", city="London", postal_code="EX1 1EX"
    )
    WorkshopSponsor.objects.create(workshop=workshop, sponsor=host, is_host=True)
    return workshop
