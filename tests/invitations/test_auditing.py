"""Who is missing, and who should not have been invited, as the audit sees it."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta

import pytest
from django.utils import timezone

from chapters.models import Group, Role, Subscription
from invitations.models import Invitation
from invitations.queries import auditing, declared_rules
from invitations.queries.auditing import Breach
from invitations.services import grouping
from logs.models import (
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from members.models import Ban, Member
from tests.factories import (
    BanFactory,
    InvitationLogFactory,
    MemberFactory,
    WorkshopFactory,
    chapter_with,
    in_days,
    organiser_of,
    subscribe,
)
from tests.support.audited import found, invited, letter_to, who
from tests.support.here import crowd

pytestmark = pytest.mark.django_db


def test_a_clean_ledger_has_nothing():
    log = invited()
    others = InvitationLogFactory(workshop=invited().workshop)
    for status in (EntryStatus.SKIPPED, EntryStatus.FAILED, EntryStatus.UNKNOWN):
        member = subscribe(MemberFactory(), others.chapter, Role.STUDENT)
        letter_to(member, others, status, reason="is why")
    those = others.entries.values("member")
    Invitation.objects.filter(member__in=those).update(answer="attending", answer_number=1)
    letter_to(subscribe(MemberFactory(), others.chapter, Role.STUDENT), others, EntryStatus.PENDING)
    BanFactory(member=MemberFactory(), expired=True)
    subscribe(MemberFactory(banned=True), log.chapter, Role.STUDENT)
    subscribe(MemberFactory(without_terms=True), log.chapter, Role.STUDENT)
    subscribe(MemberFactory(unreachable=True), log.chapter, Role.STUDENT)
    subscribe(MemberFactory(), log.chapter, Role.COACH)  # no button for coaches was pressed

    assert found() == []
    assert list(declared_rules.broken_rules()) == []


# ---- Eligible, and not invited --------------------------------------------------------------


def test_whoever_became_eligible_since_waits_for_a_click():
    log = invited()
    newcomer = subscribe(MemberFactory(), log.chapter, Role.STUDENT)

    assert found() == [
        Breach(
            kind="not_invited",
            is_open=True,
            reason="became eligible since",
            workshop=log.workshop_id,
            log=log.pk,
            member=newcomer.pk,
        )
    ]


def test_whoever_was_there_and_is_in_no_log_was_forgotten():
    log = invited()
    member = subscribe(MemberFactory(), log.chapter, Role.STUDENT)
    Subscription.objects.filter(member=member).update(created_at=in_days(-30))

    reason = "was forgotten: subscribed at the time, and not in the log"
    assert who(found()) == [("not_invited", member.pk, False, reason)]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (EntryStatus.FAILED, "the letter failed"),
        (EntryStatus.UNKNOWN, "the letter is in doubt"),
        (EntryStatus.CANCELLED, "the letter was cancelled"),
        (EntryStatus.SKIPPED, "was left out at the time: is banned"),
    ],
)
def test_whoever_got_no_letter_is_named_with_the_outcome(status, reason):
    log = invited()
    member = subscribe(MemberFactory(), log.chapter, Role.STUDENT)
    entry = letter_to(member, log, status, reason="is banned")

    (breach,) = found()

    assert (breach.member, breach.entry, breach.reason) == (member.pk, entry.pk, reason)
    assert breach.is_open


def test_an_invitation_without_a_letter_is_no_invitation():
    """Planner's gap: the row was written, the letter was not, and the next click skipped it."""
    log = invited()
    member = log.entries.earliest("pk").member
    log.entries.filter(member=member).delete()

    reason = "has an invitation, and no letter was ever written"
    assert who(found()) == [("not_invited", member.pk, False, reason)]


@pytest.mark.parametrize("status", [EntryStatus.PENDING, EntryStatus.SUCCESS])
def test_another_letter_that_left_or_waits_makes_up_for_it(status):
    log = invited()
    member = subscribe(MemberFactory(), log.chapter, Role.STUDENT)
    letter_to(member, log, EntryStatus.FAILED, reason="“550 no”")
    letter_to(member, InvitationLogFactory(workshop=log.workshop, audience="everyone"), status)

    assert found() == []


def test_nobody_is_missing_while_a_log_is_being_prepared():
    log = invited()
    subscribe(MemberFactory(), log.chapter, Role.STUDENT)
    InvitationLogFactory(workshop=log.workshop, audience="everyone", status=LogStatus.PREPARING)

    assert found() == []


@pytest.mark.parametrize("status", sorted(set(LogStatus) - {LogStatus.COMPLETED}))
def test_nobody_is_missing_before_a_log_is_done(status):
    log = InvitationLogFactory(
        workshop=WorkshopFactory(chapter=chapter_with(students=2)), status=status
    )

    assert found() == []
    assert auditing.audiences_done(log.workshop_id) == set()


@pytest.mark.parametrize("fields", [{"past": True}, {"cancelled": True}])
def test_nobody_is_missing_where_nobody_can_be_invited_any_more(fields):
    log = invited(**fields)
    subscribe(MemberFactory(), log.chapter, Role.STUDENT)

    assert found() == []


def test_everybody_is_asked_about_students_and_coaches_once():
    log = invited()
    InvitationLog.objects.update(audience="everyone")
    coach = subscribe(MemberFactory(), log.chapter, Role.COACH, Role.STUDENT)

    assert [breach.member for breach in found()] == [coach.pk]


def test_who_is_missing_is_named_by_name_and_counted_by_reason():
    log = invited()
    failed = subscribe(MemberFactory(name="Zoe"), log.chapter, Role.STUDENT)
    letter_to(failed, log, EntryStatus.FAILED, reason="“550 no”")
    for name in ("Bea", "Ada"):
        subscribe(MemberFactory(name=name, surname="New"), log.chapter, Role.STUDENT)

    reasons = [(one.reason, one.people) for one in auditing.why_missing(log.workshop_id)]
    people = [one.name for one in auditing.missing(log.workshop_id, start=0, most=2)]

    assert reasons == [("became eligible since", 2), ("the letter failed", 1)]
    assert people == ["Ada New", "Bea New"]
    (last,) = auditing.missing(log.workshop_id, start=2, most=2)
    assert last.member_id == failed.pk


# ---- Invited, and not eligible ----------------------------------------------------------------


def banned(member: Member) -> None:
    ban = BanFactory(member=member)
    Ban.objects.filter(pk=ban.pk).update(created_at=in_days(-2))


def closed(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(closed_at=in_days(-2))


def without_terms(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(accepted_terms_at=None)


def unusable(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(address_unusable_at=in_days(-2))


def unwilling(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(complained_at=in_days(-2))


def stranger(member: Member) -> None:
    member.subscriptions.all().delete()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (banned, "was banned"),
        (closed, "the account was closed"),
        (without_terms, "has not accepted the terms"),
        (unusable, "the address was unusable"),
        (unwilling, "marked a letter as unwanted"),
        (stranger, "was not subscribed to this chapter"),
    ],
)
@pytest.mark.parametrize("by_letter", [True, False])
def test_whoever_could_not_be_invited_and_was(make, reason, by_letter):
    log = invited()
    entry = log.entries.earliest("pk")
    make(entry.member)
    if not by_letter:
        Invitation.objects.filter(member=entry.member).update(created_at=in_days(-1) + timedelta(1))
        entry.delete()

    assert who(found()) == [("not_eligible", entry.member_id, False, reason)]


def lifted(member: Member) -> None:
    banned(member)
    Ban.objects.update(expires_at=in_days(-1) - timedelta(hours=1))


def banned_since(member: Member) -> None:
    BanFactory(member=member)


def closed_since(member: Member) -> None:
    stranger(member)
    Member.objects.filter(pk=member.pk).update(closed_at=timezone.now(), accepted_terms_at=None)


def unusable_since(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(address_unusable_at=timezone.now())


def unwilling_since(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(complained_at=timezone.now())


def taken_out_since(member: Member) -> None:
    group = Group.objects.get(subscriptions__member=member)
    by = organiser_of(group.chapter)
    grouping.take_out(member, group=group, by=by, at=timezone.now())


def in_a_group_that_was_deleted_since(member: Member) -> None:
    taken_out_since(member)
    group = Group.objects.get(departures__member=member)
    Subscription.objects.filter(group=group).delete()
    grouping.delete(group, by=organiser_of(group.chapter))


@pytest.mark.parametrize(
    "make",
    [
        lifted,
        banned_since,
        closed_since,
        unusable_since,
        unwilling_since,
        taken_out_since,
        in_a_group_that_was_deleted_since,
    ],
)
def test_whatever_changed_since_is_no_breach(make):
    log = invited(students=1)

    make(log.entries.get().member)

    assert found() == []


def test_what_was_imported_was_not_sent_by_us():
    log = invited()
    InvitationLog.objects.update(source="import")
    stranger(log.entries.earliest("pk").member)

    assert found() == []


# ---- However many ------------------------------------------------------------------------------


def test_a_clean_ledger_of_thousands_has_nothing():
    logs = [invited(students=1) for _ in range(3)]
    for log in logs:
        people = crowd(log.chapter, 2000)
        Invitation.objects.bulk_create(
            Invitation(workshop=log.workshop, member=one, role=Role.STUDENT) for one in people
        )
        InvitationLogEntry.objects.bulk_create(
            InvitationLogEntry(
                log=log, workshop=log.workshop, member=one, status="success", answer_code=250
            )
            for one in people
        )

    assert found() == []


def test_the_memory_it_needs_does_not_grow_with_what_it_finds():
    log = invited()
    few, many = _peak_of_an_audit(), 20_000
    crowd(log.chapter, many)

    assert sum(1 for _ in auditing.breaches()) == many
    assert _peak_of_an_audit() < few + 10 * 2**20  # all of them at once are more than that


def _peak_of_an_audit() -> int:
    """In bytes of Python's own."""
    tracemalloc.start()
    try:
        for _ in auditing.breaches():
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
