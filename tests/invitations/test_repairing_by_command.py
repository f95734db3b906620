"""`manage.py delivery apologise` and `correct`."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from invitations.services import preparing
from logs.models import Action, EntryStatus, InvitationLog, LogStatus
from tests.factories import (
    InvitationFactory,
    InvitationLogEntryFactory,
    InvitationLogFactory,
    MemberFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def about() -> InvitationLog:
    """A log with one person of each of these outcomes."""
    log: InvitationLog = InvitationLogFactory(status=LogStatus.COMPLETED)
    for status in (EntryStatus.SUCCESS, EntryStatus.UNKNOWN, EntryStatus.FAILED):
        member = InvitationFactory(workshop=log.workshop).member
        InvitationLogEntryFactory(log=log, member=member, status=status, doubts=2)
    return log


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """What a command has said since it was last asked."""
    return lambda: capsys.readouterr().out


def run(verb: str, about: InvitationLog, *arguments: str, initiator: str = "") -> None:
    words = ["--text", "The address was wrong.", *arguments]
    words += ["--initiator", initiator or MemberFactory().email]
    call_command("delivery", verb, "--log", str(about.pk), *words)


def outcomes_of_whom(about: InvitationLog) -> set[str]:
    """With whom of that log a letter is on its way, by what happened to them there."""
    (log,) = InvitationLog.objects.filter(about=about)
    preparing.prepare(log.pk)
    members = log.entries.filter(status="pending").values("member")
    return set(about.entries.filter(member__in=members).values_list("status", flat=True))


@pytest.mark.parametrize(
    ("arguments", "reached"),
    [
        ([], {"success", "unknown"}),
        (["--status", "success"], {"success"}),
        (["--status", "success", "--status", "failed"], {"success", "failed"}),
    ],
)
def test_it_reaches_these_people_of_the_log(about, said, arguments, reached):
    run("apologise", about, *arguments, "--yes-to", str(len(reached)))

    log = InvitationLog.objects.get(about=about)
    assert said() == (
        f"It would reach {len(reached)} of {len(reached)} people.\n"
        f"Log {log.pk}: apology about log {about.pk}.\n"
    )
    assert (log.action, log.note) == (Action.APOLOGY, "The address was wrong.")
    assert outcomes_of_whom(about) == reached


def test_a_correction_to_named_people_with_a_subject_of_its_own(about, said):
    by_number, by_address = (entry.member for entry in about.entries.order_by("status")[:2])

    run(
        "correct",
        about,
        *("--to", str(by_number.pk), "--to", f" {by_address.email.upper()}", "--subject", "Seven"),
        *("--yes-to", "2"),
    )

    log = InvitationLog.objects.get(about=about)
    assert (log.action, log.subject) == (Action.CORRECTION, "Seven")
    assert outcomes_of_whom(about) == {"failed", "success"}


@pytest.mark.parametrize("verb", ["apologise", "correct"])
def test_without_their_number_it_says_whom_it_would_reach_and_does_nothing(about, said, verb):
    about.entries.get(status="success").member.bans.create(
        added_by=MemberFactory(), reason="x", is_permanent=True
    )

    run(verb, about)

    assert said() == (
        "It would reach 1 of 2 people.\nNot 1 of them: is banned.\n"
        "Nobody was written to yet. Add --yes-to 1 if you mean them.\n"
    )
    assert not InvitationLog.objects.filter(about=about).exists()


def test_nobody_is_said_and_nothing_is_done(about, said):
    run("apologise", about, "--status", "cancelled")

    assert said() == f"That is nobody in log {about.pk}. Nobody is written to.\n"
    assert not InvitationLog.objects.filter(about=about).exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--status", "delivered"], "choose from .*success.*unknown.*failed.*skipped.*cancelled"),
        (["--to", "x@people.example"], "Not in this log: x@people.example. Take them out."),
        (["--yes-to", "3"], "That is 2 people, and not 3."),
        (["--text", " "], "Write what you have to say."),
        (["--subject", "One\nBcc: x@people.example"], "A subject is one line."),
        (["--subject", "x" * 151], "151"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(about, arguments, says):
    with pytest.raises(CommandError, match=says):
        run("apologise", about, *arguments)

    assert not InvitationLog.objects.filter(about=about).exists()


def test_whoever_asks_and_what_it_is_about_must_be_there(about):
    with pytest.raises(CommandError, match="No open account"):
        run("apologise", about, initiator="nobody@people.example")
    about.pk += 1
    with pytest.raises(CommandError, match=f"There is no log {about.pk}"):
        run("apologise", about)


def test_very_many_are_written_to_by_their_number_too(about, settings):
    settings.GUARD_SIZE = 1

    run("apologise", about, "--yes-to", "2")
    assert outcomes_of_whom(about) == {"success", "unknown"}
