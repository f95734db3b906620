"""
People, chapters, workshops and letters for tests.

Whatever a factory makes is as common as possible: a member who can be invited, a workshop in two
weeks at a venue, an invitation of somebody who is subscribed. Say only what your story needs.
"""

import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from chapters.models import (
    Chapter,
    Group,
    Role,
    Sponsor,
    Subscription,
    Workshop,
    WorkshopSponsor,
)
from invitations.models import Answer, Invitation
from logs.models import (
    Action,
    Audience,
    Bounce,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Priority,
)
from members.models import Ban, Member, Note, Notice

GROUP_NAMES = {Role.STUDENT: "Students", Role.COACH: "Coaches"}
NOT_STARTED = (LogStatus.SCHEDULED, LogStatus.PREPARING)
FINISHED = (LogStatus.COMPLETED, LogStatus.CANCELLED, LogStatus.FAILED)


def in_days(days: int) -> datetime:
    """So many days from now."""
    return timezone.now() + timedelta(days=days)


def in_two_weeks() -> datetime:
    """An evening in two weeks: 18:30 UTC, whenever the tests run."""
    return datetime.combine(in_days(14).date(), time(18, 30), tzinfo=UTC)


class MemberFactory(DjangoModelFactory[Member]):
    """Somebody who can be invited, unless a trait says otherwise."""

    class Meta:
        model = Member
        skip_postgeneration_save = True

    class Params:
        banned = factory.Trait(
            ban=factory.RelatedFactory("tests.factories.BanFactory", factory_related_name="member")
        )
        closed = factory.Trait(closed_at=factory.LazyFunction(timezone.now))
        without_terms = factory.Trait(accepted_terms_at=None)
        unreachable = factory.Trait(
            address_unusable_at=factory.LazyFunction(timezone.now),
            address_unusable_reason="550 5.1.1 No such mailbox",
        )
        superuser = factory.Trait(is_superuser=True)

    name = factory.Iterator(["Amina", "Bruno", "Chidi", "Dilek", "Elif", "Farid", "Grace"])
    surname = factory.Sequence(lambda n: f"Tester{n}")
    email = factory.Sequence(lambda n: f"member{n}@people.example")
    password = "!"  # nobody signs in with one
    accepted_terms_at = factory.LazyFunction(lambda: in_days(-365))


class BanFactory(DjangoModelFactory[Ban]):
    """A ban that holds for another month."""

    class Meta:
        model = Ban

    class Params:
        expired = factory.Trait(expires_at=factory.LazyFunction(lambda: in_days(-1)))
        permanent = factory.Trait(expires_at=None, is_permanent=True)

    member = factory.SubFactory(MemberFactory)
    added_by = factory.SubFactory(MemberFactory)
    reason = "Did not come, three times, without a word"
    expires_at = factory.LazyFunction(lambda: in_days(30))


class NoteFactory(DjangoModelFactory[Note]):
    class Meta:
        model = Note

    member = factory.SubFactory(MemberFactory)
    author = factory.SubFactory(MemberFactory)
    text = "Asked for a quiet corner."


class NoticeFactory(DjangoModelFactory[Notice]):
    """An attendance warning."""

    class Meta:
        model = Notice

    member = factory.SubFactory(MemberFactory)
    sent_by = factory.SubFactory(MemberFactory)
    kind = Notice.Kind.ATTENDANCE


class ChapterFactory(DjangoModelFactory[Chapter]):
    """A chapter without groups; `organisers=[…]` says who organises it."""

    class Meta:
        model = Chapter
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Town {n}")
    city = factory.SelfAttribute("name")
    slug = factory.Sequence(lambda n: f"town-{n}")
    email = factory.LazyAttribute(lambda chapter: f"{chapter.slug}@codebar.example")
    time_zone = "Europe/London"

    @factory.post_generation
    def organisers(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if extracted:
            self.organisers.add(*extracted)


class GroupFactory(DjangoModelFactory[Group]):
    class Meta:
        model = Group

    chapter = factory.SubFactory(ChapterFactory)
    role = Role.STUDENT
    name = factory.LazyAttributeSequence(lambda group, n: f"{GROUP_NAMES[group.role]} {n}")


class SubscriptionFactory(DjangoModelFactory[Subscription]):
    class Meta:
        model = Subscription

    member = factory.SubFactory(MemberFactory)
    group = factory.SubFactory(GroupFactory)


class SponsorFactory(DjangoModelFactory[Sponsor]):
    """A venue with an address, seats for 40 students and 20 coaches."""

    class Meta:
        model = Sponsor

    name = factory.Sequence(lambda n: f"Company {n}")
    website = "https://company.example"
    seats = 40
    coach_seats = 20
    flat = "3rd floor"
    street = "1 Example Street"
    city = "London"
    postal_code = "EX1 1EX"


class WorkshopFactory(DjangoModelFactory[Workshop]):
    """
    An evening in two weeks, two hours long, at a venue.

    `virtual=True` makes it a call, `host=None` leaves it without a venue, `host=sponsor` names
    one. `student_spaces` and `coach_spaces` are the spaces of the call, or else the seats of
    the venue made for it.
    """

    class Meta:
        model = Workshop

    class Params:
        virtual = factory.Trait(
            is_virtual=True,
            student_spaces=40,
            coach_spaces=20,
            slack_channel="workshops",
            slack_channel_link="https://chat.example/workshops",
        )
        past = factory.Trait(starts_at=factory.LazyFunction(lambda: in_days(-14)))
        cancelled = factory.Trait(cancelled_at=factory.LazyFunction(timezone.now))

    chapter = factory.SubFactory(ChapterFactory)
    starts_at = factory.LazyFunction(in_two_weeks)
    ends_at = factory.LazyAttribute(lambda workshop: workshop.starts_at + timedelta(hours=2))
    is_virtual = False
    student_spaces = 0
    coach_spaces = 0
    host = factory.Maybe(
        "is_virtual",
        yes_declaration=None,
        no_declaration=factory.SubFactory(
            SponsorFactory,
            seats=factory.LazyAttribute(lambda host: host.factory_parent.student_spaces or 40),
            coach_seats=factory.LazyAttribute(lambda host: host.factory_parent.coach_spaces or 20),
        ),
    )

    @classmethod
    def _create(
        cls, model_class: type[Workshop], *args: Any, host: Sponsor | None, **fields: Any
    ) -> Workshop:
        workshop = super()._create(model_class, *args, **fields)
        if host:
            WorkshopSponsor.objects.create(workshop=workshop, sponsor=host, is_host=True)
        return workshop


class InvitationFactory(DjangoModelFactory[Invitation]):
    """
    An invitation as student, not yet answered, of somebody subscribed to such a group.

    With `answer=…` it was answered an hour ago; `subscribed=False` leaves the groups alone.
    """

    class Meta:
        model = Invitation
        skip_postgeneration_save = True

    workshop = factory.SubFactory(WorkshopFactory)
    member = factory.SubFactory(MemberFactory)
    role = Role.STUDENT
    answer = Answer.NONE
    answer_number = factory.LazyAttribute(lambda invitation: 1 if invitation.answer else 0)
    answered_at = factory.LazyAttribute(
        lambda invitation: timezone.now() - timedelta(hours=1) if invitation.answer else None
    )

    @factory.post_generation
    def subscribed(self: Any, create: bool, extracted: bool | None, **kwargs: Any) -> None:
        if extracted is not False:
            subscribe(self.member, self.workshop.chapter, Role(self.role))


class InvitationLogFactory(DjangoModelFactory[InvitationLog]):
    """A click on Students that is being sent; `status=…` puts it elsewhere in its life."""

    class Meta:
        model = InvitationLog

    workshop = factory.SubFactory(WorkshopFactory)
    chapter = factory.SelfAttribute("workshop.chapter")
    audience = Audience.STUDENTS
    status = LogStatus.RUNNING
    initiator = factory.SubFactory(MemberFactory)
    send_at = factory.LazyAttribute(
        lambda log: in_days(1) if log.status == LogStatus.SCHEDULED else None
    )
    started_at = factory.LazyAttribute(
        lambda log: None if log.status in NOT_STARTED else timezone.now()
    )
    finished_at = factory.LazyAttribute(
        lambda log: timezone.now() if log.status in FINISHED else None
    )


class InvitationLogEntryFactory(DjangoModelFactory[InvitationLogEntry]):
    """One person in one log, still waiting; `log=None` makes it a single letter."""

    class Meta:
        model = InvitationLogEntry

    log = factory.SubFactory(InvitationLogFactory)
    member = factory.SubFactory(MemberFactory)
    workshop = factory.Maybe(
        "log",
        yes_declaration=factory.SelfAttribute("log.workshop"),
        no_declaration=factory.SubFactory(WorkshopFactory),
    )
    action = Action.INVITE
    status = EntryStatus.PENDING
    priority = factory.LazyAttribute(lambda entry: Priority.BULK if entry.log else Priority.SINGLE)
    lease = factory.LazyAttribute(
        lambda entry: uuid.uuid4() if entry.status == EntryStatus.SENDING else None
    )
    answer_code = factory.LazyAttribute(
        lambda entry: 250 if entry.status == EntryStatus.SUCCESS else None
    )


class BounceFactory(DjangoModelFactory[Bounce]):
    """A letter that could not be delivered today, as the mail server reported."""

    class Meta:
        model = Bounce

    entry = factory.SubFactory(InvitationLogEntryFactory, status=EntryStatus.SUCCESS)
    member = factory.SelfAttribute("entry.member")
    kind = Bounce.Kind.SOFT
    code = "5.2.2"
    told_by = "mail server"
    event = factory.Sequence(lambda n: f"event {n}")


def subscribe(member: Member, chapter: Chapter, *roles: Role) -> Member:
    """Subscribe the member to a group of each role of this chapter, made where it is missing."""
    for role in roles:
        group = chapter.groups.filter(role=role).order_by("pk").first()
        group = group or GroupFactory(chapter=chapter, role=role, name=GROUP_NAMES[role])
        Subscription.objects.get_or_create(member=member, group=group)
    return member


def chapter_with(*, students: int = 0, coaches: int = 0, **fields: Any) -> Chapter:
    """A chapter with both groups and so many people in each, all of whom can be invited."""
    chapter: Chapter = ChapterFactory(**fields)
    for role, count in ((Role.STUDENT, students), (Role.COACH, coaches)):
        group = GroupFactory(chapter=chapter, role=role, name=GROUP_NAMES[role])
        SubscriptionFactory.create_batch(count, group=group)
    return chapter


def organiser_of(*chapters: Chapter) -> Member:
    """A member who organises these chapters."""
    member: Member = MemberFactory(name="Olu", surname="Organiser")
    member.organised_chapters.add(*chapters)
    return member
