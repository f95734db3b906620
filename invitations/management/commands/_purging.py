"""`delivery purge`: which letters that wait are meant, how many, and cancelling them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, OutputWrapper

from invitations.forms.purging import ACTIONS, WhichForm
from logs.services import purging
from logs.services.purging import Which

SHOWN = 10
BY_HAND = "Cancelled from the command line."
ALLOWED = (
    "Allowed: --log NUMBER, --workshop NUMBER, --chapter SLUG, --from and --to"
    f" “YYYY-MM-DD HH:MM” in UTC, and --action with one of {ACTIONS}."
)
OPTIONS = {
    "log": ("--log", "only letters of this log"),
    "workshop": ("--workshop", "only letters about this workshop"),
    "chapter": ("--chapter", "only letters of this chapter, by its slug"),
    "action": ("--action", "only letters of this kind"),
    "since": ("--from", "only letters written down at this moment or later"),
    "until": ("--to", "only letters written down before this moment"),
}


def add_arguments(parser: ArgumentParser) -> None:
    for name, (option, does) in OPTIONS.items():
        parser.add_argument(option, dest=name, default="", help=does)
    parser.add_argument("--reason", default=BY_HAND, help="why; it stands at each letter")
    parser.add_argument("--yes", action="store_true", help="do it; without, they are only counted")
    parser.add_argument("--yes-to", type=int, metavar="N", help="do it, to this many at most")


def run(out: OutputWrapper, *, yes: bool, yes_to: int | None, reason: str, **said: Any) -> None:
    """
    Say how many letters are meant and which; with a yes, cancel them.

    :raises CommandError: where it cannot be read which letters are meant, or more of them than
        `GUARD_SIZE` and nobody said the number
    """
    which = _which(said)
    count = _tell(out, which)
    if not count:
        return
    if not yes and yes_to is None:
        _tell_in_hand(out, which)
        out.write("Nothing was changed. Say --yes to cancel them.")
        return
    at_most = count if yes_to is None else yes_to
    if yes_to is None and count > settings.GUARD_SIZE:
        _ask(count)
    try:
        cancelled = purging.purge(which, at_most=at_most, reason=reason)
    except purging.Refused as refusal:
        raise CommandError(refusal.message) from None
    out.write(f"{cancelled} letters were cancelled.")
    _tell_in_hand(out, which)


def _which(said: dict[str, str]) -> Which:
    form = WhichForm({name: said[name] for name in OPTIONS})
    if form.is_valid():
        return form.which
    errors = [
        f"{OPTIONS[name][0]}: {error}" if name in OPTIONS else error
        for name, found in form.errors.items()
        for error in found
    ]
    raise CommandError("\n".join([*map(str, errors), ALLOWED]))


def _tell(out: OutputWrapper, which: Which) -> int:
    counted = which.counted()
    count = sum(counted.values())
    if not count:
        out.write("No letter that waits is meant. Nothing was changed.")
        _tell_in_hand(out, which)
        return 0
    kinds = ", ".join(f"{letters} {action}" for action, letters in counted.items())
    out.write(f"{count} letters that wait are meant: {kinds}.")
    first = ", ".join(str(entry.pk) for entry in which.first(SHOWN))
    out.write(f"Those that would leave first: entries {first}.")
    return count


def _tell_in_hand(out: OutputWrapper, which: Which) -> None:
    if in_hand := purging.about_those_in_hand(which):
        out.write(in_hand)


def _ask(count: int) -> None:
    """Somebody at a terminal types the number; elsewhere it must have been said."""
    if not sys.stdin.isatty():
        raise CommandError(
            f"{count} are more than {settings.GUARD_SIZE}. Say --yes-to {count} to cancel them."
        )
    if input(f"To cancel them, type {count}: ").replace(",", "").strip() != str(count):
        raise CommandError("That is another number. Nothing was changed.")
