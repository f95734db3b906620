"""
How letters leave: take a slot, claim a block, move the cursor, hand one letter over, go on.

The order of the steps is the promise (`docs/delivery.md`); change it only together with a fault
test that would have failed before.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from chapters.models import Role, Workshop
from invitations import mails, moulds
from invitations.services import claiming, smtp
from invitations.services.claiming import Letter
from logs.models import Audience, InvitationLog
from logs.services import holds, slots, steering
from logs.services.slots import HeldSlot, Lost
from members.services import addresses

logger = logging.getLogger(__name__)

BLOCK_SECONDS = 5  # then claim again, so that single letters wait no longer
CLAIM_SECONDS = 2.5  # so long a block should take
LARGEST_BLOCK = 500
FIRST_BLOCK = 10
FAILURES_IN_A_ROW = 20
LONGEST_DELAY = timedelta(hours=1)

stopping = threading.Event()  # set by SIGTERM: finish the letter in hand, leave the rest to others


_T = TypeVar("_T")


class _Sender(threading.local):
    """What a thread keeps from one task to the next: its connection and its measured pace."""

    def __init__(self) -> None:
        self.connection = smtp.Connection()
        self.block_size = FIRST_BLOCK
        self.failures_in_a_row = 0


_sender = _Sender()


class _Drafts:
    """
    What is the same for everybody in a letter, written once.

    And again after BLOCK_SECONDS: what an organiser corrects meanwhile must reach the others.
    """

    def __init__(self) -> None:
        self._drafts: dict[tuple[object, ...], moulds.Draft] = {}
        self._written_at = time.monotonic()

    def of(self, letter: Letter) -> moulds.Draft:
        if time.monotonic() - self._written_at > BLOCK_SECONDS:
            self._drafts.clear()
            self._written_at = time.monotonic()
        kind = (letter.about, letter.action, letter.role, letter.other_role)
        if kind not in self._drafts:
            self._drafts[kind] = _draft(letter)
        return self._drafts[kind]


def _draft(letter: Letter) -> moulds.Draft:
    if letter.workshop_id is None:
        return mails.draft_to_a_member(action=letter.action, occasion=letter.occasion)
    log = InvitationLog.objects.get(pk=letter.log_id) if letter.log_id else None
    return mails.draft(
        Workshop.objects.select_related("chapter").get(pk=letter.workshop_id),
        action=letter.action,
        role=Role(letter.role or ""),
        other_role=Role(letter.other_role) if letter.other_role else None,
        audience=Audience(log.audience) if log else None,
        subject=log.subject if log else "",
        note=log.note if log else "",
    )


class _Stop(Exception):
    """No further letter in this task: sending was stopped, held or asked to end."""


def deliver_what_is_due() -> bool:
    """
    Send what is due until nothing is, or TASK_SECONDS are over.

    :returns: whether something may be left to send now, so that another bell is worth ringing
    """
    with _sigterm_waits_for_the_letter_in_hand():
        return _deliver()


def _deliver() -> bool:
    slot = slots.take(worker=f"{socket.gethostname()}:{os.getpid()}")
    if slot is None:
        return False
    accepted: dict[int, int] = {}
    may_be_more = False
    try:
        may_be_more = _work(slot, accepted)
        _insist(lambda: slots.release(slot, accepted), until=_letter_deadline())
    except Lost:
        _sender.connection.close()
        logger.warning("lease %s of slot %s was lost; others settle it", slot.token, slot.nr)
    steering.finish_done()
    return may_be_more


def probe_hold() -> bool:
    """
    While sending is held, ask the mail server again when that is due.

    :returns: whether the hold was lifted
    """
    if not holds.take_probe():
        return False
    refused = smtp.Connection().probe(deadline=_letter_deadline())
    if refused:
        return False
    holds.lift()
    logger.info("the mail server answers again")
    return True


@contextmanager
def _sigterm_waits_for_the_letter_in_hand() -> Iterator[None]:
    """
    Whoever handles SIGTERM usually gets it after the block, when the slot is free again.

    A process of Celery's pool would otherwise end in the middle of a letter when a whole group
    of processes is told to stop. In other threads the main one hears the signal and tells us.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = False

    def hear(*_: object) -> None:
        nonlocal heard
        heard = True
        stopping.set()

    usual = signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, usual)
    if heard:
        signal.raise_signal(signal.SIGTERM)


def _work(slot: HeldSlot, accepted: dict[int, int]) -> bool:
    ends_at = time.monotonic() + settings.TASK_SECONDS
    drafts = _Drafts()
    while time.monotonic() < ends_at and not stopping.is_set():
        try:
            letters, was_due = claiming.claim(slot, accepted, limit=_sender.block_size)
        except (OperationalError, InterfaceError) as error:
            # Whether it was committed is not known: give everything back and start anew.
            logger.warning("claim of slot %s broke: %s", slot.nr, type(error).__name__)
            connection.close()
            return True
        accepted.clear()
        if not was_due:
            return False
        try:
            _send_block(slot, letters, drafts, accepted, ends_at=ends_at)
        except _Stop:
            return stopping.is_set()
    return True


def _send_block(
    slot: HeldSlot,
    letters: list[Letter],
    drafts: _Drafts,
    accepted: dict[int, int],
    *,
    ends_at: float,
) -> None:
    began_at = time.monotonic()
    ends_at = min(ends_at, began_at + BLOCK_SECONDS)
    sent = 0
    for letter in letters:
        if stopping.is_set():
            raise _Stop
        if sent and time.monotonic() > ends_at:
            break
        _send(slot, letter, drafts, accepted)
        sent += 1
    seconds = max(time.monotonic() - began_at, 0.001)
    _sender.block_size = max(1, min(LARGEST_BLOCK, round(sent / seconds * CLAIM_SECONDS)))


def _send(slot: HeldSlot, letter: Letter, drafts: _Drafts, accepted: dict[int, int]) -> None:
    deadline = _letter_deadline()
    if not _insist(lambda: _may_leave(slot, letter, deadline), until=deadline):
        raise _Stop
    try:
        address = moulds.ascii_address(letter.address)
        text = _insist(lambda: _compose(letter, drafts), until=deadline)
    except (Lost, SoftTimeLimitExceeded):
        raise
    except Exception as error:
        logger.exception("entry %s could not be composed", letter.entry_id)
        reason = f"The letter could not be written ({type(error).__name__})."
        _insist(lambda: slots.fail(slot, letter.entry_id, reason=reason), until=deadline)
        return
    outcome = _sender.connection.send(text, to=address, deadline=deadline)
    if isinstance(outcome, smtp.Accepted):
        _sender.failures_in_a_row = 0
        accepted[letter.entry_id] = outcome.code
        return
    _sender.failures_in_a_row += 1
    is_refused = isinstance(outcome, smtp.Refused)
    _insist(lambda: _record(slot, letter, outcome), until=_letter_deadline())
    if is_refused or _sender.failures_in_a_row >= FAILURES_IN_A_ROW:
        _sender.failures_in_a_row = 0
        _insist(lambda: holds.hold(reason=_hold_reason(outcome)), until=_letter_deadline())
        logger.error("sending is held: the mail server refuses us")
        raise _Stop


@transaction.atomic
def _record(slot: HeldSlot, letter: Letter, outcome: smtp.Outcome) -> None:
    """Write down whatever is not a success, before the cursor moves on."""
    match outcome:
        case smtp.Deferred(reason=reason, code=code):
            delay = _backoff(letter.tries)
            slots.try_later(slot, letter.entry_id, delay=delay, reason=reason, code=code)
        case smtp.Rejected(reason=reason, code=code, is_bad_address=is_bad):
            slots.fail(slot, letter.entry_id, reason=reason, code=code)
            if is_bad:
                addresses.mark_unusable(letter.member_id, letter.address, reason=reason)
        case smtp.InDoubt():
            logger.warning("entry %s: conversation broken after the final dot", letter.entry_id)
            slots.doubt(slot.token, letter.entry_id)
        case smtp.Refused():
            slots.give_back(slot.token, entry_id=letter.entry_id)


def _hold_reason(outcome: smtp.Outcome) -> str:
    match outcome:
        case smtp.Refused(reason=reason):
            return reason
        case smtp.Deferred(reason=reason) | smtp.Rejected(reason=reason):
            return f"{FAILURES_IN_A_ROW} letters in a row were not taken, the last with {reason}"
        case _:
            return f"{FAILURES_IN_A_ROW} letters in a row were not taken."


def _compose(letter: Letter, drafts: _Drafts) -> bytes:
    return drafts.of(letter).letter_to(
        moulds.Recipient(
            member_id=letter.member_id,
            address=letter.address,
            name=letter.name,
            token=letter.token,
            message_id=letter.message_id,
        )
    )


def _may_leave(slot: HeldSlot, letter: Letter, deadline: float) -> bool:
    """
    Move the cursor onto this letter, and wait for its moment where there is a limit.

    A moment that was missed is left unused: a letter that leaves too late meets those that follow.
    """
    while True:
        asked_at = time.monotonic()
        wait = slots.move_cursor(slot, letter.entry_id)
        if wait is None:
            return False
        if not settings.MAIL_RATE_PER_SECOND:
            return True
        if not _wait(wait, deadline):
            return False
        if time.monotonic() - asked_at - wait < slots.LATE_SECONDS:
            return True


def _wait(seconds: float, deadline: float) -> bool:
    """Wait for this letter's moment; not where too little of its time would be left to send it."""
    if time.monotonic() + seconds + settings.EMAIL_TIMEOUT > deadline:
        return False
    moment = time.monotonic() + seconds
    while (rest := moment - time.monotonic()) > 0 and not stopping.is_set():
        time.sleep(min(rest, 0.1))  # not stopping.wait(): its lock and a signal's do not mix
    return not stopping.is_set()


def _backoff(tries: int) -> timedelta:
    """Twice as long each time, at most an hour, and never all at the same moment."""
    seconds = settings.RETRY_DELAY_SECONDS * 2 ** min(tries, 20) * random.uniform(0.75, 1.25)  # noqa: S311 -- jitter
    return min(timedelta(seconds=seconds), LONGEST_DELAY)


def _letter_deadline() -> float:
    return time.monotonic() + float(settings.LETTER_SECONDS)


def _insist(step: Callable[[], _T], *, until: float) -> _T:
    """
    Repeat a harmless step over a lost connection to PostgreSQL.

    :raises Lost: when PostgreSQL is away for longer than a letter may take
    """
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if time.monotonic() >= until:
                raise Lost from error
            time.sleep(0.2)
