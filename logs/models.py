"""The ledger: every letter is an entry first, and an entry knows who asked for it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from chapters.models import Chapter, Workshop
from members import fields
from members.fields import RandomUUID
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
    PEOPLE = "people", "Named people"


# Those whom a button invites.
CHAPTER_AUDIENCES = (Audience.STUDENTS, Audience.COACHES, Audience.EVERYONE)


class Action(models.TextChoices):
    """What a letter is for."""

    INVITE = "invite", "invitation"
    CONFIRMATION = "confirmation", "confirmation"
    PLACE = "place", "place from the waiting list"
    CHANGE = "change", "change of the workshop"
    CANCELLATION = "cancellation", "cancellation"
    MESSAGE = "message", "message"
    TEST = "test", "test letter"
    BAN = "ban", "suspension"
    WARNING = "warning", "attendance warning"
    ELIGIBILITY = "eligibility", "eligibility question"


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
    """One click, or one scheduled run: who asked, for which audience, and how far it is."""

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
    send_at = models.DateTimeField(null=True, blank=True)
    seen_count = models.PositiveIntegerField(null=True, blank=True)
    prepare_tries = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

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
    message_id = models.UUIDField(unique=True, default=uuid.uuid4, db_default=RandomUUID())
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
        ]

    def __str__(self) -> str:
        return f"Entry {self.pk}"

    @property
    def is_possible_duplicate(self) -> bool:
        return self.doubts > 0


class Slot(models.Model):
    """The place of one SMTP connection. Whoever holds its token may send."""

    nr = models.PositiveSmallIntegerField(primary_key=True)
    token = models.UUIDField(null=True, blank=True, unique=True)
    cursor = models.BigIntegerField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    worker = models.TextField(blank=True, default="", db_default="")

    def __str__(self) -> str:
        return f"Slot {self.nr}"


class Switch(models.Model):
    """Whether letters may leave: globally (no chapter) and for a chapter. No global row: off."""

    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, null=True, blank=True)
    is_on = models.BooleanField()

    class Meta:
        verbose_name_plural = "switches"
        constraints = [
            models.UniqueConstraint(
                name="one_switch_per_chapter", fields=["chapter"], nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"Switch of chapter {self.chapter_id}" if self.chapter_id else "Global switch"


class Hold(models.Model):
    """The one row that says whether, since when and why the mail server refuses us."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    probes = models.PositiveSmallIntegerField(default=0)
    next_probe_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="one_hold", condition=Q(id=1))]

    def __str__(self) -> str:
        return "Hold"


class Pace(models.Model):
    """The one row from which every sender takes its moment (MAIL_RATE_PER_SECOND)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    next_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(name="one_pace", condition=Q(id=1))]

    def __str__(self) -> str:
        return "Pace"


class Activity(models.Model):
    """
    Who did what, when: written by the service that did it, in the same transaction.

    `did` completes a sentence that begins with the person ("moved the workshop"); people are
    named by the foreign keys and never in a text.
    """

    at = models.DateTimeField(default=timezone.now, db_default=Now())
    by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="activities_of_theirs"
    )
    did = models.CharField(max_length=200)
    changes = models.JSONField(default=dict, blank=True)
    remark = models.TextField(blank=True, default="")
    chapter = models.ForeignKey(
        Chapter, on_delete=models.CASCADE, null=True, related_name="activities"
    )
    workshop = models.ForeignKey(
        Workshop, on_delete=models.SET_NULL, null=True, related_name="activities"
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="activities"
    )

    class Meta:
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return f"Activity {self.pk}"
