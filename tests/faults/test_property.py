"""Random chapters, clicks and faults, compared with a model of ten lines that knows no SQL."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chapters.models import Group, Role, Workshop
from invitations.services.manager import InvitationManager
from logs.models import InvitationLogEntry
from members.models import Member
from tests.factories import (
    ChapterFactory,
    GroupFactory,
    MemberFactory,
    SubscriptionFactory,
    WorkshopFactory,
)
from tests.support.here import send_here
from tests.support.ledger import assert_settled
from tests.support.processes import Station
from tests.support.smtp_sink import DROP, STORE_AND_DROP

ROLES = {"students": {"student"}, "coaches": {"coach"}, "everyone": {"student", "coach"}}
TAKEN, REFUSED, DEFERRED_ONCE, DROPPED_ONCE = "taken", "refused", "deferred once", "dropped once"
STORED_AND_DROPPED = "stored and dropped"
STORED_AND_DROPPED_ONCE = "stored and dropped once"
FATES = [
    TAKEN, REFUSED, DEFERRED_ONCE, DROPPED_ONCE, STORED_AND_DROPPED, STORED_AND_DROPPED_ONCE,
]  # fmt: skip


@dataclass(frozen=True)
class Person:
    """:param groups: by number: the even ones are of students, the odd ones of coaches"""

    groups: frozenset[int]
    trait: str
    fate: str

    @property
    def roles(self) -> set[str]:
        return {"coach" if number % 2 else "student" for number in self.groups}


PEOPLE = st.builds(
    Person,
    groups=st.frozensets(st.integers(0, 3)),
    trait=st.sampled_from(["", "", "", "closed", "banned", "without_terms", "unreachable"]),
    fate=st.sampled_from(FATES),
)


def model(people: list[Person], clicks: list[str]) -> list[tuple[Counter[str], list[int]]]:
    """For each click: how many entries of each state; and how many letters each person has got."""
    outcome = {TAKEN: "success", REFUSED: "failed", STORED_AND_DROPPED: "unknown"}
    letters, done, told = [0] * len(people), set(), []
    for audience in clicks:
        states: Counter[str] = Counter()
        for n, person in enumerate(people):
            if not person.roles & ROLES[audience]:
                continue
            state = outcome.get(person.fate, "success")
            if person.trait or n in done:
                state = "skipped"
            elif state != "failed":
                letters[n] = 2 if person.fate.startswith(STORED_AND_DROPPED) else 1
                done.add(n)
            states[state] += 1
        told.append((states, list(letters)))
    return told


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    people=st.lists(PEOPLE, min_size=1, max_size=6),
    clicks=st.lists(st.sampled_from(list(ROLES)), min_size=1, max_size=4),
)
def test_the_ledger_is_what_the_model_says(
    station: Station, people: list[Person], clicks: list[str]
):
    station.sink.letters.clear()
    workshop, members = workshop_for(people)
    fates = {member.email: one.fate for member, one in zip(members, people, strict=True)}
    station.sink.script = Misfortunes(fates)

    for audience, (states, letters) in zip(clicks, model(people, clicks), strict=True):
        log = InvitationManager().send_workshop_emails(workshop, audience, MemberFactory())
        send_here(log)

        assert Counter(log.entries.values_list("status", flat=True)) == states
        assert [station.sink.recipients[member.email] for member in members] == letters
        faults = sum(count - 1 for count in letters if count)
        assert_settled(station.sink, log, audience=states.total(), faults=faults)
    in_doubt = InvitationLogEntry.objects.filter(workshop=workshop, doubts__gt=0)
    assert in_doubt.count() == letters.count(2)


class Misfortunes:
    """The mail server treats each address as it is fated to be treated."""

    def __init__(self, fates: dict[str, str]) -> None:
        self._fates = fates
        self._met: set[str] = set()

    def __call__(self, step: str, recipient: str) -> str | None:
        fate = self._fates.get(recipient, TAKEN)
        where, answer = {
            REFUSED: ("rcpt", "550 5.2.1 disabled"),
            DEFERRED_ONCE: ("rcpt", "451 4.3.0 later"),
            DROPPED_ONCE: ("data", DROP),
            STORED_AND_DROPPED: ("dot", STORE_AND_DROP),
            STORED_AND_DROPPED_ONCE: ("dot", STORE_AND_DROP),
        }.get(fate, ("", ""))
        if step != where or (fate.endswith("once") and recipient in self._met):
            return None
        self._met.add(recipient)
        return answer


def workshop_for(people: list[Person]) -> tuple[Workshop, list[Member]]:
    chapter = ChapterFactory()
    groups: list[Group] = [
        GroupFactory(chapter=chapter, role=Role.COACH if number % 2 else Role.STUDENT)
        for number in range(4)
    ]
    members = []
    for person in people:
        members.append(MemberFactory(**({person.trait: True} if person.trait else {})))
        for number in person.groups:
            SubscriptionFactory(member=members[-1], group=groups[number])
    return WorkshopFactory(chapter=chapter), members
