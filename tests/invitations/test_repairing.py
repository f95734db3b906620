"""R30: an apology or a correction to exactly the people of a log, and to nobody else."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import TextField, Value
from django.utils import timezone

from chapters.models import Departure, Role
from invitations.queries import repairing as queries
from invitations.queries.repairing import Whom
from invitations.services import preparing, repairing
from logs.models import (
    Action,
    Activity,
    Audience,
    EntryStatus,
    InvitationLog,
    InvitationLogEntry,
    LogStatus,
)
from members.models import Member
from tests.factories import (
    BanFactory,
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
    chapter_with,
    in_days,
    subscribe,
)
from tests.support.together import at_once

pytestmark = pytest.mark.django_db

KEY = UUID("11111111-2222-4333-8444-555555555555")
NOTHING = Value("", output_field=TextField())
THOSE_SENT = Whom(statuses=(EntryStatus.SUCCESS,))
EVERYBODY = Whom()


def done_log(**fields) -> InvitationLog:
    """A log that is over, of a chapter with nobody else in it."""
    log: InvitationLog = InvitationLogFactory(**{"status": LogStatus.COMPLETED} | fields)
    return log


def person(log: InvitationLog, status: EntryStatus = EntryStatus.SUCCESS, **member) -> Member:
    """Somebody in this log, invited and subscribed, with whom this happened an hour ago."""
    invitation = InvitationFactory(workshop=log.workshop, member=MemberFactory(**member))
    entry(log, invitation.member, status)
    return invitation.member


def entry(log: InvitationLog, member: Member, status: EntryStatus = EntryStatus.SUCCESS):
    return InvitationLogEntryFactory(
        log=log,
        member=member,
        action=log.action,
        occasion=log.occasion,
        status=status,
        created_at=timezone.now() - timedelta(hours=1),
    )


def repair(about: InvitationLog, whom: Whom = THOSE_SENT, **changes) -> InvitationLog:
    fields = {"action": Action.APOLOGY, "text": "The address was wrong.", "subject": ""}
    initiator = changes.pop("initiator", None) or MemberFactory()
    return repairing.repair(about, whom=whom, initiator=initiator, **fields | changes)


def prepared(about: InvitationLog, whom: Whom = THOSE_SENT, **changes) -> InvitationLog:
    log = repair(about, whom, **changes)
    preparing.prepare(log.pk)
    log.refresh_from_db()
    return log


def written_to(log: InvitationLog) -> set[Member]:
    return {entry.member for entry in log.entries.filter(status=EntryStatus.PENDING)}


def left_out(log: InvitationLog) -> dict[Member, str]:
    return {entry.member: entry.reason for entry in log.entries.filter(status="skipped")}


def history() -> list[str]:
    return list(Activity.objects.order_by("pk").values_list("did", flat=True))


# ---- Whom ----------------------------------------------------------------------------------


@pytest.mark.parametrize("statuses", [("success",), ("success", "unknown"), ("failed",), ()])
def test_exactly_the_people_of_these_outcomes(statuses):
    about = done_log()
    people = {status: person(about, status) for status in queries.OUTCOMES}
    person(done_log(workshop=about.workshop, audience=Audience.COACHES))
    subscribe(MemberFactory(), about.chapter, Role.STUDENT)
    whom = Whom(statuses=tuple(map(EntryStatus, statuses))) if statuses else EVERYBODY

    log = prepared(about, whom)

    assert written_to(log) == {people[status] for status in statuses or people}
    assert (log.status, log.audience, log.action) == (LogStatus.RUNNING, "people", "apology")
    assert (log.about, log.occasion, log.note) == (about, str(about.pk), "The address was wrong.")
    assert log.entries.count() == len(statuses or people)


def test_named_people_and_whoever_is_meant_by_an_address_or_a_number():
    about = done_log()
    amina, bruno, chidi = person(about), person(about, EntryStatus.FAILED), person(about)
    stranger = subscribe(MemberFactory(), about.chapter, Role.STUDENT)

    found, unknown = queries.members_among(
        about,
        [str(bruno.pk), amina.email, amina.email, stranger.email, str(stranger.pk), "9" * 30, "²"],
    )

    assert found == [bruno.pk, amina.pk]
    assert unknown == [stranger.email, str(stranger.pk), "9" * 30, "²"]
    assert written_to(prepared(about, Whom(members=tuple(found)))) == {amina, bruno}
    assert chidi not in written_to(InvitationLog.objects.get(about=about))


def test_people_of_another_log_who_are_named_get_nothing():
    about, other = done_log(), done_log()
    theirs, stranger = person(about), person(other)

    log = prepared(about, Whom(members=(theirs.pk, stranger.pk)))

    assert written_to(log) == {theirs}
    assert log.entries.count() == 1


def test_whoever_must_not_be_written_to_is_named_with_the_reason():
    about = done_log()
    reasons = {
        person(about, closed=True): "closed the account",
        BanFactory(member=person(about)).member: "is banned",
        person(about, without_terms=True): "has not accepted the terms",
        person(about, unreachable=True): "has an address we cannot use",
    }
    left = person(about)
    subscription = left.subscriptions.get()
    Departure.objects.create(member=left, group=subscription.group)
    subscription.delete()
    reasons[left] = "is no longer subscribed"
    fine = person(about)

    log = prepared(about)

    assert written_to(log) == {fine}
    assert left_out(log) == reasons


def test_whoever_got_it_by_mistake_was_never_subscribed_and_is_whom_it_is_for():
    about = done_log()
    strangers = {MemberFactory(), MemberFactory()}
    for stranger in strangers:
        entry(about, stranger)
    one = strangers.copy().pop()
    long_gone = chapter_with(students=0).groups.first()
    Departure.objects.create(member=one, group=long_gone)
    about.chapter.groups.create(name="Evening", role=Role.STUDENT)
    Departure.objects.create(member=one, group=about.chapter.groups.get(), left_at=in_days(-30))

    assert written_to(prepared(about)) == strangers


def test_whoever_left_one_group_and_is_in_another_has_not_turned_away():
    about = done_log()
    member = subscribe(person(about), about.chapter, Role.COACH)
    student = member.subscriptions.get(group__role=Role.STUDENT)
    Departure.objects.create(member=member, group=student.group)
    student.delete()

    assert written_to(prepared(about)) == {member}


def test_whoever_has_a_place_is_told_whatever_else_they_get():
    """As with the letter it is about: it is their evening."""
    about = done_log(audience=Audience.ATTENDING, action=Action.MESSAGE, occasion="7")
    coming = BanFactory(member=person(about)).member
    closed = person(about, closed=True)

    log = prepared(about)

    assert written_to(log) == {coming}
    assert left_out(log) == {closed: "closed the account"}


# ---- At most once --------------------------------------------------------------------------


def test_a_second_apology_reaches_only_those_whom_the_first_did_not():
    about = done_log()
    first, second = person(about), person(about, EntryStatus.UNKNOWN)
    assert written_to(finished(prepared(about))) == set()

    log = prepared(about, Whom(statuses=(EntryStatus.SUCCESS, EntryStatus.UNKNOWN)))

    assert written_to(log) == {second}
    assert left_out(log) == {first: f"has had an apology about log {about.pk}"}


def finished(log: InvitationLog) -> InvitationLog:
    log.entries.filter(status="pending").update(status="success", answer_code=250)
    InvitationLog.objects.filter(pk=log.pk).update(status="completed", finished_at=timezone.now())
    return log


def test_an_apology_and_a_correction_and_those_about_another_log_are_letters_of_their_own():
    about = done_log()
    other = done_log(workshop=about.workshop, audience=Audience.COACHES, action=Action.MESSAGE)
    member = person(about)
    entry(other, member)

    for log in (
        prepared(about),
        prepared(about, action=Action.CORRECTION),
        prepared(other),
        prepared(other, action=Action.CORRECTION),
    ):
        assert written_to(log) == {member}


def test_whoever_got_nothing_by_the_first_can_be_written_to_again():
    about = done_log()
    member = person(about)
    first = prepared(about)
    first.entries.update(status=EntryStatus.FAILED, reason="“550 no”")
    finished(first)

    assert written_to(prepared(about)) == {member}


def test_the_same_form_twice_is_one_apology_also_when_all_have_had_it():
    about = done_log()
    person(about)

    log = repair(about, request_key=KEY)
    assert repair(about, request_key=KEY) == log
    preparing.prepare(log.pk)
    finished(log)
    assert repair(about, request_key=KEY) == log

    assert InvitationLog.objects.filter(about=about).count() == 1
    assert history() == [f"said sorry to 1 person for log {about.pk}"]


def test_preparing_twice_changes_nothing():
    about = done_log()
    person(about), person(about)
    log = prepared(about)
    before = list(log.entries.order_by("pk").values())

    preparing.prepare(log.pk)

    assert list(log.entries.order_by("pk").values()) == before


def test_a_second_one_while_the_first_is_not_done_is_refused():
    about = done_log()
    person(about)
    first = repair(about)

    with pytest.raises(repairing.AlreadyRunning) as refused:
        repair(about)

    assert refused.value.log == first
    assert f"Log {first.pk} is such a letter" in refused.value.message
    assert repair(about, action=Action.CORRECTION).pk != first.pk


@pytest.mark.django_db(transaction=True)
def test_two_organisers_at_the_same_moment_make_one(ledger):
    about = done_log()
    person(about)
    organiser = MemberFactory()

    def press() -> str:
        try:
            repair(about, initiator=organiser)
        except repairing.AlreadyRunning:
            return "refused"
        return "made"

    assert sorted(at_once(press, press, press)) == ["made", "refused", "refused"]
    assert InvitationLog.objects.filter(about=about).count() == 1


# ---- Refused -------------------------------------------------------------------------------


def nothing_was_made(about: InvitationLog) -> bool:
    return not InvitationLog.objects.filter(about=about).exists() and history() == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"action": Action.INVITE}, repairing.UnknownAction),
        ({"text": " \n"}, repairing.NoWords),
        ({"whom": Whom(statuses=(EntryStatus.PENDING,))}, repairing.UnknownOutcome),
        ({"whom": Whom(statuses=(EntryStatus.FAILED,))}, repairing.Nobody),
        ({"whom": Whom(statuses=())}, repairing.Nobody),
        ({"whom": Whom(members=())}, repairing.Nobody),
        ({"whom": Whom(members=(2**62,))}, repairing.Nobody),
        ({"seen_count": 0}, repairing.MoreThanSeen),
    ],
)
def test_what_cannot_be_done_does_nothing(changes, refusal):
    about = done_log()
    person(about)

    with pytest.raises(refusal) as refused:
        repair(about, **changes)

    assert refused.value.message
    assert nothing_was_made(about)


@pytest.mark.parametrize("status", ["scheduled", "preparing", "running"])
def test_a_log_that_still_sends_is_not_clear_yet(status):
    about = done_log(status=LogStatus(status))
    person(about)

    with pytest.raises(repairing.StillSending):
        repair(about)

    assert nothing_was_made(about)


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_a_log_that_was_stopped_is_once_its_last_letters_arrived(status):
    about = done_log(status=LogStatus(status))
    got_it, waits = person(about), person(about, EntryStatus.PENDING)
    on_its_way = person(about, EntryStatus.SENDING)

    with pytest.raises(repairing.OnTheirWay):
        repair(about)
    about.entries.filter(member=on_its_way).update(status="success", lease=None, answer_code=250)

    log = prepared(about, EVERYBODY)
    assert written_to(log) == {got_it, on_its_way}
    assert waits not in left_out(log)


def test_a_log_about_no_workshop_and_a_forgotten_one():
    nowhere = done_log()
    InvitationLog.objects.filter(pk=nowhere.pk).update(workshop=None)
    nowhere.refresh_from_db()
    forgotten = done_log(forgotten_at=timezone.now())

    with pytest.raises(repairing.AboutNoWorkshop):
        repair(nowhere)
    with pytest.raises(repairing.Forgotten):
        repair(forgotten)


def test_nobody_who_can_be_written_to_is_said_with_the_reasons():
    about = done_log()
    person(about, closed=True)
    BanFactory(member=person(about))

    with pytest.raises(repairing.Nobody) as refused:
        repair(about)

    assert refused.value.message == (
        "None of these people can be written to: closed the account (1), is banned (1)."
    )
    assert nothing_was_made(about)


def test_very_many_are_written_to_only_when_their_number_is_said(settings):
    settings.GUARD_SIZE = 2
    about = done_log()
    for _ in range(3):
        person(about)

    for typed in (None, 2, 4):
        with pytest.raises(repairing.NeedsCount) as refused:
            repair(about, confirmed=typed)
        assert refused.value.count == 3
    assert nothing_was_made(about)

    assert len(written_to(prepared(about, confirmed=3))) == 3
    assert history() == [f"said sorry to 3 people for log {about.pk}"]


# ---- When it is prepared -------------------------------------------------------------------


def test_a_log_that_somebody_resumed_meanwhile_gets_no_apology():
    about = done_log(status=LogStatus.PAUSED)
    person(about)
    log = repair(about)
    InvitationLog.objects.filter(pk=about.pk).update(status=LogStatus.RUNNING)

    preparing.prepare(log.pk)

    log.refresh_from_db()
    assert (log.status, log.reason) == (LogStatus.FAILED, repairing.StillSending.message)
    assert not log.entries.exists()


@pytest.mark.parametrize("broken", ["statuses", "members", "log"])
def test_with_the_filter_taken_out_the_guard_stops_the_batch(monkeypatch, broken):
    """The mutation of R21: the query names others, and the count that is written apart says so."""
    about, other = done_log(), done_log()
    meant, failed, stranger = person(about), person(about, EntryStatus.FAILED), person(other)
    whom = Whom(statuses=(EntryStatus.SUCCESS,), members=(meant.pk,))
    log = repair(about, whom)
    InvitationLog.objects.filter(pk=log.pk).update(seen_count=None)
    everybody = {
        "statuses": {meant, failed},
        "members": {meant, person(about)},
        "log": {meant, stranger},
    }[broken]
    monkeypatch.setattr(
        queries,
        "affected",
        lambda about, *, action, whom: Member.objects.filter(
            pk__in=[member.pk for member in everybody]
        ).annotate(reason=NOTHING),
    )

    preparing.prepare(log.pk)

    log.refresh_from_db()
    assert log.status == LogStatus.FAILED
    assert log.reason == (
        "1 of 2 people are not among those of the log that this letter is about. Nobody was written"
        " to. Tell the people who run codebar."
    )
    assert not InvitationLogEntry.objects.filter(log=log).exists()
