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
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.utils import translation

from chapters.models import Role, Workshop
from invitations import mails, moulds
from invitations.services import claiming, pacing, smtp
from invitations.services.claiming import Letter
from logs import return_paths
from logs.models import Audience, InvitationLog
from logs.services import holds, slots, steering
from logs.services.slots import HeldSlot, Lost
from members import languages
from members.services import addresses

logger = logging.getLogger(__name__)

BLOCK_SECONDS = 5  # then claim again, so that single letters wait no longer
# So long a block should take. A claim costs as much as ten letters, which is nothing where one
# waits for the mail server; and with short blocks all connections have work until the end.
SECONDS_OF_A_BLOCK, SECONDS_OF_A_SLOW_BLOCK = 2.5, 1
SLOW_PACE = 30  # letters a second on one connection
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
        self.pace = pacing.Pace(stopping)


_sender = _Sender()


class _Accepted(dict[int, int]):
    """
    The letters that the mail server took and that are not recorded yet, by the code of its
    answers; and the milliseconds that it took for them.
    """

    smtp_ms = 0.0

    def clear(self) -> None:
        super().clear()
        self.smtp_ms = 0.0


class _Drafts:
    """
    What is the same for everybody in a letter, written once for all senders of this process.

    And again after BLOCK_SECONDS: what an organiser corrects meanwhile must reach the others.
    """

    def __init__(self) -> None:
        self._drafts: dict[tuple[object, ...], moulds.Draft] = {}
        self._written_at: dict[tuple[object, ...], float] = {}
        self._lock = threading.Lock()  # senders that begin together would all write the same

    def of(self, letter: Letter) -> moulds.Draft:
        kind = (
            *(letter.about, letter.action, letter.role, letter.other_role, letter.language),
            *(letter.had_place, letter.is_taken_off),
        )
        with self._lock:
            self._forget_old()
            if kind not in self._drafts:
                with translation.override(languages.code_of(letter.language)):
                    draft = _draft(letter)
                self._drafts[kind], self._written_at[kind] = draft, time.monotonic()
            return self._drafts[kind]

    def _forget_old(self) -> None:
        oldest = time.monotonic() - BLOCK_SECONDS
        for kind in [kind for kind, at in self._written_at.items() if at < oldest]:
            del self._drafts[kind], self._written_at[kind]


_drafts = _Drafts()


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
        had_place=letter.had_place,
        is_taken_off=letter.is_taken_off,
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
    accepted = _Accepted()
    may_be_more = False
    try:
        may_be_more = _work(slot, accepted)
        _insist(
            lambda: slots.release(slot, accepted, smtp_ms=round(accepted.smtp_ms)),
            until=_letter_deadline(),
        )
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
    refused = smtp.Connection().probe(sender=return_paths.for_nobody(), deadline=_letter_deadline())
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


def _work(slot: HeldSlot, accepted: _Accepted) -> bool:
    ends_at = time.monotonic() + settings.TASK_SECONDS
    while time.monotonic() < ends_at and not stopping.is_set():
        try:
            letters, was_due = claiming.claim(
                slot, accepted, limit=_sender.block_size, smtp_ms=round(accepted.smtp_ms)
            )
        except (DatabaseError, InterfaceError) as error:
            # Whether it was committed is not known: give everything back and start anew; at the
            # next sweep, where the statement itself is refused: a switch cannot be read.
            logger.warning("claim of slot %s broke: %s", slot.nr, type(error).__name__)
            connection.close()
            return isinstance(error, OperationalError | InterfaceError)
        accepted.clear()
        if not was_due:
            return False
        try:
            _send_block(slot, letters, accepted, ends_at=ends_at)
        except _Stop:
            return stopping.is_set()
    return True


def _send_block(
    slot: HeldSlot,
    letters: list[Letter],
    accepted: _Accepted,
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
        _send(slot, letter, accepted)
        sent += 1
    _sender.block_size = block_size(pace=sent / max(time.monotonic() - began_at, 0.001))


def block_size(*, pace: float) -> int:
    """How many letters to claim next, for a sender of so many letters a second."""
    seconds = SECONDS_OF_A_SLOW_BLOCK if pace < SLOW_PACE else SECONDS_OF_A_BLOCK
    return max(1, min(LARGEST_BLOCK, round(pace * seconds)))


def _send(slot: HeldSlot, letter: Letter, accepted: _Accepted) -> None:
    deadline = _letter_deadline()
    try:
        may_leave = _sender.pace.wait(
            lambda: _insist(lambda: slots.move_cursor(slot, letter.entry_id), until=deadline),
            until=deadline,
        )
    except DatabaseError:
        logger.exception("entry %s: whether it may leave cannot be read", letter.entry_id)
        may_leave = False
    if not may_leave:
        raise _Stop
    try:
        address = moulds.ascii_address(letter.address)
        text = _insist(lambda: _compose(letter), until=deadline)
    except (Lost, SoftTimeLimitExceeded):
        raise
    except Exception as error:
        logger.exception("entry %s could not be composed", letter.entry_id)
        reason = f"The letter could not be written ({type(error).__name__})."
        _insist(lambda: slots.fail(slot, letter.entry_id, reason=reason), until=deadline)
        return
    comes_back_to = return_paths.for_letter(letter.entry_id, address=letter.address)
    handed_over_at = time.monotonic()
    outcome = _sender.connection.send(text, to=address, sender=comes_back_to, deadline=deadline)
    _sender.pace.arrived()
    if isinstance(outcome, smtp.Accepted):
        _sender.failures_in_a_row = 0
        accepted[letter.entry_id] = outcome.code
        accepted.smtp_ms += (time.monotonic() - handed_over_at) * 1000
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


def _compose(letter: Letter) -> bytes:
    return _drafts.of(letter).letter_to(
        moulds.Recipient(
            member_id=letter.member_id,
            address=letter.address,
            name=letter.name,
            token=letter.token,
            message_id=letter.message_id,
            answer_number=letter.answer_number,
            first_message_id=letter.first_message_id,
        )
    )


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
