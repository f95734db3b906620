"""Chapters, who is subscribed to their groups, and the workshops they hold."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower, Now, Trim
from django.utils import timezone
from timezone_field import TimeZoneField

from members import fields
from members.models import Member

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Role(models.TextChoices):
    """What somebody comes as."""

    STUDENT = "student", "Student"
    COACH = "coach", "Coach"


class ChapterQuerySet(models.QuerySet["Chapter"]):
    def organised_by(self, user: Member | AnonymousUser) -> ChapterQuerySet:
        """The chapters this person may work for: their own, or all of them for an admin."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(organisers=user)

    def locked(self) -> ChapterQuerySet:
        """Fresh, for whoever decides about a chapter's groups and organisers."""
        return self.select_for_update(no_key=True)


class Chapter(models.Model):
    """Volunteers of one city. Times of its workshops are shown in its own time zone."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    email = models.EmailField(unique=True)
    city = models.CharField(max_length=100)
    time_zone = TimeZoneField(default="Europe/London")
    description = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    organisers = models.ManyToManyField(Member, related_name="organised_chapters", blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    objects = ChapterQuerySet.as_manager()

    def __str__(self) -> str:
        return f"codebar {self.name}"


class Group(models.Model):
    """One mailing group of one chapter. A chapter may have several of a role."""

    chapter = models.ForeignKey(Chapter, on_delete=models.PROTECT, related_name="groups")
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=10, choices=Role.choices)
    description = models.TextField(blank=True)
    members = models.ManyToManyField(Member, through="Subscription", related_name="groups")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_group_per_name_and_chapter",
                fields=["chapter", "name"],
                nulls_distinct=False,
                violation_error_message="This chapter already has a group of that name.",
            ),
            models.CheckConstraint(name="group_role_is_known", condition=Q(role__in=Role.values)),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.chapter}"


class Subscription(models.Model):
    """A member wants the letters of a group."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="subscriptions")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="subscriptions")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_subscription_per_member_and_group",
                fields=["member", "group"],
                nulls_distinct=False,
                violation_error_message="This member is already subscribed to this group.",
            ),
        ]

    def __str__(self) -> str:
        return f"Member {self.member_id} in group {self.group_id}"


class Departure(models.Model):
    """
    A member left a group, so that no list from elsewhere puts them back; joining again ends it.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="departures")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="departures")
    left_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_departure_per_member_and_group",
                fields=["member", "group"],
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"Member {self.member_id} left group {self.group_id}"


class Sponsor(models.Model):
    """A company that helps; as the host of a workshop it is the venue."""

    name = models.CharField(max_length=200)
    website = models.URLField(blank=True)
    description = models.TextField(blank=True)
    seats = models.PositiveIntegerField(default=15)
    coach_seats = models.PositiveIntegerField(null=True, blank=True)
    flat = models.CharField(max_length=100, blank=True)
    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    directions = models.TextField(blank=True)
    accessibility_info = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    def __str__(self) -> str:
        return self.name

    @property
    def has_address(self) -> bool:
        return bool(self.street and self.city)

    @property
    def address(self) -> str:
        """The address in one line: flat, street, city, postal code."""
        return ", ".join(p for p in (self.flat, self.street, self.city, self.postal_code) if p)

    @property
    def spaces_for_coaches(self) -> int:
        """Planner's rule: the number given, else half of the seats, rounded up."""
        return (self.seats + 1) // 2 if self.coach_seats is None else self.coach_seats


class Contact(models.Model):
    """Somebody at a sponsor whom organisers write to."""

    sponsor = models.ForeignKey(
        Sponsor,
        on_delete=models.CASCADE,
        related_name="contacts",
        db_index=False,  # one_contact_per_sponsor_and_address starts with it
    )
    name = models.CharField(max_length=100)
    surname = models.CharField(max_length=100, blank=True)
    email = models.EmailField()
    comment = models.TextField(blank=True)
    on_mailing_list = models.BooleanField("has agreed to newsletters", default=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_contact_per_sponsor_and_address",
                fields=["sponsor", "email"],
                nulls_distinct=False,
                violation_error_message="This company already has a contact with this address.",
            ),
            models.CheckConstraint(
                name="contact_email_is_trimmed_and_lower_case",
                condition=Q(email=Lower(Trim("email"))),
                violation_error_message="Write the address in lower case and without spaces.",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.name} {self.surname}".strip()


def _organises(member: Member) -> models.QuerySet[Any]:
    through = Workshop.organisers.through
    return through._default_manager.filter(workshop=OuterRef("pk"), member=member)


class WorkshopQuerySet(models.QuerySet["Workshop"]):
    def organised_by(self, user: Member | AnonymousUser) -> WorkshopQuerySet:
        """Those of the chapters this person may work for, and those they organise themselves."""
        if not user.is_authenticated:
            return self.none()
        chapters = Q(chapter__in=Chapter.objects.organised_by(user))
        return self.filter(chapters | Q(Exists(_organises(user))))

    def locked(self) -> WorkshopQuerySet:
        """Fresh, for whoever decides about a workshop; a batch that is being prepared passes."""
        return self.select_related("chapter").select_for_update(no_key=True, of=("self",))

    def upcoming(self, at: datetime) -> WorkshopQuerySet:
        return self.filter(starts_at__gt=at, cancelled_at__isnull=True)


class Workshop(models.Model):
    """An evening of one chapter, at a venue or in a call."""

    chapter = models.ForeignKey(Chapter, on_delete=models.PROTECT, related_name="workshops")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    rsvp_opens_at = models.DateTimeField(null=True, blank=True)
    rsvp_closes_at = models.DateTimeField(null=True, blank=True)
    is_invitable = models.BooleanField(default=True)
    is_virtual = models.BooleanField(default=False)
    student_spaces = models.PositiveIntegerField(default=0)
    coach_spaces = models.PositiveIntegerField(default=0)
    slack_channel = models.CharField(max_length=100, blank=True)
    slack_channel_link = models.URLField(blank=True)
    description = models.TextField(blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    sequence = models.PositiveIntegerField(default=0)
    sponsors = models.ManyToManyField(Sponsor, through="WorkshopSponsor", related_name="workshops")
    organisers = models.ManyToManyField(Member, related_name="organised_workshops", blank=True)
    request_key = fields.request_key()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    objects = WorkshopQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="workshop_ends_after_it_starts",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="The workshop must end after it starts.",
            ),
            models.CheckConstraint(
                name="virtual_workshop_has_spaces",
                condition=Q(is_virtual=False) | Q(student_spaces__gt=0, coach_spaces__gt=0),
                violation_error_message="Say how many students and coaches can join the call.",
            ),
        ]
        indexes = [models.Index(fields=["chapter", "starts_at"], name="workshops_of_a_chapter")]

    def __str__(self) -> str:
        return f"Workshop {self.pk}"

    @property
    def local_start(self) -> datetime:
        """The start on the clocks of the chapter."""
        return self.starts_at.astimezone(self.chapter.time_zone)

    @property
    def local_end(self) -> datetime:
        """The end on the clocks of the chapter."""
        return self.ends_at.astimezone(self.chapter.time_zone)

    @property
    def is_cancelled(self) -> bool:
        return self.cancelled_at is not None

    def has_begun(self, at: datetime) -> bool:
        return self.starts_at <= at


class WorkshopSponsor(models.Model):
    """A sponsor of a workshop; one of them may be its host."""

    workshop = models.ForeignKey(
        Workshop, on_delete=models.CASCADE, related_name="workshop_sponsors"
    )
    sponsor = models.ForeignKey(Sponsor, on_delete=models.PROTECT, related_name="workshop_sponsors")
    is_host = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_row_per_workshop_and_sponsor",
                fields=["workshop", "sponsor"],
                nulls_distinct=False,
                violation_error_message="This company is already a sponsor of the workshop.",
            ),
            models.UniqueConstraint(
                name="one_host_per_workshop",
                fields=["workshop"],
                condition=Q(is_host=True),
                nulls_distinct=False,
                violation_error_message="This workshop already has a host.",
            ),
        ]

    def __str__(self) -> str:
        return f"Sponsor {self.sponsor_id} of workshop {self.workshop_id}"
