"""The ledger: every letter is an entry first, and an entry knows who asked for it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from chapters.models import Chapter, Workshop
from members import fields
from members.fields import OrderedUUID
from members.models import Member


class Audience(models.TextChoices):
    """
    Whom a log writes to: everybody subscribed to groups of these roles, eligible or not;
    everybody who gave this answer to one workshop; or people named one by one.
    """

    STUDENTS = "students", "Students"
    COACHES = "coaches", "Coaches"
    EVERYONE = "everyone", "Everybody"
    ATTENDING = "attending", "People who are coming"
    WAITING = "waiting", "The waiting list"
    UNANSWERED = "unanswered", "People who have not answered"
    ATTENDED = "attended", "People who came"
    PEOPLE = "people", "Named people"


# Those whom a button invites.
CHAPTER_AUDIENCES = (Audience.STUDENTS, Audience.COACHES, Audience.EVERYONE)


class Action(models.TextChoices):
    """What a letter is for."""

    INVITE = "invite", "invitation"
    CONFIRMATION = "confirmation", "confirmation"
    PLACE = "place", "place from the waiting list"
    DECLINED = "declined", "answer: not coming"
    WAITING = "waiting", "place in line"
    REMINDER = "reminder", "reminder"
    NUDGE = "nudge", "question to answer"
    FEEDBACK = "feedback", "question how it was"
    WELCOME = "welcome", "welcome"
    HELLO = "hello", "hello after three months"
    CHANGE = "change", "change of the workshop"
    CANCELLATION = "cancellation", "cancellation"
    MESSAGE = "message", "message"
    APOLOGY = "apology", "apology"
    CORRECTION = "correction", "correction"
    TEST = "test", "test letter"
    BAN = "ban", "suspension"
    WARNING = "warning", "attendance warning"
    ELIGIBILITY = "eligibility", "eligibility question"


# About another log, and never repeated by themselves: a second apology is worse than none.
REPAIRS = (Action.APOLOGY, Action.CORRECTION)


class LogStatus(models.TextChoices):
    SCHEDULED = "scheduled", "scheduled"
    PREPARING = "preparing", "preparing"
    RUNNING = "running", "sending"
    PAUSED = "paused", "paused"
    COMPLETED = "completed", "completed"
    CANCELLED = "cancelled", "cancelled"
    FAILED = "failed", "failed"


LIVE_LOG_STATUSES = (
    LogStatus.SCHEDULED,
    LogStatus.PREPARING,
    LogStatus.RUNNING,
    LogStatus.PAUSED,
)


class InvitationLog(models.Model):
    """
    One click, or one scheduled run: who asked, for which audience, and how far it is.

    An apology or correction is `about` another log, or names its `recipients` one by one. Of a log
    that was forgotten (R38) the `counts` of its entries are left.
    """

    class Source(models.TextChoices):
        PERSON = "person", "a person"
        SCHEDULE = "schedule", "the schedule"
        IMPORT = "import", "an import"

    workshop = models.ForeignKey(
        Workshop, on_delete=models.PROTECT, null=True, related_name="invitation_logs"
    )
    chapter = models.ForeignKey(Chapter, on_delete=models.PROTECT, related_name="invitation_logs")
    audience = models.CharField(max_length=20, choices=Audience.choices)
    action = models.CharField(max_length=20, choices=Action.choices, default=Action.INVITE)
    occasion = models.TextField(blank=True, default="")
    status = models.CharField(max_length=20, choices=LogStatus.choices, default=LogStatus.PREPARING)
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.PERSON)
    initiator = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="started_logs"
    )
    subject = models.CharField(max_length=200, blank=True, default="", db_default="")
    note = models.TextField(blank=True, default="", db_default="")
    request_key = fields.request_key()
    about = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="repairs"
    )
    recipients = models.JSONField(
        default=dict, blank=True, db_default=models.Value({}, models.JSONField())
    )
    send_at = models.DateTimeField(null=True, blank=True)
    seen_count = models.PositiveIntegerField(null=True, blank=True)
    prepare_tries = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_live_log_per_audience",
                fields=["workshop", "chapter", "audience", "action", "occasion"],
                condition=Q(status__in=LIVE_LOG_STATUSES),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="log_status_is_known", condition=Q(status__in=LogStatus.values)
            ),
            models.CheckConstraint(
                name="log_is_scheduled_for_a_moment",
                condition=~Q(status="scheduled") | Q(send_at__isnull=False),
            ),
            models.CheckConstraint(
                name="log_names_who_asked",
                condition=Q(initiator__isnull=False) | Q(source__in=["schedule", "import"]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["status"],
                name="logs_at_work",
                condition=Q(status__in=LIVE_LOG_STATUSES),
            ),
        ]

    def __str__(self) -> str:
        return f"Log {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_LOG_STATUSES


class EntryStatus(models.TextChoices):
    """What happened to one letter; the words are those an organiser reads."""

    PENDING = "pending", "waiting"
    SENDING = "sending", "being sent"
    SUCCESS = "success", "sent"
    FAILED = "failed", "failed"
    SKIPPED = "skipped", "not written to"
    UNKNOWN = "unknown", "in doubt"
    CANCELLED = "cancelled", "cancelled"


LIVE_ENTRY_STATUSES = (
    EntryStatus.PENDING,
    EntryStatus.SENDING,
    EntryStatus.SUCCESS,
    EntryStatus.UNKNOWN,
)


# Letters that may still leave.
TO_GO = (EntryStatus.PENDING, EntryStatus.SENDING)


class Priority(models.IntegerChoices):
    """Single letters leave before bulk."""

    SINGLE = 0
    BULK = 1


class InvitationLogEntry(models.Model):
    """
    One person in one log, and the ledger row of one letter.

    Its outcome is a transition of this one row, never another row; so a failure followed by a
    success cannot break a rule of uniqueness, as planner's entries looked up by status did.
    """

    log = models.ForeignKey(
        InvitationLog,
        on_delete=models.PROTECT,
        null=True,
        related_name="entries",
        db_index=False,  # entries_of_a_log starts with it
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="log_entries")
    workshop = models.ForeignKey(
        Workshop,
        on_delete=models.PROTECT,
        null=True,
        related_name="log_entries",
        db_index=False,  # the live index starts with it
    )
    action = models.CharField(max_length=20, choices=Action.choices, default=Action.INVITE)
    occasion = models.TextField(blank=True, default="", db_default="")
    status = models.CharField(
        max_length=20, choices=EntryStatus.choices, default=EntryStatus.PENDING
    )
    reason = models.TextField(blank=True, default="", db_default="")
    message_id = models.UUIDField(unique=True, default=uuid.uuid4, db_default=OrderedUUID())
    priority = models.PositiveSmallIntegerField(
        choices=Priority.choices, default=Priority.SINGLE, db_default=Priority.BULK
    )
    due_at = models.DateTimeField(default=timezone.now, db_default=Now())
    lease = models.UUIDField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    doubts = models.PositiveSmallIntegerField(default=0, db_default=0)
    answer_code = models.PositiveSmallIntegerField(null=True, blank=True)
    is_settled = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    changed_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        verbose_name_plural = "invitation log entries"
        constraints = [
            models.UniqueConstraint(
                name="one_entry_per_log_and_member",
                fields=["log", "member"],
                condition=Q(log__isnull=False),
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                name="one_single_letter_per_occasion",
                fields=["workshop", "member", "action", "occasion"],
                condition=Q(log__isnull=True),
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                name="one_live_letter_per_occasion",
                fields=["workshop", "member", "action", "occasion"],
                condition=Q(status__in=LIVE_ENTRY_STATUSES),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="entry_status_is_known", condition=Q(status__in=EntryStatus.values)
            ),
            models.CheckConstraint(
                name="entry_is_leased_while_sending",
                condition=Q(status="sending", lease__isnull=False)
                | (~Q(status="sending") & Q(lease__isnull=True)),
            ),
            models.CheckConstraint(
                name="entry_success_has_an_answer",
                condition=~Q(status="success") | Q(answer_code__isnull=False) | Q(is_settled=True),
            ),
        ]
        indexes = [
            models.Index(
                "priority",
                F("log").asc(nulls_last=True),
                "id",
                name="entries_to_claim",
                condition=Q(status="pending"),
            ),
            models.Index(
                fields=["lease", "id"], name="entries_in_hand", condition=Q(status="sending")
            ),
            models.Index(fields=["log", "status"], name="entries_of_a_log"),
            models.Index(fields=["log"], name="entries_doubted", condition=Q(doubts__gt=0)),
            models.Index(
                fields=["status", "changed_at"],
                name="entries_not_delivered",
                condition=Q(status__in=["failed", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return f"Entry {self.pk}"

    @property
    def is_possible_duplicate(self) -> bool:
        return self.doubts > 0
