"""Whom an apology or a correction reaches: people of the log it is about, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, TextField, Value, When

from chapters.models import Departure, Subscription
from invitations.queries import audiences
from invitations.queries.audiences import Reach
from logs.models import (
    LIVE_ENTRY_STATUSES,
    Action,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
)
from members.models import UNREACHABLE, Member

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invitations.queries.audiences import Invitee

# What a log that does not send any more can have done to somebody.
OUTCOMES = (
    EntryStatus.SUCCESS,
    EntryStatus.UNKNOWN,
    EntryStatus.FAILED,
    EntryStatus.SKIPPED,
    EntryStatus.CANCELLED,
)
# Letters to those who said so; they are written to about it whatever else they get.
ABOUT_A_PLACE = (Audience.ATTENDING, Audience.WAITING)


@dataclass(frozen=True)
class Whom:
    """People of a log: of these outcomes, and where there are `members`, only these of them."""

    statuses: tuple[EntryStatus, ...] = OUTCOMES
    members: tuple[int, ...] | None = None

    @classmethod
    def of(cls, recipients: Mapping[str, list[Any]]) -> Whom:
        """As a log keeps it."""
        members = recipients.get("members")
        return cls(
            statuses=tuple(map(EntryStatus, recipients["statuses"])),
            members=None if members is None else tuple(members),
        )

    def as_recipients(self) -> dict[str, list[Any]]:
        """What a log keeps."""
        kept: dict[str, list[Any]] = {"statuses": [status.value for status in self.statuses]}
        if self.members is not None:
            kept["members"] = sorted(set(self.members))
        return kept

    def among(self, entries: QuerySet[InvitationLogEntry]) -> QuerySet[InvitationLogEntry]:
        """Of these entries those that are meant."""
        entries = entries.filter(status__in=self.statuses)
        return entries if self.members is None else entries.filter(member__in=self.members)


# Their letter left, or may have.
THOSE_WHO_GOT_IT = Whom(statuses=(EntryStatus.SUCCESS, EntryStatus.UNKNOWN))


def affected(about: InvitationLog, *, action: Action, whom: Whom) -> QuerySet[Invitee]:
    """
    Everybody who is meant, each of them once, with the first `reason` for which they get no such
    letter now ("" for those who get one).

    Whoever turned away since the first letter is left alone. Who got it by our mistake, without
    ever having been subscribed, is not: they are whom an apology is for.
    """
    meant = whom.among(about.entries.all())
    people = Member.objects.filter(pk__in=meant.values("member")).alias(
        why_not=audiences.why_not_eligible()
    )
    reason = Case(
        *_reasons(about),
        When(
            Exists(_such_letters(about, action)),
            then=Value(f"has had {_one(action)} about log {about.pk}"),
        ),
        default=Value(""),
        output_field=TextField(),
    )
    return cast("QuerySet[Invitee]", people.annotate(reason=reason))


def reach(about: InvitationLog, *, action: Action, whom: Whom) -> Reach:
    """How many get the letter, and how many do not and why, in one statement."""
    return audiences.reach_of(affected(about, action=action, whom=whom), Audience.PEOPLE)


def outcomes(about: InvitationLog) -> list[tuple[EntryStatus, int]]:
    """How many people of the log there are of each outcome that there is."""
    counts = dict(about.entries.order_by().values_list("status").annotate(people=Count("pk")))
    return [(status, counts[status.value]) for status in OUTCOMES if counts.get(status.value)]


def members_among(about: InvitationLog, wanted: list[str]) -> tuple[list[int], list[str]]:
    """
    Whom these numbers or addresses mean, in their order, and those that mean nobody in this log.
    """
    numbers = {word for word in wanted if word.isdecimal() and len(word) < 19}
    people = Member.objects.filter(pk__in=about.entries.values("member")).filter(
        Q(pk__in=numbers) | Q(email__in=set(wanted) - numbers)
    )
    known: dict[str, int] = {}
    for pk, email in people.values_list("pk", "email"):
        known |= {str(pk): pk, email: pk}
    return (
        list(dict.fromkeys(known[word] for word in wanted if word in known)),
        [word for word in wanted if word not in known],
    )


def _one(action: Action) -> str:
    return "an apology" if action == Action.APOLOGY else "a correction"


def _reasons(about: InvitationLog) -> list[When]:
    if about.audience in ABOUT_A_PLACE:
        return [
            When(closed_at__isnull=False, then=Value(audiences.CLOSED)),
            When(UNREACHABLE, then=Value(audiences.NO_ADDRESS)),
        ]
    first = about.entries.filter(member=OuterRef("member"), created_at__lte=OuterRef("left_at"))
    groups = {"member": OuterRef("pk"), "group__chapter": about.chapter_id}
    has_left = Exists(Departure.objects.filter(Exists(first), **groups))
    return [
        When(~Q(why_not=""), then=F("why_not")),
        When(
            has_left & ~Exists(Subscription.objects.filter(**groups)),
            then=Value(audiences.UNSUBSCRIBED),
        ),
    ]


def _such_letters(about: InvitationLog, action: Action) -> QuerySet[InvitationLogEntry]:
    """The live letter of this kind about this log to the member of the outer query."""
    return InvitationLogEntry.objects.filter(
        workshop=about.workshop_id,
        member=OuterRef("pk"),
        action=action,
        occasion=str(about.pk),
        status__in=LIVE_ENTRY_STATUSES,
    )
