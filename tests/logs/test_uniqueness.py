"""
Every rule of uniqueness is the database's (DESIGN §4): listed here, found in PostgreSQL's own
catalogue, and broken on purpose.

Each proof is a first row and a second one that must not be. Rows are written past all validation,
so nothing but the constraint stands between them. A rule without a proof fails the last tests.
"""

import uuid
from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from chapters.models import (
    Chapter,
    Contact,
    Departure,
    Group,
    Subscription,
    Workshop,
    WorkshopSponsor,
)
from invitations.models import FeedbackRequest, FormerToken, Invitation
from logs.models import (
    LIVE_ENTRY_STATUSES,
    LIVE_LOG_STATUSES,
    Action,
    Alert,
    Audience,
    AuditRun,
    Bounce,
    EntryStatus,
    Hold,
    ImportedTable,
    ImportFinding,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
    Pace,
    PlannerImport,
    Slot,
    Switch,
    Tally,
)
from members.models import Member
from tests.factories import (
    BanFactory,
    BounceFactory,
    ChapterFactory,
    GroupFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    NoteFactory,
    NoticeFactory,
    SponsorFactory,
    WorkshopFactory,
    in_days,
)

pytestmark = pytest.mark.django_db

OUR_APPS = ("members", "chapters", "logs", "invitations")

Proof = Callable[[], None]
PROOFS: dict[str, list[Proof]] = {}


def rule(name: str) -> Callable[[Proof], Proof]:
    """This function writes two rows that break the rule of this name, the second one last."""

    def remember(proof: Proof) -> Proof:
        PROOFS.setdefault(name, []).append(proof)
        return proof

    return remember


# ---- Members ------------------------------------------------------------------------------


@rule("members_member.email")
def two_members_with_one_address():
    MemberFactory(email="amina@people.example")
    Member.objects.bulk_create([Member(email="amina@people.example", name="Another")])


@rule("email_is_trimmed_and_lower_case")
def an_address_with_capitals():
    Member.objects.bulk_create([Member(email="Amina@people.example", name="Amina")])


@rule("email_is_trimmed_and_lower_case")
def an_address_with_spaces():
    Member.objects.bulk_create([Member(email=" amina@people.example ", name="Amina")])


# ---- Chapters -----------------------------------------------------------------------------


@rule("chapters_chapter.name")
def two_chapters_of_one_name():
    ChapterFactory(name="Brighton")
    Chapter.objects.bulk_create([ChapterFactory.build(name="Brighton")])


@rule("chapters_chapter.slug")
def two_chapters_at_one_path():
    ChapterFactory(slug="brighton")
    Chapter.objects.bulk_create([ChapterFactory.build(slug="brighton")])


@rule("chapters_chapter.email")
def two_chapters_with_one_address():
    ChapterFactory(email="brighton@codebar.example")
    Chapter.objects.bulk_create([ChapterFactory.build(email="brighton@codebar.example")])


@rule("chapters_chapter_organisers.chapter_id,member_id")
def one_organiser_twice():
    chapter, member = ChapterFactory(), MemberFactory()
    row = Chapter.organisers.through
    row.objects.bulk_create([row(chapter=chapter, member=member)])
    row.objects.bulk_create([row(chapter=chapter, member=member)])


@rule("one_group_per_name_and_chapter")
def two_groups_of_one_name_in_a_chapter():
    group = GroupFactory()
    Group.objects.bulk_create([Group(chapter=group.chapter, name=group.name, role="coach")])


@rule("one_subscription_per_member_and_group")
def one_member_twice_in_a_group():
    member, group = MemberFactory(), GroupFactory()
    Subscription.objects.bulk_create([Subscription(member=member, group=group)])
    Subscription.objects.bulk_create([Subscription(member=member, group=group)])


@rule("one_departure_per_member_and_group")
def one_member_who_left_a_group_twice():
    member, group = MemberFactory(), GroupFactory()
    Departure.objects.bulk_create([Departure(member=member, group=group)])
    Departure.objects.bulk_create([Departure(member=member, group=group)])


@rule("one_row_per_workshop_and_sponsor")
def one_sponsor_twice_at_a_workshop():
    workshop, sponsor = WorkshopFactory(), SponsorFactory()
    _sponsors(workshop, sponsor)
    _sponsors(workshop, sponsor)


@rule("one_host_per_workshop")
def two_hosts_of_a_workshop():
    workshop = WorkshopFactory(host=SponsorFactory())
    _sponsors(workshop, SponsorFactory(), is_host=True)


def _sponsors(workshop, sponsor, *, is_host=False):
    WorkshopSponsor.objects.bulk_create(
        [WorkshopSponsor(workshop=workshop, sponsor=sponsor, is_host=is_host)]
    )


@rule("chapters_workshop_organisers.workshop_id,member_id")
def one_organiser_twice_at_a_workshop():
    workshop, member = WorkshopFactory(), MemberFactory()
    row = Workshop.organisers.through
    row.objects.bulk_create([row(workshop=workshop, member=member)])
    row.objects.bulk_create([row(workshop=workshop, member=member)])


# ---- Forms that arrive twice --------------------------------------------------------------


@rule("chapters_workshop.request_key")
def one_form_plans_two_workshops():
    key = WorkshopFactory().request_key
    WorkshopFactory(request_key=key)


@rule("logs_invitationlog.request_key")
def one_click_opens_two_logs():
    key = InvitationLogFactory().request_key
    InvitationLogFactory(request_key=key)


@rule("members_ban.request_key")
def one_form_bans_twice():
    key = BanFactory().request_key
    BanFactory(request_key=key)


@rule("members_note.request_key")
def one_form_writes_two_notes():
    key = NoteFactory().request_key
    NoteFactory(request_key=key)


@rule("members_notice.request_key")
def one_form_sends_two_notices():
    key = NoticeFactory().request_key
    NoticeFactory(request_key=key)


@rule("one_contact_per_sponsor_and_address")
def one_contact_twice():
    sponsor = SponsorFactory()
    Contact.objects.bulk_create([Contact(sponsor=sponsor, name="Ada", email="ada@host.example")])
    Contact.objects.bulk_create([Contact(sponsor=sponsor, name="Bea", email="ada@host.example")])


@rule("contact_email_is_trimmed_and_lower_case")
def a_contact_with_capitals():
    sponsor = SponsorFactory()
    Contact.objects.bulk_create([Contact(sponsor=sponsor, name="Ada", email="Ada@host.example")])


# ---- Invitations --------------------------------------------------------------------------


@rule("one_invitation_per_member")
def two_invitations_of_one_member_even_in_two_roles():
    workshop, member = WorkshopFactory(), MemberFactory()
    Invitation.objects.bulk_create([Invitation(workshop=workshop, member=member, role="student")])
    Invitation.objects.bulk_create([Invitation(workshop=workshop, member=member, role="coach")])


@rule("one_former_token")
def two_merged_invitations_with_one_token():
    first, second = InvitationFactory(), InvitationFactory()
    FormerToken.objects.bulk_create([FormerToken(invitation=first, token="of-planner")])
    FormerToken.objects.bulk_create([FormerToken(invitation=second, token="of-planner")])


@rule("one_invitation_per_token")
def two_invitations_behind_one_link():
    workshop = WorkshopFactory()
    for member in MemberFactory.create_batch(2):
        Invitation.objects.bulk_create(
            [Invitation(workshop=workshop, member=member, role="student", token="the-same")]
        )


@rule("invitations_feedbackrequest.invitation_id")
def one_person_asked_twice_how_it_was():
    invitation = InvitationFactory()
    FeedbackRequest.objects.bulk_create([FeedbackRequest(invitation=invitation)])
    FeedbackRequest.objects.bulk_create([FeedbackRequest(invitation=invitation)])


@rule("invitations_feedbackrequest.token")
def two_feedback_requests_behind_one_link():
    for invitation in InvitationFactory.create_batch(2):
        FeedbackRequest.objects.bulk_create(
            [FeedbackRequest(invitation=invitation, token="the-same")]
        )


# ---- Logs ---------------------------------------------------------------------------------


@rule("one_live_log_per_audience")
def two_live_logs_of_one_button():
    running = InvitationLogFactory(status=LogStatus.RUNNING)
    _log(running, status=LogStatus.PREPARING)


@rule("one_live_log_per_audience")
def two_live_logs_without_a_workshop():
    chapter, initiator = ChapterFactory(), MemberFactory()
    running = InvitationLogFactory(workshop=None, chapter=chapter, initiator=initiator)
    _log(running, status=LogStatus.PAUSED)


def _log(like: InvitationLog, **fields) -> None:
    InvitationLog.objects.bulk_create(
        [
            InvitationLog(
                workshop=like.workshop,
                chapter=like.chapter,
                audience=like.audience,
                initiator=like.initiator,
                send_at=in_days(1),
                **fields,
            )
        ]
    )


@rule("one_entry_per_log_and_member")
def one_member_twice_in_a_log():
    skipped = InvitationLogEntryFactory(status=EntryStatus.SKIPPED)
    _entry(skipped, log=skipped.log, status=EntryStatus.FAILED)


@rule("one_single_letter_per_occasion")
def two_single_letters_of_one_occasion_even_when_one_failed():
    failed = InvitationLogEntryFactory(log=None, status=EntryStatus.FAILED)
    _entry(failed, log=None, status=EntryStatus.PENDING)


@rule("one_single_letter_per_occasion")
def two_single_letters_without_a_workshop():
    failed = InvitationLogEntryFactory(log=None, workshop=None, status=EntryStatus.FAILED)
    _entry(failed, log=None, status=EntryStatus.PENDING)


@rule("one_live_letter_per_occasion")
def two_live_letters_in_two_logs():
    sent = InvitationLogEntryFactory(status=EntryStatus.SUCCESS)
    _entry(sent, log=_another_log(sent), status=EntryStatus.PENDING)


@rule("one_live_letter_per_occasion")
def two_live_letters_one_in_a_log_and_one_single():
    waiting = InvitationLogEntryFactory(status=EntryStatus.PENDING)
    _entry(waiting, log=None, status=EntryStatus.PENDING)


@rule("one_live_letter_per_occasion")
def two_live_letters_without_a_workshop():
    chapter, initiator = ChapterFactory(), MemberFactory()
    log = InvitationLogFactory(workshop=None, chapter=chapter, initiator=initiator)
    waiting = InvitationLogEntryFactory(log=log, workshop=None)
    _entry(waiting, log=None, status=EntryStatus.PENDING)


def _another_log(entry: InvitationLogEntry) -> InvitationLog:
    return InvitationLogFactory(workshop=entry.workshop, audience=Audience.EVERYONE)


def _entry(like: InvitationLogEntry, *, log: InvitationLog | None, status: EntryStatus) -> None:
    """Another entry with the same member, workshop, action and occasion."""
    InvitationLogEntry.objects.bulk_create(
        [
            InvitationLogEntryFactory.build(
                log=log,
                member=like.member,
                workshop=like.workshop,
                action=like.action,
                occasion=like.occasion,
                status=status,
            )
        ]
    )


@rule("logs_invitationlogentry.message_id")
def two_letters_with_one_message_id():
    message_id = uuid.uuid4()
    InvitationLogEntryFactory(message_id=message_id)
    InvitationLogEntryFactory(message_id=message_id)


@rule("logs_slot.token")
def two_slots_in_one_hand():
    token = uuid.uuid4()
    Slot.objects.bulk_create([Slot(nr=101, token=token)])
    Slot.objects.bulk_create([Slot(nr=102, token=token)])


@rule("one_switch_per_chapter")
def two_switches_of_a_chapter():
    chapter = ChapterFactory()
    Switch.objects.bulk_create([Switch(chapter=chapter, is_on=True)])
    Switch.objects.bulk_create([Switch(chapter=chapter, is_on=False)])


@rule("one_switch_per_chapter")
def two_global_switches():
    Switch.objects.all().delete()
    Switch.objects.bulk_create([Switch(chapter=None, is_on=True)])
    Switch.objects.bulk_create([Switch(chapter=None, is_on=False)])


@rule("one_hold")
def two_holds():
    Hold.objects.bulk_create([Hold(id=2)])


@rule("one_pace")
def two_paces():
    Pace.objects.bulk_create([Pace(id=2)])


@rule("one_audit_at_a_time")
def two_audits_at_once():
    AuditRun.objects.bulk_create([AuditRun()])
    AuditRun.objects.bulk_create([AuditRun()])


@rule("one_alert_at_a_time")
def one_alert_twice():
    Alert.objects.bulk_create([Alert(kind="guard", key="7", severity="page")])
    Alert.objects.bulk_create([Alert(kind="guard", key="7", severity="mail")])


@rule("alert_severity_is_known")
def an_alert_of_no_severity():
    Alert.objects.bulk_create([Alert(kind="guard", severity="perhaps")])


@rule("one_tally_per_minute")
def two_tallies_of_one_minute():
    minute = in_days(0).replace(second=0, microsecond=0)
    Tally.objects.bulk_create([Tally(name="guard", minute=minute)])
    Tally.objects.bulk_create([Tally(name="guard", minute=minute)])


@rule("one_bounce_per_event")
def one_event_told_twice():
    BounceFactory(told_by="postmark", event="4711")
    BounceFactory(told_by="postmark", event="4711")


@rule("bounce_kind_is_known")
def a_bounce_of_an_unknown_kind():
    Bounce.objects.bulk_create([BounceFactory.build(member=MemberFactory(), entry=None, kind="?")])


@rule("one_planner_import")
def a_second_planner():
    PlannerImport.objects.create(source="one", zone="UTC", schema_version=1)
    PlannerImport.objects.bulk_create(
        [PlannerImport(id=2, source="another", zone="UTC", schema_version=1)]
    )


@rule("imported_rows_add_up")
def a_row_that_is_nowhere():
    ImportedTable.objects.bulk_create([ImportedTable(table="members", read=3, imported=2)])


@rule("import_outcome_is_known")
def a_finding_without_an_outcome():
    ImportFinding.objects.bulk_create([ImportFinding(table="members", rule="x", outcome="lost")])


# ---- The proofs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "proof"),
    [
        pytest.param(name, proof, id=proof.__name__)
        for name, proofs in PROOFS.items()
        for proof in proofs
    ],
)
def test_the_database_refuses(name, proof):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        proof()

    assert refusal.value.__cause__.diag.constraint_name == _name_in_postgresql(name)


def test_nothing_but_a_live_letter_counts_as_one():
    """The other half of the live index: after an outcome that is none, there may be a letter."""
    over = [status for status in EntryStatus if status not in LIVE_ENTRY_STATUSES]
    assert over == [EntryStatus.FAILED, EntryStatus.SKIPPED, EntryStatus.CANCELLED]
    for status in over:
        entry = InvitationLogEntryFactory(status=status)
        _entry(entry, log=_another_log(entry), status=EntryStatus.PENDING)


@pytest.mark.parametrize("first", LIVE_ENTRY_STATUSES)
@pytest.mark.parametrize("second", LIVE_ENTRY_STATUSES)
def test_no_two_live_states_go_together(first, second):
    entry = InvitationLogEntryFactory(status=first)
    another_log = _another_log(entry)

    with pytest.raises(IntegrityError, match="one_live_letter_per_occasion"), transaction.atomic():
        _entry(entry, log=another_log, status=second)


@pytest.mark.parametrize("first", LIVE_LOG_STATUSES)
@pytest.mark.parametrize("second", LIVE_LOG_STATUSES)
def test_no_two_live_logs_go_together(first, second):
    log = InvitationLogFactory(status=first)

    with pytest.raises(IntegrityError, match="one_live_log_per_audience"), transaction.atomic():
        _log(log, status=second)


def test_a_finished_log_leaves_room_for_the_next():
    for status in (LogStatus.COMPLETED, LogStatus.CANCELLED, LogStatus.FAILED):
        _log(InvitationLogFactory(status=status), status=LogStatus.PREPARING)


# ---- The list is whole --------------------------------------------------------------------


def our_models() -> list[type[models.Model]]:
    return [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()]


def rules_declared() -> set[str]:
    """Every UniqueConstraint by its name and every unique field as table.column."""
    constraints = {
        constraint.name
        for model in our_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    }
    fields = {
        f"{model._meta.db_table}.{field.column}"
        for model in our_models()
        for field in model._meta.local_fields
        if field.unique and not field.primary_key
    }
    together = {model for model in our_models() if model._meta.unique_together}
    assert not together, "unique_together has no name; declare a UniqueConstraint"
    return constraints | fields


def unique_indexes() -> dict[str, tuple[str, bool]]:
    """PostgreSQL's own: name of each unique index → table.columns, and whether NULLs are equal."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.relname, t.relname || '.' || string_agg(a.attname, ',' ORDER BY a.attnum),
                   x.indnullsnotdistinct
            FROM pg_index x
            JOIN pg_class i ON i.oid = x.indexrelid
            JOIN pg_class t ON t.oid = x.indrelid
            JOIN pg_attribute a ON a.attrelid = i.oid
            WHERE x.indisunique AND x.indisvalid AND NOT x.indisprimary
                AND t.relnamespace = current_schema()::regnamespace
            GROUP BY i.relname, t.relname, x.indnullsnotdistinct
            """
        )
        return {name: (columns, equal) for name, columns, equal in cursor.fetchall()}


def check_constraints() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'c' AND convalidated")
        return {name for (name,) in cursor.fetchall()}


def _name_in_postgresql(name: str) -> str:
    """A unique field is listed as table.column; PostgreSQL's index over it has another name."""
    if "." not in name:
        return name
    (found,) = [index for index, (columns, _) in unique_indexes().items() if columns == name]
    return found


def test_every_rule_that_is_declared_has_a_proof():
    assert rules_declared() <= PROOFS.keys()


def test_every_rule_is_in_PostgreSQL():
    names_there = unique_indexes().keys() | check_constraints()

    assert {_name_in_postgresql(name) for name in PROOFS} <= names_there


def test_every_rule_in_PostgreSQL_is_on_the_list():
    tables = {
        model._meta.db_table
        for app in OUR_APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    }
    there = {
        name: columns
        for name, (columns, _) in unique_indexes().items()
        if columns.partition(".")[0] in tables
    }
    unlisted = {
        name for name, columns in there.items() if name not in PROOFS and columns not in PROOFS
    }
    assert unlisted == set()


def test_two_NULLs_are_the_same_in_every_rule():
    """PostgreSQL's default would let any number of letters without a workshop be live at once."""
    indexes = unique_indexes()
    lenient = {
        constraint.name
        for model in our_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and not indexes[constraint.name][1]
    }
    assert lenient == set()


def test_a_letter_for_something_else_is_another_letter():
    """The keys hold the occasion and the action, so these stand beside the first."""
    first = InvitationLogEntryFactory(log=None, status=EntryStatus.SUCCESS)
    for fields in ({"occasion": "1"}, {"action": Action.CONFIRMATION}):
        InvitationLogEntryFactory(log=None, member=first.member, workshop=first.workshop, **fields)
