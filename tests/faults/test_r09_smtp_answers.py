"""R9: each answer of the mail server means one thing, and is for one person only."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from invitations.services.manager import InvitationManager
from logs.models import EntryStatus, Hold, InvitationLog
from logs.services import holds
from logs.services.slots import DOUBTED_ONCE, MOST_TRIES
from tests.factories import MemberFactory, WorkshopFactory, chapter_with
from tests.support.ledger import assert_settled, wait_until_quiet
from tests.support.processes import PATIENT, Station
from tests.support.smtp_sink import DROP, STALL, STORE_AND_DROP, STORE_AND_STALL
from tests.support.waiting import wait_until

SENT, FAILED = EntryStatus.SUCCESS, EntryStatus.FAILED
HELD = "sending is held"


@dataclass(frozen=True)
class Row:
    """What the server does to one person's letter the first time, and what comes of it."""

    step: str
    act: str
    status: EntryStatus
    tries: set[int]
    copies: int = 1
    doubts: int = 0
    is_bad_address: bool = False

    @property
    def is_quoted(self) -> bool:
        return self.act[0] in "45"


def _matrix() -> list[Row]:
    not_now = [
        Row(step, f"{code} 4.{code[1]}.{code[2]} not now, {{address}}", SENT, tries={1})
        for step in ("rcpt", "data", "dot")
        for code in ("421", "432", "451", "452", "454")
    ]
    never = [
        Row(step, f"{answer} for <{{address}}>", FAILED, {0}, copies=0, is_bad_address=is_bad)
        for step, answer, is_bad in [
            ("rcpt", "550 5.7.1 refused", False),
            ("rcpt", "550 5.1.1 no such mailbox", True),
            ("rcpt", "550 5.1.10 no mail at that domain", True),
            ("rcpt", "550 5.1.8 your own address is bad", False),
            ("rcpt", "501 no mailbox 5.1.1", False),
            ("data", "554 5.7.1 refused", False),
            ("dot", "552 5.2.2 mailbox full", False),
            ("dot", "554 5.6.0 refused", False),
            ("dot", "550 5.1.1 no such mailbox", True),
        ]
    ]
    # Again at once on a new connection, and nothing is burnt. After a stall too little of the
    # letter's time may be left for that.
    before_the_dot = [
        Row(step, act, SENT, tries=tries)
        for step in ("rcpt", "data")
        for act, tries in ((DROP, {0}), (STALL, {0, 1}))
    ]
    after_the_dot = [
        Row("dot", DROP, SENT, {0}, copies=1, doubts=1),
        Row("dot", STORE_AND_DROP, SENT, {0}, copies=2, doubts=1),
        Row("dot", STORE_AND_STALL, SENT, {0}, copies=2, doubts=1),
        Row("dot", "199 what", SENT, {0}, copies=1, doubts=1),
    ]
    return not_now + never + before_the_dot + after_the_dot


def test_r09_each_answer_is_for_one_letter(station: Station):
    rows = _matrix()
    workshop = WorkshopFactory(chapter=chapter_with(students=2 * len(rows)))
    members = list(workshop.chapter.groups.get(role="student").members.order_by("pk"))
    unlucky = dict(zip([member.email for member in members[1::2]], rows, strict=True))
    struck: Counter[str] = Counter()

    def answer(step: str, address: str) -> str | None:
        row = unlucky.get(address)
        if row is None or row.step != step or struck[address]:
            return None
        struck[address] += 1
        return row.act.format(address=address)

    station.variables |= PATIENT
    station.sink.script = answer
    station.start_beat()
    worker = station.start_worker(concurrency=2)
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until_quiet(log)

    doubts = sum(row.doubts for row in rows)
    assert_settled(station.sink, log, audience=2 * len(rows), faults=doubts + station.mishaps)
    assert HELD not in worker.output
    entries = {entry.member.email: entry for entry in log.entries.select_related("member")}
    for address, entry in entries.items():
        row = unlucky.get(address)
        assert "@" not in entry.reason
        if row is None:
            assert (entry.status, entry.tries) == (SENT, 0)
            assert station.sink.recipients[address] == 1 or entry.doubts
            continue
        assert (entry.status, entry.tries in row.tries, entry.doubts) == (
            row.status,
            True,
            row.doubts,
        ), (row, entry.tries, entry.reason)
        assert station.sink.recipients[address] == row.copies, row
        assert bool(entry.member.address_unusable_at) == row.is_bad_address, row
        if row.status == FAILED:
            assert entry.answer_code == int(row.act[:3])
            assert entry.reason.startswith(f"“{row.act[:3]} ")
        elif row.doubts:
            assert entry.reason == DOUBTED_ONCE


def test_r09_tries_grow_further_apart_and_end(station: Station):
    delay = 0.02
    station.variables |= PATIENT
    station.variables["RETRY_DELAY_SECONDS"] = str(delay)
    workshop = WorkshopFactory(chapter=chapter_with(students=5))
    victim = workshop.chapter.groups.get(role="student").members.order_by("pk")[2]
    asked_at: list[float] = []

    def greylist(step: str, address: str) -> str | None:
        if (step, address) != ("rcpt", victim.email):
            return None
        asked_at.append(time.monotonic())
        return f"451 4.7.1 {address}: come back later"

    station.sink.script = greylist
    station.start_beat()
    worker = station.start_worker()
    log = InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())
    wait_until_quiet(log)

    assert_settled(station.sink, log, audience=5, faults=station.mishaps)
    entry = log.entries.get(member=victim)
    assert (entry.status, entry.tries, entry.answer_code) == (FAILED, MOST_TRIES, 451)
    assert entry.reason == "“451 4.7.1 … come back later”"
    assert log.entries.exclude(pk=entry.pk).exclude(status=SENT).count() == 0
    assert len(asked_at) == MOST_TRIES
    gaps = [later - before for before, later in pairwise(asked_at)]
    least = [0.7 * delay * 2**tries for tries in range(len(gaps))]
    assert all(gap >= at_least for gap, at_least in zip(gaps, least, strict=True))
    assert HELD not in worker.output


REFUSALS = [
    ("connect", "421 4.3.2 shutting down", "“421 4.3.2 shutting down”"),
    ("connect", "554 5.7.1 no", "“554 5.7.1 no”"),
    ("connect", STALL, "The mail server did not answer in time."),
    ("ehlo", DROP, "The mail server closed the connection."),
    ("mail", "432 4.3.2 wait", "“432 4.3.2 wait”"),
    ("mail", "454 4.7.0 throttled", "“454 4.7.0 throttled”"),
    ("mail", "550 5.7.1 <hello@codebar.example> may not send", "“550 5.7.1 … may not send”"),
]


def test_r09_a_server_that_refuses_us_burns_no_try(station: Station):
    station.variables |= PATIENT
    station.variables["CONNECTION_IDLE_SECONDS"] = "0"  # a greeting before every letter
    station.start_beat()
    station.start_worker()
    for step, act, reason in REFUSALS:
        station.sink.script = _always(step, act)
        log = _click()
        assert _wait_for_hold().reason == reason
        station.sink.script = None

        wait_until_quiet(log)
        _assert_sent_without_a_try(station, log)
        wait_until(lambda: holds.current() is None, what="the hold to be lifted")


def test_r09_a_wrong_password_holds_until_it_is_right(station: Station):
    station.variables |= PATIENT
    station.variables["EMAIL_URL"] = f"smtp://codebar:secret@127.0.0.1:{station.sink.port}"
    is_known = False

    def sign_in(step: str, _: str) -> str | None:
        if step == "ehlo":
            return "250-sink\r\n250 AUTH PLAIN LOGIN"
        return "535 5.7.8 who are you" if step == "auth" and not is_known else None

    station.sink.script = sign_in
    station.start_beat()
    station.start_worker()
    log = _click()

    assert _wait_for_hold().reason == "“535 5.7.8 who are you”"
    log.refresh_from_db()
    assert log.status == "running"
    is_known = True

    wait_until_quiet(log)
    _assert_sent_without_a_try(station, log)


def test_r09_a_server_without_encryption_is_not_written_to(station: Station):
    port = station.sink.port
    station.variables |= PATIENT
    station.variables["EMAIL_URL"] = f"smtp+tls://127.0.0.1:{port}"
    station.start_beat()
    worker = station.start_worker()
    log = _click()

    assert "encryption" in _wait_for_hold().reason
    assert station.sink.letters == []
    worker.terminate()
    station.variables["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    station.start_worker()

    wait_until_quiet(log)
    _assert_sent_without_a_try(station, log)


def _click() -> InvitationLog:
    workshop = WorkshopFactory(chapter=chapter_with(students=3))
    return InvitationManager().send_workshop_emails(workshop, "students", MemberFactory())


def _always(step: str, act: str) -> Callable[[str, str], str | None]:
    return lambda at, _: act if at == step else None


def _wait_for_hold() -> Hold:
    wait_until(holds.current, every=0.02, what="sending to be held")
    hold = holds.current()
    assert hold is not None
    assert hold.since is not None
    return hold


def _assert_sent_without_a_try(station: Station, log: InvitationLog) -> None:
    entries = list(log.entries.select_related("member"))
    assert {(entry.status, entry.tries) for entry in entries} == {(SENT, 0)}
    for entry in entries:
        assert station.sink.recipients[entry.member.email] == 1 + entry.doubts
    assert sum(entry.doubts for entry in entries) <= station.mishaps
