"""Who is invited to which workshop, and what they answered."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from chapters.models import Role, Workshop
from members.models import Member

# Two of PostgreSQL's random UUIDs (122 bits each from its strong source): one alone is below the
# 128 bits that OWASP ASVS 11.5.1 asks of a token.
RANDOM_OCTETS = "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"


def _url_safe(octets: str) -> str:
    """What 32 octets are in SQL as 43 characters for an address."""
    return f"rtrim(translate(encode({octets}, 'base64'), '+/', '-_'), '=')"


class RandomToken(models.Func):
    """43 URL-safe characters with 244 random bits, made where the row is made."""

    template = _url_safe(RANDOM_OCTETS)
    output_field = models.CharField()


def derived_token(*, octets: str, member_id: str) -> str:
    """
    In SQL a token like a random one, for all rows of one statement, since asking the strong source
    twice for each would be a seventh of what a row costs. It tells nothing of the next row's.

    :param octets: a column of RANDOM_OCTETS that are made once for the statement and kept nowhere
    :param member_id: a column that is different in each row
    """
    return _url_safe(f"sha256({octets} || int8send({member_id}))")


class Answer(models.TextChoices):
    NONE = "", "no answer yet"
    ATTENDING = "attending", "coming"
    DECLINED = "declined", "not coming"
    WAITING = "waiting", "on the waiting list"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def for_role(self, role: Role) -> InvitationQuerySet:
        return self.filter(role=role)

    def attending(self) -> InvitationQuerySet:
        return self.filter(answer=Answer.ATTENDING)

    def waiting(self) -> InvitationQuerySet:
        """The waiting list, first in line first."""
        return self.filter(answer=Answer.WAITING).order_by("answered_at", "pk")

    def unanswered(self) -> InvitationQuerySet:
        return self.filter(answer=Answer.NONE)

    def held(self, at: datetime) -> InvitationQuerySet:
        """Places, and places in line, at workshops to come."""
        return self.filter(
            answer__in=[Answer.ATTENDING, Answer.WAITING],
            workshop__in=Workshop.objects.upcoming(at),
        )


class Invitation(models.Model):
    """One member and one workshop: the link in the letter, and the answer."""

    workshop = models.ForeignKey(
        Workshop,
        on_delete=models.PROTECT,
        related_name="invitations",
        db_index=False,  # one_invitation_per_member starts with it
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role.choices)
    token = models.CharField(max_length=64, db_default=RandomToken())
    answer = models.CharField(
        max_length=10, choices=Answer.choices, default=Answer.NONE, db_default="", blank=True
    )
    answer_number = models.PositiveIntegerField(default=0, db_default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=100, blank=True, default="", db_default="")
    tutorial = models.CharField(max_length=200, blank=True, default="", db_default="")
    answered_by = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="answers_for_others",
        db_index=False,  # nobody looks for it, and a batch writes thousands of rows
    )
    override_reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    attended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_invitation_per_member",
                fields=["workshop", "member"],
                nulls_distinct=False,
            ),
            # A field that is unique by itself has a second index for LIKE, which nobody asks.
            models.UniqueConstraint(
                name="one_invitation_per_token", fields=["token"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="invitation_role_is_known", condition=Q(role__in=Role.values)
            ),
            models.CheckConstraint(
                name="invitation_answer_is_known", condition=Q(answer__in=Answer.values)
            ),
            models.CheckConstraint(
                name="invitation_override_names_who",
                condition=Q(override_reason="") | Q(answered_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["workshop", "role", "answer"],
                name="answers_of_a_workshop",
                condition=~Q(answer=""),
            ),
        ]

    def __str__(self) -> str:
        return f"Invitation {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("invitation", args=[self.token])

    @property
    def is_attending(self) -> bool:
        return self.answer == Answer.ATTENDING

    @property
    def has_declined(self) -> bool:
        return self.answer == Answer.DECLINED

    @property
    def is_waiting(self) -> bool:
        return self.answer == Answer.WAITING


class FormerToken(models.Model):
    """
    A token of an invitation that was merged into this one, since planner had two of one person.

    It stands in letters already sent, so it opens the same page; a closed account loses it.
    """

    token = models.CharField(max_length=64)
    invitation = models.ForeignKey(
        Invitation, on_delete=models.CASCADE, related_name="former_tokens"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_former_token", fields=["token"], nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"Former token {self.pk}"


class FeedbackRequest(models.Model):
    """Who was asked how a workshop was, and whether their link is used up; never what they said."""

    invitation = models.OneToOneField(
        Invitation, on_delete=models.PROTECT, related_name="feedback_request"
    )
    token = models.CharField(max_length=64, unique=True, db_default=RandomToken())
    answered_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    def __str__(self) -> str:
        return f"Feedback request {self.pk}"


class Feedback(models.Model):
    """How somebody found a workshop. Nothing here leads to who it was, not even the hour."""

    workshop = models.ForeignKey(Workshop, on_delete=models.PROTECT, related_name="feedback")
    role = models.CharField(max_length=10, choices=Role.choices)
    rating = models.PositiveSmallIntegerField()
    coach = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, blank=True, related_name="feedback_received"
    )
    tutorial = models.CharField(max_length=200, blank=True)
    how_it_was = models.TextField(blank=True)
    suggestions = models.TextField(blank=True)
    given_on = models.DateField(default=timezone.localdate)

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [
            models.CheckConstraint(
                name="feedback_rating_is_one_to_five", condition=Q(rating__gte=1, rating__lte=5)
            ),
            models.CheckConstraint(
                name="feedback_role_is_known", condition=Q(role__in=Role.values)
            ),
        ]

    def __str__(self) -> str:
        return f"Feedback {self.pk}"
