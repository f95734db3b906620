"""Who people are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower, Now, Trim
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members import fields


class DietaryNeed(models.TextChoices):
    """Planner's list, for whoever orders the food."""

    VEGAN = "vegan", _("Vegan")
    VEGETARIAN = "vegetarian", _("Vegetarian")
    PESCETARIAN = "pescetarian", _("Pescetarian")
    HALAL = "halal", _("Halal")
    GLUTEN_FREE = "gluten_free", _("Gluten free")
    DAIRY_FREE = "dairy_free", _("Dairy free")
    OTHER = "other", _("Other")


class Language(models.TextChoices):
    """The languages that letters are written in, each named in itself."""

    ENGLISH = "en", "English"
    GERMAN = "de", "Deutsch"
    FRENCH = "fr", "Français"


class HeardFrom(models.TextChoices):
    """How a member found us (planner's list)."""

    FRIEND = "friend", _("From a friend")
    SEARCH = "search", _("Search engine")
    SOCIAL_MEDIA = "social_media", _("Social media")
    HOST_OR_PARTNER = "host", _("A company that hosts or helps us")
    OTHER = "other", _("Somewhere else")


# Why an address cannot be used although it exists. Whatever else stands there is what a mail server
# said of one that does not.
FAILING = "Letters of ours came back on five days of a month."

# Whoever gets no letter that goes to many people.
UNREACHABLE = Q(address_unusable_at__isnull=False) | Q(complained_at__isnull=False)


def normalize_email(email: str) -> str:
    """The address as it is stored: trimmed and lower-case, so that one person is one row."""
    return email.strip().lower()


class MemberQuerySet(models.QuerySet["Member"]):
    def not_banned(self) -> MemberQuerySet:
        """Whoever has no active ban, however many expired ones."""
        return self.exclude(Exists(Ban.objects.active().filter(member=OuterRef("pk"))))

    def able_to_be_invited(self) -> MemberQuerySet:
        """Account open, terms accepted, address usable, letters wanted, not banned."""
        return self.filter(
            ~UNREACHABLE, closed_at__isnull=True, accepted_terms_at__isnull=False
        ).not_banned()


class MemberManager(BaseUserManager["Member"].from_queryset(MemberQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Member:
        """A member who signs in with a code by e-mail, or with `password` where one is given."""
        member = self.model(email=normalize_email(email), **fields)
        if password is None:
            member.set_unusable_password()
        else:
            member.set_password(password)
        member.save(using=self._db)
        return member  # type: ignore[no-any-return]

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Member:
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> Member:
        return self.get(email=normalize_email(username or ""))  # type: ignore[no-any-return]


class Member(AbstractBaseUser):
    """
    A person with an account.

    Accounts are closed, never deleted: the row stays, so that every log keeps its people.
    "Student" and "coach" are not roles of the account; they mean "subscribed to such a group".
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100)
    surname = models.CharField(max_length=100, blank=True)
    pronouns = models.CharField(max_length=50, blank=True)
    about = models.CharField(max_length=255, blank=True, default="", db_default="")
    skills = models.CharField(max_length=255, blank=True, default="", db_default="")
    dietary_needs = ArrayField(
        models.CharField(max_length=20, choices=DietaryNeed.choices),
        default=list,
        db_default=[],
        blank=True,
    )
    other_dietary_needs = models.CharField(max_length=200, blank=True, default="", db_default="")
    language = models.CharField(
        max_length=10, choices=Language.choices, default=Language.ENGLISH, db_default="en"
    )
    heard_from = models.CharField(
        max_length=20, choices=HeardFrom.choices, blank=True, default="", db_default=""
    )
    heard_from_other = models.CharField(max_length=200, blank=True, default="", db_default="")
    accepted_terms_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    address_unusable_at = models.DateTimeField(null=True, blank=True)
    address_unusable_reason = models.TextField(blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    is_superuser = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    objects = MemberManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="email_is_trimmed_and_lower_case",
                condition=Q(email=Lower(Trim("email"))),
                violation_error_message="Write the address in lower case and without spaces.",
            ),
            models.CheckConstraint(
                name="member_language_is_known", condition=Q(language__in=Language.values)
            ),
        ]
        indexes = [
            # The first page of a list by name reads as many rows as it shows.
            models.Index(Lower("name"), Lower("surname"), "id", name="members_by_name"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.name} {self.surname}".strip()

    @property
    def has_joined(self) -> bool:
        """Terms accepted and details told, so that every page opens (`members/middleware.py`)."""
        return self.accepted_terms_at is not None and self.name != ""

    @property
    def dietary_words(self) -> list[str]:
        """What the member does not eat, in words; their own instead of “Other”."""
        needs = [
            str(DietaryNeed(need).label) for need in self.dietary_needs if need != DietaryNeed.OTHER
        ]
        return needs + ([self.other_dietary_needs] if self.other_dietary_needs else [])

    @property
    def is_answered(self) -> bool:
        """
        Whether letters go to this address that answer what the member has just done. Those to many
        people ask for more: `is_reachable`.
        """
        return self.address_unusable_at is None or self.address_unusable_reason == FAILING

    @property
    def is_reachable(self) -> bool:
        """
        Whether letters to many people go there: the address is usable, and none was marked as
        unwanted since the member last asked for them.
        """
        return self.address_unusable_at is None and self.complained_at is None

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether this member may sign in; Django and allauth ask for it by this name."""
        return self.closed_at is None

    @property
    def is_staff(self) -> bool:
        """Whether Django's own admin at /staff/ lets this member in."""
        return self.is_superuser

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_superuser

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        self.email = normalize_email(self.email)


class BanQuerySet(models.QuerySet["Ban"]):
    def active(self) -> BanQuerySet:
        """The bans that hold now, by the database's clock. One rule, everywhere."""
        return self.filter(Q(is_permanent=True) | Q(expires_at__gt=Now()))


class Ban(models.Model):
    """A time during which a member is not invited. It ends by itself, or never."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="bans")
    added_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="bans_given")
    reason = models.CharField(max_length=200)
    note = models.TextField(blank=True)
    explanation = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    is_permanent = models.BooleanField(default=False)
    request_key = fields.request_key()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    objects = BanQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="ban_ends_or_is_permanent",
                condition=Q(is_permanent=True) | Q(expires_at__isnull=False),
                violation_error_message="Say when the ban ends, or that it is permanent.",
            ),
        ]
        indexes = [models.Index(fields=["member", "expires_at"], name="bans_of_a_member")]

    def __str__(self) -> str:
        return f"Ban of member {self.member_id}: {self.reason}"

    def is_active_at(self, at: datetime) -> bool:
        return self.is_permanent or (self.expires_at is not None and self.expires_at > at)


class Note(models.Model):
    """What organisers tell each other about a member; the member does not see it here."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="notes_written")
    text = models.TextField()
    request_key = fields.request_key()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    def __str__(self) -> str:
        return f"Note {self.pk} about member {self.member_id}"


class Notice(models.Model):
    """An organiser's letter to one member about missed workshops, or about who may come."""

    class Kind(models.TextChoices):
        ATTENDANCE = "attendance", "attendance warning"
        ELIGIBILITY = "eligibility", "eligibility question"

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    sent_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="notices_sent")
    request_key = fields.request_key()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="notice_kind_is_known",
                condition=Q(kind__in=["attendance", "eligibility"]),
            ),
        ]

    def __str__(self) -> str:
        return f"Notice {self.pk} to member {self.member_id}"
