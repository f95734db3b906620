"""The scenes of `bin/drill`: what is done to a batch, and what must be true afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from chapters.models import Chapter, Group, Role, Subscription, Workshop
from codebar.local.drill_crew import CONNECTIONS, Crew
from codebar.local.valkey import Valkey
from invitations import tasks
from invitations.models import Invitation
from invitations.queries.repairing import Whom
from invitations.services import auditing, inviting, repairing
from invitations.services.manager import InvitationManager
from logs.models import Action, EntryStatus, InvitationLog, InvitationLogEntry
from logs.queries import Progress, progress
from logs.services import purging, switches
from members.models import Member

PATIENCE_SECONDS = 120
STILL_SECONDS = 3  # so long nothing may leave after a stop
AWAY_SECONDS = 3  # so long the broker is away


class Broken(Exception):
    """A promise did not hold, or nothing happened for too long; says which."""


@dataclass(frozen=True)
class Stage:
    """What a scene is played with."""

    crew: Crew
    broker: Valkey
    people: int
    organiser: Member


Scenes = dict[str, Callable[[Stage], str]]


def play(stage: Stage, scenes: Scenes) -> int:
    """
    Every scene, one after the other, each told in a line.

    :returns: 0 when every promise was kept, else 1
    """
    print(
        f"{len(scenes)} scenes with {stage.people} people each, on services that go away at the"
        " end. docs/runbook.md, “Drill”, says what each must show.",
        flush=True,
    )
    broken = [name for name, scene in scenes.items() if not _is_kept(name, scene, stage)]
    if broken:
        print(f"Broken: {', '.join(broken)}.")
        return 1
    print(f"All {len(scenes)} promises were kept.")
    return 0


def _is_kept(name: str, scene: Callable[[Stage], str], stage: Stage) -> bool:
    print(f"{name} …", flush=True)
    began_at = time.monotonic()
    try:
        sentence, is_kept = scene(stage), True
    except Broken as broken:
        sentence, is_kept = f"BROKEN: {broken}", False
    print(f"    {sentence} ({time.monotonic() - began_at:.0f} s)", flush=True)
    return is_kept


# ---- The scenes --------------------------------------------------------------------------------


def kill(stage: Stage) -> str:
    log, sent = _begun(stage, "killed")
    stage.crew.kill_the_worker()
    stage.crew.be_there()
    _wait_until_done(stage, log)
    extra = _check_letters(stage, log, most_extra=CONNECTIONS)
    return (
        f"The worker was killed with {CONNECTIONS} connections after {sent} of {stage.people}"
        f" letters. Everybody has their letter; {_came_twice(extra)}."
    )


def _came_twice(extra: int) -> str:
    if not extra:
        return "none came twice"
    return f"{extra} of them came twice, and the log says which"


def broker_loss(stage: Stage) -> str:
    log, sent = _begun(stage, "deaf")
    stage.broker.kill()
    time.sleep(AWAY_SECONDS)
    stage.broker.start()
    tasks.forget_failure()
    _wait_until_done(stage, log)
    _check_letters(stage, log, most_extra=0)
    return (
        f"The broker was killed after {sent} of {stage.people} letters, and away for"
        f" {AWAY_SECONDS} seconds. Everybody has exactly one letter."
    )


def stop(stage: Stage) -> str:
    log, _ = _begun(stage, "stopped")
    switches.stop(reason="A drill.")
    at_the_stop = stage.crew.letter_count()
    time.sleep(STILL_SECONDS)
    after = stage.crew.letter_count() - at_the_stop
    _promise(after <= CONNECTIONS, f"{after} letters left after the stop.")
    waited = progress(log).pending
    _promise(waited > 0, "Everything had left before the stop: take more --people.")
    switches.resume()
    tasks.ring_for_all()
    _wait_until_done(stage, log)
    _check_letters(stage, log, most_extra=0)
    return (
        f"{after} letters left after the stop, of at most {CONNECTIONS} that were in hand, and"
        f" {waited} waited. They left when it went on; everybody has exactly one letter."
    )


def purge(stage: Stage) -> str:
    log, _ = _begun(stage, "purged")
    switches.stop(reason="A drill.")
    _wait_until(stage, lambda: not progress(log).sending, "the letters in hand")
    began_at = time.monotonic()
    which = purging.Which(log=log)
    count = purging.purge(which, at_most=stage.people, reason="A drill.")
    seconds = time.monotonic() - began_at
    switches.resume()
    _wait_until_done(stage, log)
    _check_letters(stage, log, most_extra=0, cancelled=count)
    return (
        f"{count} letters that waited were cancelled in {seconds:.2f} s, and none of them left;"
        f" the {stage.people - count} that were sent stayed as they were."
    )


def audit(stage: Stage) -> str:
    log = _sent(stage, "audited")
    _promise(not _wrong(), f"The audit of everything found {_wrong()}.")
    missed = log.entries.order_by("pk").first()
    if missed is None:
        raise Broken("The log has no entries.")
    missed.delete()
    Invitation.objects.filter(workshop=log.workshop, member=missed.member).delete()
    found = [breach.member for breach in auditing.breaches(log.workshop_id)]
    _promise(found == [missed.member_id], f"One person was missed, and {found} were found.")
    before = stage.crew.letter_count()
    again = _invite(log.workshop, stage)
    _wait_until_done(stage, again)
    new = stage.crew.letter_count() - before
    _promise(new == 1, f"{new} letters left instead of the missing one.")
    _promise(not list(auditing.breaches(log.workshop_id)), "The audit still finds something.")
    return (
        "Nothing was wrong. One person was taken out by hand: the audit named exactly them, and"
        " one more click wrote to exactly them."
    )


def apology(stage: Stage) -> str:
    log = _sent(stage, "sorry")
    spared = log.entries.filter(status=EntryStatus.SUCCESS).order_by("pk").first()
    if spared is None:
        raise Broken("No letter was sent.")
    InvitationLogEntry.objects.filter(pk=spared.pk).update(status=EntryStatus.CANCELLED)
    whom = Whom(statuses=(EntryStatus.SUCCESS,))
    before = stage.crew.letters()
    sorry = repairing.repair(
        log, action=Action.APOLOGY, whom=whom, text="A drill.", initiator=stage.organiser
    )
    _wait_until_done(stage, sorry)
    _check_letters(stage, sorry, most_extra=0, people=stage.people - 1)
    new = (stage.crew.letters() - before).total()
    _promise(new == stage.people - 1, f"{new} letters left instead of {stage.people - 1}.")
    try:
        repairing.repair(
            log, action=Action.APOLOGY, whom=whom, text="Again.", initiator=stage.organiser
        )
    except inviting.Refused:
        pass
    else:
        raise Broken("A second apology to the same people was not refused.")
    return (
        f"{new} people had their letter, and each got one apology. One, whose letter counts as"
        " cancelled, got none. A second apology was refused."
    )


SCENES: Scenes = {
    "Kill": kill,
    "Broker loss": broker_loss,
    "Stop": stop,
    "Purge": purge,
    "Audit": audit,
    "Apology": apology,
}


# ---- What they are made of -----------------------------------------------------------------------


def stage_for(crew: Crew, broker: Valkey, *, people: int) -> Stage:
    """An organiser, and so many people in each scene."""
    return Stage(crew, broker, people, _person("olu@drill.example"))


def _make_ready(stage: Stage) -> None:
    """Whatever the scene before has left."""
    if not stage.broker.is_running:
        stage.broker.start()
    tasks.forget_failure()
    switches.resume()
    stage.crew.be_there()


def _begun(stage: Stage, name: str) -> tuple[InvitationLog, int]:
    """A batch of which a third has arrived, and how many that were."""
    _make_ready(stage)
    before = stage.crew.letter_count()
    log = _invite(_workshop(name, stage.people), stage)
    _wait_until(
        stage,
        lambda: stage.crew.letter_count() - before >= stage.people // 3,
        "a third of the letters",
    )
    return log, stage.crew.letter_count() - before


def _sent(stage: Stage, name: str) -> InvitationLog:
    """A batch that has arrived whole."""
    _make_ready(stage)
    log = _invite(_workshop(name, stage.people), stage)
    _wait_until_done(stage, log)
    _check_letters(stage, log, most_extra=0)
    return log


def _invite(workshop: Workshop | None, stage: Stage) -> InvitationLog:
    if workshop is None:
        raise Broken("The log is about no workshop.")
    return InvitationManager().send_workshop_emails(workshop, "students", stage.organiser)


def _workshop(name: str, people: int) -> Workshop:
    """An evening in two weeks, of a chapter with so many students."""
    chapter = Chapter.objects.create(
        name=name.capitalize(), slug=name, email=f"{name}@drill.example", city="Drill"
    )
    group = Group.objects.create(chapter=chapter, role=Role.STUDENT, name="Students")
    students = [_person(f"{name}{nr}@drill.example") for nr in range(people)]
    Subscription.objects.bulk_create(Subscription(member=one, group=group) for one in students)
    starts_at = timezone.now() + timedelta(days=14)
    return Workshop.objects.create(
        chapter=chapter,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
        is_virtual=True,
        student_spaces=40,
        coach_spaces=20,
    )


def _person(email: str) -> Member:
    person: Member = Member.objects.create(
        email=email, name="Drill", surname="Person", accepted_terms_at=timezone.now()
    )
    return person


def _wait_until_done(stage: Stage, log: InvitationLog) -> None:
    def is_done() -> bool:
        log.refresh_from_db()
        return not log.is_live

    _wait_until(stage, is_done, f"log {log.pk} to end")


def _wait_until(stage: Stage, is_so: Callable[[], bool], what: str) -> None:
    """Meanwhile a worker that gives up is started again, as a supervisor does."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > ends_at:
            raise Broken(f"Waited {PATIENCE_SECONDS} s for {what}.")
        stage.crew.be_there()
        time.sleep(0.05)


def _check_letters(
    stage: Stage,
    log: InvitationLog,
    *,
    most_extra: int,
    people: int | None = None,
    cancelled: int = 0,
) -> int:
    """
    Everybody in one state and nobody missed, by the letters at the mail server.

    :returns: how many letters arrived more than once
    """
    people = people or stage.people
    counted = progress(log)
    _promise(
        counted == _all_sent(people - cancelled, cancelled, counted), f"It ended as {counted}."
    )
    arrived = stage.crew.letters()
    entries = log.entries.values_list("message_id", "status", "doubts")
    copies = [(arrived[str(letter)], status, doubts) for letter, status, doubts in entries]
    missed = sum(not n for n, status, _ in copies if status == EntryStatus.SUCCESS)
    _promise(not missed, f"{missed} people have no letter though the log says so.")
    too_many = sum(n > 0 for n, status, _ in copies if status == EntryStatus.CANCELLED)
    _promise(not too_many, f"{too_many} people have a letter that was cancelled.")
    unnamed = sum(n > 1 + doubts for n, _, doubts in copies)
    _promise(not unnamed, f"{unnamed} people have an extra copy that nobody named.")
    extra = sum(max(n - 1, 0) for n, _, _ in copies)
    _promise(extra <= most_extra, f"{extra} extra copies, of at most {most_extra}.")
    return extra


def _all_sent(sent: int, cancelled: int, counted: Progress) -> Progress:
    return Progress(
        pending=0,
        sending=0,
        success=sent,
        failed=0,
        skipped=0,
        unknown=0,
        cancelled=cancelled,
        possible_duplicates=counted.possible_duplicates,
    )


def _wrong() -> list[str]:
    """What an audit of everything finds, besides what is only still to do."""
    return [auditing.in_one_line(one) for one in auditing.breaches() if not one.is_open]


def _promise(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)
