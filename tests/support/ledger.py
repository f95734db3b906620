"""Comparing the ledger with what the mail server holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from django.db import connection

from logs.models import EntryStatus, InvitationLog, InvitationLogEntry
from logs.queries import progress
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import wait_until

_BROKEN_NOW = """
    SELECT 'entry in hand without a slot', e.id FROM logs_invitationlogentry e
    WHERE e.status = 'sending' AND NOT EXISTS (SELECT FROM logs_slot s WHERE s.token = e.lease)
    UNION ALL
    SELECT 'two live entries of one letter', min(e.id) FROM logs_invitationlogentry e
    WHERE e.status IN ('pending', 'sending', 'success', 'unknown')
    GROUP BY e.workshop_id, e.member_id, e.action, e.occasion HAVING count(*) > 1
    UNION ALL
    SELECT 'success without an answer', e.id FROM logs_invitationlogentry e
    WHERE e.status = 'success' AND e.answer_code IS NULL AND NOT e.is_settled
    UNION ALL
    SELECT 'finished log with letters to go', e.id FROM logs_invitationlogentry e
    JOIN logs_invitationlog l ON l.id = e.log_id
    WHERE e.status IN ('pending', 'sending') AND l.status = 'completed'
"""


def assert_invariants(sink: SmtpSink) -> None:
    """What `docs/delivery.md` promises of every moment, also while faults rain."""
    copies = sink.message_ids  # read first: doubts only grow
    with connection.cursor() as cursor:
        cursor.execute(_BROKEN_NOW)
        assert cursor.fetchall() == []
    doubts = {str(e.message_id): e.doubts for e in InvitationLogEntry.objects.all()}
    unnamed = {
        message_id: count
        for message_id, count in copies.items()
        if count > 1 + doubts[_uuid(message_id)]
    }
    assert unnamed == {}


def wait_until_quiet(
    *logs: InvitationLog, seconds: float = 150, meanwhile: Callable[[], object] = bool
) -> None:
    """
    Until every log is finished and nothing is left to send, with no human help.

    :param meanwhile: is called again and again while waiting
    """

    def is_quiet() -> bool:
        meanwhile()
        to_go = InvitationLogEntry.objects.filter(status__in=["pending", "sending"]).exists()
        return not to_go and all(_is_finished(log) for log in logs)

    wait_until(is_quiet, seconds=seconds, what="the logs to be finished with nothing to go")


def extra_copies(sink: SmtpSink) -> int:
    """Letters that the mail server holds more than once, each further copy counted."""
    return sum(count - 1 for count in sink.message_ids.values())


def assert_settled(sink: SmtpSink, log: InvitationLog, *, audience: int, faults: int) -> None:
    """
    The promise, after every fault has gone: everybody in one state, nobody missed, and each
    further copy caused by a fault and named.

    :param faults: senders killed + stalled past their lease + conversations broken after the dot
    """
    assert_invariants(sink)
    counted = progress(log)
    assert counted.audience == audience
    assert (counted.pending, counted.sending) == (0, 0)
    entries = list(log.entries.all())
    copies = Counter({_uuid(name): count for name, count in sink.message_ids.items()})
    never_mailed = [
        e.pk for e in entries if e.status == EntryStatus.SUCCESS and not copies[str(e.message_id)]
    ]
    assert never_mailed == []
    unnamed = [e.pk for e in entries if copies[str(e.message_id)] > 1 and not e.doubts]
    assert unnamed == []
    assert extra_copies(sink) <= faults
    assert max(sink.recipients.values(), default=0) <= 2


def _is_finished(log: InvitationLog) -> bool:
    log.refresh_from_db()
    return not log.is_live


def _uuid(message_id: str) -> str:
    return message_id.strip("<>").split("@")[0]
