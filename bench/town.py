"""A town with 20,000 students for the load test, beside the demo's chapters, and who visits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from bench import people
from chapters.models import Group, Role, Workshop
from invitations.models import Invitation
from invitations.services import demo
from logs.models import InvitationLog
from members.models import Member

HOST = "codebar.example"
PARTS = 3
SEARCHED = ("ami", "bo", "chlo", "tester1", "fatima", "giu", "element", "太郎")


@dataclass(frozen=True)
class Sizes:
    """How much of everything, and how many of each kind visit at the same time."""

    students: int
    coaches: int  # they are invited first, and answer
    demo_members: int
    signed_in: int
    organisers: int
    members: int
    answering: int
    warm_up_seconds: int
    seconds: int
    letter_ms: int  # what the mail server takes for a letter

    @property
    def visitors(self) -> int:
        """How many come at the same time."""
        return self.organisers + self.members + self.answering


FULL = Sizes(
    students=20_000, coaches=1_500, demo_members=12_000, signed_in=300,
    organisers=6, members=24, answering=12, warm_up_seconds=10, seconds=150, letter_ms=200,
)  # fmt: skip
TINY = Sizes(
    students=400, coaches=60, demo_members=300, signed_in=10,
    organisers=2, members=4, answering=3, warm_up_seconds=1, seconds=8, letter_ms=200,
)  # fmt: skip


def build(sizes: Sizes) -> Workshop:
    """The demo, and one more chapter with a workshop in a call that has room for every coach."""
    demo.make(
        chapters=demo.ALL_CHAPTERS if sizes is FULL else 2,
        members=sizes.demo_members,
        at=timezone.now(),
        advance=lambda _: None,
    )
    workshop = people.chapter_of(sizes.students, 0)
    Group.objects.create(chapter=workshop.chapter, role=Role.COACH, name="Coaches")
    people.add_members(workshop.chapter, sizes.coaches, role=Role.COACH)
    Workshop.objects.filter(pk=workshop.pk).update(coach_spaces=sizes.coaches)
    workshop.chapter.organisers.add(*_organisers(sizes))
    return workshop


def cast_of(sizes: Sizes, workshop: Workshop, log: InvitationLog, *, part: int) -> dict[str, Any]:
    """
    Whom the visitors play: sessions, links, pages.

    :param part: 0 to 2; each has its own third of the coaches, since an answer is given once
    """
    invited = Invitation.objects.filter(workshop=workshop, role=Role.COACH).order_by("pk")
    links = list(invited.values_list("member__email", "token"))
    students = workshop.chapter.groups.get(role=Role.STUDENT)
    signed_in = Member.objects.filter(groups=students).order_by("pk")
    coming = Workshop.objects.upcoming(timezone.now()).order_by("starts_at", "pk")
    return {
        "host": HOST,
        "organisers": [session_of(organiser) for organiser in _organisers(sizes)],
        "members": [session_of(member) for member in signed_in[: sizes.signed_in]],
        "invited": links[part::PARTS],
        "log": f"/admin/workshops/{workshop.pk}/invitation_logs/{log.pk}",
        "workshop": workshop.pk,
        "workshops": list(coming.values_list("pk", flat=True)[:20]),
        "searched": SEARCHED,
        "organisers_at_once": sizes.organisers,
        "members_at_once": sizes.members,
        "answering_at_once": sizes.answering,
    }


def session_of(member: Member) -> str:
    """Signed in, as the page that asks for the code would leave it."""
    session = SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def _organisers(sizes: Sizes) -> list[Member]:
    """None of them an admin: they see what is theirs."""
    found = [people.organiser(number) for number in range(1, sizes.organisers + 1)]
    Member.objects.filter(pk__in=[one.pk for one in found]).update(is_superuser=False)
    return found
