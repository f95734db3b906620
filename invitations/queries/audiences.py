"""
Who would be written to, who is left out, and why.

Eligibility is written down once, here; the page that counts before a click, the batch that is
prepared after it and the list of names all ask this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat

from chapters.models import Chapter, Role, Subscription, Workshop
from invitations.models import Answer, FeedbackRequest, Invitation
from logs.models import (
    LIVE_ENTRY_STATUSES,
    Action,
    Audience,
    EntryStatus,
    InvitationLogEntry,
)
from members.models import UNREACHABLE, Ban, Member, MemberQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Annotations(TypedDict):
        invited_as: str
        reason: str

    Invitee = WithAnnotations[Member, _Annotations]

ROLES_OF = {
    Audience.STUDENTS: (Role.STUDENT,),
    Audience.COACHES: (Role.COACH,),
    Audience.EVERYONE: (Role.STUDENT, Role.COACH),
}

ANSWERS_OF = {
    Audience.ATTENDING: Answer.ATTENDING,
    Audience.WAITING: Answer.WAITING,
    Audience.UNANSWERED: Answer.NONE,
}
WORKSHOP_AUDIENCES = (*ROLES_OF, *ANSWERS_OF, Audience.ATTENDED)
LEFT = (EntryStatus.SUCCESS, EntryStatus.UNKNOWN, EntryStatus.SENDING)

CLOSED = "closed the account"
BANNED = "is banned"
NO_TERMS = "has not accepted the terms"
NO_ADDRESS = "has an address we cannot use"
ANSWERED = "has already answered"
INVITED = "is already invited"
IN_DOUBT = "has a letter in doubt"
UNSUBSCRIBED = "is no longer subscribed"
MARKED_LATER = "was marked as here later"
NOT_ELIGIBLE = (CLOSED, BANNED, NO_TERMS, NO_ADDRESS)


class NobodyNamed(ValueError):
    """People were asked for without saying of what: that is a mistake, and never everybody."""


def subscribed(chapter: Chapter | None, *roles: Role) -> MemberQuerySet:
    """
    Everybody in such a group of the chapter, each of them once.

    Planner joined members to groups and so counted them once per group; EXISTS cannot.

    :raises NobodyNamed: without a chapter, or without a role
    """
    if not (chapter and chapter.pk and roles):
        raise NobodyNamed("Say of which chapter, and of which role.")
    members: MemberQuerySet = Member.objects.filter(Exists(_subscription(chapter, *roles)))
    return members


def audience_of(workshop: Workshop | None, audience: Audience) -> QuerySet[Invitee]:
    """
    Everybody who is spoken of, each of them once, with the first `reason` for which they get no
    letter now ("" for those who get one).

    The chapter's audiences are everybody subscribed, eligible or not, with the role they are
    `invited_as`; the others are those invited to this workshop who gave that answer, or who came
    as a student and can say how it was.

    The one place where an audience is made (R21).

    :raises NobodyNamed: without a workshop, or for an audience that no workshop has
    """
    if not (workshop and workshop.pk and audience in WORKSHOP_AUDIENCES):
        raise NobodyNamed(f"No workshop has the audience {audience!r}.")
    if audience in ROLES_OF:
        return _subscribers(workshop, *ROLES_OF[audience])
    if audience == Audience.ATTENDED:
        return _students_who_came(workshop)
    return _who_answered(workshop, ANSWERS_OF[audience])


def _subscribers(workshop: Workshop, *roles: Role) -> QuerySet[Invitee]:
    return cast(
        "QuerySet[Invitee]",
        subscribed(workshop.chapter, *roles)
        .alias(
            invitation=FilteredRelation("invitations", condition=Q(invitations__workshop=workshop)),
            letter=FilteredRelation(
                "log_entries",
                condition=Q(
                    log_entries__workshop=workshop,
                    log_entries__action=Action.INVITE,
                    log_entries__occasion="",
                    log_entries__status__in=LIVE_ENTRY_STATUSES,
                ),
            ),
        )
        .annotate(invited_as=_invited_as(workshop.chapter, roles), reason=_reason()),
    )


def _who_answered(workshop: Workshop, answer: Answer) -> QuerySet[Invitee]:
    """
    Whoever has not answered was sent an invitation, and may have turned away since; who has a
    place, or waits for one, is written to about it whatever else they get.
    """
    people = Member.objects.alias(
        invitation=FilteredRelation("invitations", condition=Q(invitations__workshop=workshop))
    ).filter(invitation__answer=answer)
    reasons = [
        When(closed_at__isnull=False, then=Value(CLOSED)),
        When(UNREACHABLE, then=Value(NO_ADDRESS)),
    ]
    if answer == Answer.NONE:
        people = people.filter(Exists(_invitation_that_left(workshop)))
        subscription = Subscription.objects.filter(
            member=OuterRef("pk"),
            group__chapter=workshop.chapter_id,
            group__role=OuterRef("invitation__role"),
        )
        reasons = [*_not_eligible(), When(~Exists(subscription), then=Value(UNSUBSCRIBED))]
    reason = Case(*reasons, default=Value(""), output_field=TextField())
    return cast("QuerySet[Invitee]", people.annotate(reason=reason))


def _students_who_came(workshop: Workshop) -> QuerySet[Invitee]:
    """
    Students marked as here. Nobody is written to who wants no letters of ours at all, or who was
    marked after the others were asked: the next log asks them.
    """
    asked = FeedbackRequest.objects.filter(
        invitation__workshop=workshop, invitation__member=OuterRef("pk")
    )
    reason = Case(
        *_not_eligible(),
        When(~Exists(Subscription.objects.filter(member=OuterRef("pk"))), then=Value(UNSUBSCRIBED)),
        When(~Exists(asked), then=Value(MARKED_LATER)),
        default=Value(""),
        output_field=TextField(),
    )
    came = Invitation.objects.filter(
        workshop=workshop,
        member=OuterRef("pk"),
        role=Role.STUDENT,
        attended_at__isnull=False,
    )
    people = Member.objects.filter(Exists(came)).annotate(reason=reason)
    return cast("QuerySet[Invitee]", people)


def _invitation_that_left(workshop: Workshop) -> QuerySet[InvitationLogEntry]:
    return InvitationLogEntry.objects.filter(
        workshop=workshop,
        member=OuterRef("pk"),
        action=Action.INVITE,
        occasion="",
        status__in=LEFT,
    )


@dataclass(frozen=True)
class Reach:
    """
    What one button would do now: subscribers = to_invite + everybody who is left out.

    Of a workshop's own audiences the subscribers are those who gave that answer.
    """

    audience: Audience
    subscribers: int
    eligible: int
    to_invite: int
    left_out: list[tuple[str, int]]


def reach(workshop: Workshop, audience: Audience) -> Reach:
    """The numbers beside a button, in one statement whatever the size of the chapter."""
    return reach_of(audience_of(workshop, audience), audience)


def reach_of(people: QuerySet[Invitee], audience: Audience) -> Reach:
    """The numbers of these people, each with the `reason` for which they get no letter."""
    counts = dict(people.values_list("reason").annotate(people=Count("pk")).order_by())
    subscribers = sum(counts.values())
    return Reach(
        audience=audience,
        subscribers=subscribers,
        eligible=subscribers - sum(counts.get(reason, 0) for reason in NOT_ELIGIBLE),
        to_invite=counts.pop("", 0),
        left_out=sorted(counts.items(), key=lambda reason_and_count: _rank(reason_and_count[0])),
    )


def left_out(workshop: Workshop, audience: Audience) -> QuerySet[Invitee]:
    """Those who would get no letter now, each with the `reason`, by name."""
    return audience_of(workshop, audience).exclude(reason="").order_by("name", "surname", "pk")


def roles_of(member: Member, chapter: Chapter) -> list[Role]:
    """As what a member may come: the roles whose groups of this chapter they are in."""
    roles = Subscription.objects.filter(member=member, group__chapter=chapter)
    return sorted(Role(role) for role in set(roles.values_list("group__role", flat=True)))


def why_not_eligible() -> Case:
    """The first of DESIGN §5's reasons for which a member gets no letter at all; "" for none."""
    return Case(*_not_eligible(), default=Value(""), output_field=TextField())


def _subscription(chapter: Chapter, *roles: Role) -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        member=OuterRef("pk"), group__chapter=chapter, group__role__in=roles
    )


def _invited_as(chapter: Chapter, roles: tuple[Role, ...]) -> Case:
    """Coaches are scarcer, so somebody in both groups is invited as coach."""
    if Role.COACH not in roles:
        return Case(default=Value(Role.STUDENT.value), output_field=CharField())
    return Case(
        When(Exists(_subscription(chapter, Role.COACH)), then=Value(Role.COACH.value)),
        default=Value(Role.STUDENT.value),
        output_field=CharField(),
    )


def _not_eligible() -> list[When]:
    banned = Exists(Ban.objects.active().filter(member=OuterRef("pk")))
    return [
        When(closed_at__isnull=False, then=Value(CLOSED)),
        When(banned, then=Value(BANNED)),
        When(accepted_terms_at__isnull=True, then=Value(NO_TERMS)),
        When(UNREACHABLE, then=Value(NO_ADDRESS)),
    ]


def _reason() -> Case:
    """The first of DESIGN §5's reasons that holds."""
    in_log = Cast("letter__log", TextField())
    return Case(
        *_not_eligible(),
        When(
            Q(invitation__isnull=False) & ~Q(invitation__answer=Answer.NONE), then=Value(ANSWERED)
        ),
        When(
            Q(letter__status=EntryStatus.SUCCESS)
            & Q(invitation__isnull=False)
            & ~Q(invitation__role=F("invited_as")),
            then=Concat(Value(f"{INVITED} as a "), F("invitation__role")),
        ),
        When(letter__status=EntryStatus.SUCCESS, then=Value(INVITED)),
        When(letter__status=EntryStatus.UNKNOWN, then=Concat(Value(f"{IN_DOUBT} in log "), in_log)),
        When(letter__isnull=False, then=Concat(Value("is being invited by log "), in_log)),
        default=Value(""),
        output_field=TextField(),
    )


def _rank(reason: str) -> int:
    order = (
        *NOT_ELIGIBLE,
        UNSUBSCRIBED,
        ANSWERED,
        INVITED,
        "is being invited",
        IN_DOUBT,
    )
    return next((n for n, start in enumerate(order) if reason.startswith(start)), len(order))
