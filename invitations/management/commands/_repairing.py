"""`manage.py delivery apologise|correct`: a letter to exactly the people of another log."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from invitations.forms.repairing import RepairForm
from invitations.queries import repairing as queries
from invitations.queries.audiences import Reach
from invitations.services import inviting, repairing
from logs.models import Action, InvitationLog
from members.models import Member, normalize_email

ACTIONS = {"apologise": Action.APOLOGY, "correct": Action.CORRECTION}
OPTIONS = ("status", "to", "text", "subject", "initiator", "yes_to")


def add_arguments(verbs: _SubParsersAction[Any]) -> None:
    for verb, does in (
        ("apologise", "say sorry to the people of a log, and to nobody else"),
        ("correct", "put something right with the people of a log, and with nobody else"),
    ):
        _add_options(verbs.add_parser(verb, help=does))


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--log", type=int, required=True, help="the log that it is about")
    parser.add_argument(
        "--status",
        action="append",
        choices=[status.value for status in queries.OUTCOMES],
        help="only those with whom this happened; usually those whose letter left or may have",
    )
    parser.add_argument(
        "--to",
        action="append",
        metavar="WHO",
        help="only this person of the log, whatever became of their letter: a number or an address",
    )
    parser.add_argument("--text", required=True, help="what you have to say")
    parser.add_argument("--subject", default="", help="usually it names the day of the workshop")
    parser.add_argument("--initiator", required=True, help="the e-mail address of who asks")
    parser.add_argument(
        "--yes-to",
        type=int,
        metavar="N",
        help="do it, to exactly so many people; without, they are only counted",
    )


def run(stdout: OutputWrapper, about: InvitationLog, *, verb: str, **options: Any) -> None:
    """
    Say whom it would reach, and how to confirm that; with their number, do it.

    :raises CommandError: and nobody is written to
    """
    form = _form(about, ACTIONS[verb], options)
    asked: dict[str, Any] = {"action": ACTIONS[verb], "whom": form.whom}
    initiator = _member(options["initiator"])
    yes_to = options["yes_to"]
    try:
        reach = repairing.reach(about, **asked)
        _say(stdout, reach)
        if yes_to is None:
            advice = f"Add --yes-to {reach.to_invite} if you mean them."
            stdout.write(f"Nobody was written to yet. {advice}")
            return
        if yes_to != reach.to_invite:
            raise CommandError(f"That is {reach.to_invite} people, and not {yes_to}.")
        log = repairing.repair(
            about,
            **asked,
            subject=form.cleaned_data["subject"],
            text=form.cleaned_data["text"],
            initiator=initiator,
            seen_count=reach.to_invite,
            confirmed=yes_to,
        )
    except repairing.Nobody as nobody:
        stdout.write(nobody.message)
    except inviting.Refused as refusal:
        raise CommandError(refusal.message) from None
    else:
        stdout.write(f"Log {log.pk}: {log.get_action_display()} about log {about.pk}.")


def _form(about: InvitationLog, action: Action, options: dict[str, Any]) -> RepairForm:
    """What was typed, as the page would read it."""
    typed = {
        "action": action.value,
        "statuses": options["status"] or queries.THOSE_WHO_GOT_IT.statuses,
        "people": "\n".join(options["to"] or []),
        "subject": options["subject"],
        "text": options["text"],
    }
    form = RepairForm(about, typed, may_name=True)
    if not form.is_valid():
        sentences = (str(each) for errors in form.errors.values() for each in errors)
        raise CommandError("\n".join(sentences))
    return form


def _member(address: str) -> Member:
    try:
        member: Member = Member.objects.get(email=normalize_email(address), closed_at=None)
    except Member.DoesNotExist:
        raise CommandError("No open account has the address given as --initiator.") from None
    return member


def _say(stdout: OutputWrapper, reach: Reach) -> None:
    stdout.write(f"It would reach {reach.to_invite} of {reach.subscribers} people.")
    for reason, people in reach.left_out:
        stdout.write(f"Not {people} of them: {reason}.")
